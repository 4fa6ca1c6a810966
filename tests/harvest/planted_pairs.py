"""Support chats in French and English with planted duplicates, near duplicates, contradictions, and what only looks so.

Made without any code, pattern or template of the checks. Each scene is about a subject of its own (a shop, a product),
so that what was not planted is not there by chance.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SYLLABLES = tuple(
    one
    for line in (
        "ba bel bri ca cor da del do fa fen ga gri ha jo ka kel la lin lo ma mer mi na nel o pa pri ra ri sa sel ta",
        "tor u va vel vi zo",
    )
    for one in line.split()
)
STREETS_FR = [
    "rue des Lilas",
    "avenue Carnot",
    "boulevard Gambetta",
    "place du Marché",
    "quai des Brumes",
    "rue Pasteur",
]
STREETS_EN = ["Elm Street", "Baker Road", "Harbour Lane", "Market Square", "Mill Way", "Station Road"]
GOODS_FR = ["bouilloire", "cafetière", "tondeuse", "poussette", "lampe", "valise", "perceuse", "enceinte", "couette"]
GOODS_EN = ["kettle", "espresso maker", "lawn mower", "pushchair", "lamp", "suitcase", "drill", "speaker", "duvet"]
FILLER_FR = [
    "Notre équipe reste joignable par le formulaire du site si un point vous semble obscur.",
    "Vous retrouverez ces éléments dans votre espace personnel, rubrique documents.",
    "Gardez bien votre ticket de caisse, il vous sera demandé à l'accueil.",
    "Les conditions détaillées figurent au dos de la facture que vous avez reçue.",
    "Cette règle vaut pour tous les clients, en ligne comme au comptoir.",
    "Le personnel sur place saura vous guider vers le bon interlocuteur.",
]
FILLER_EN = [
    "Our staff can be reached through the form on the website should anything remain unclear.",
    "You will find these details in your account under the documents heading.",
    "Please hold on to your receipt, it will be asked for at the front desk.",
    "The full terms are printed on the back of the invoice you were sent.",
    "The same rule applies to every customer, online and at the counter.",
    "Colleagues on site will gladly point you to the right person.",
]
BOILER_FR = (
    "Votre demande a bien été enregistrée par notre service et sera conservée dans votre dossier pendant la durée "
    "de votre contrat. Conformément à notre charte, vous pouvez à tout moment consulter l'historique de vos échanges, "
    "demander une copie ou signaler une erreur auprès du délégué compétent, qui étudiera votre requête avec attention."
)
BOILER_EN = (
    "Your request has been recorded by our service and will be stored in your file for the length of your contract. "
    "In line with our charter you are welcome to browse the history of your exchanges any time, ask for a copy, or "
    "report a mistake to the officer in charge, who will look into your request with all due attention."
)
CORES_FR = [
    ("changer mon mot de passe sur {x}", "Ouvrez le menu sécurité de {x} puis choisissez le cadenas bleu."),
    ("joindre une photo au dossier {x}", "Glissez le fichier dans la zone grise de {x} avant de valider."),
    ("prévenir {x} d'un déménagement", "Envoyez un justificatif récent à {x} depuis la page adresse."),
    ("récupérer une facture {x} perdue", "Demandez un duplicata au comptoir {x} avec une pièce d'identité."),
]
CORES_EN = [
    ("change my password on {x}", "Open the security menu of {x} and pick the blue padlock."),
    ("attach a picture to the {x} file", "Drag the image into the grey area of {x} before you submit."),
    ("tell {x} about a new address", "Send a recent proof to {x} from the address page."),
    ("get a lost {x} invoice back", "Ask for a copy at the {x} desk and bring some identification."),
]


@dataclass(frozen=True, slots=True)
class Fact:
    """What a scene is about: questions that ask for it, and replies that give a value, each in several wordings."""

    questions: tuple[str, ...]
    replies: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]  # of each value its spellings; "|" parts a pair of fitting verbs


FACTS_FR = (
    Fact(
        ("À quelle heure ouvre la boutique {x} ?", "La boutique {x} ouvre à quelle heure ?"),
        ("La boutique {x} ouvre à {v}.", "Nos portes s'ouvrent à {v} chez {x}.", "Vous pouvez venir chez {x} dès {v}."),
        (("9 h", "9h00", "9 heures"), ("10 h", "10h", "10:00"), ("8 h 30", "8h30", "8:30"), ("14 h", "14:00", "14h00")),
    ),
    Fact(
        ("Combien coûte la livraison de {x} ?", "La livraison de {x} coûte combien ?"),
        ("La livraison de {x} coûte {v}.", "Comptez {v} pour faire livrer {x}.", "Pour {x}, le port s'élève à {v}."),
        (
            ("4,90 €", "4.90 euros", "4€90"),
            ("7 €", "sept euros", "7,00 €"),
            ("12 €", "douze euros"),
            ("1 200 €", "1200 euros", "1.200 €"),
        ),
    ),
    Fact(
        ("Sous quel délai {x} est-il remboursé ?", "{x} est remboursé sous quel délai ?"),
        ("{x} est remboursé sous {v}.", "Le remboursement de {x} arrive en {v}.", "Il faut patienter {v} pour {x}."),
        (
            ("14 jours", "deux semaines", "quatorze jours"),
            ("5 jours", "cinq jours"),
            ("48 heures", "48 h", "deux jours"),
            ("1 mois", "un mois"),
        ),
    ),
    Fact(
        ("Quand se termine la promotion sur {x} ?", "La promotion sur {x} se termine quand ?"),
        (
            "L'offre sur {x} prend fin le {v}.",
            "{x} reste en promotion jusqu'au {v}.",
            "Dernier jour pour {x} : le {v}.",
        ),
        (
            ("12 mai 2026", "12/05/2026"),
            ("30 juin 2026", "30/06/2026"),
            ("3 mars 2026", "03/03/2026"),
            ("21 août 2026", "21/08/2026"),
        ),
    ),
    Fact(
        ("Peut-on retourner {x} une fois ouvert ?", "Une fois ouvert, peut-on retourner {x} ?"),
        ("{v}",),
        (
            (
                "Oui, {x} peut être retourné même ouvert.",
                "Oui tout à fait, nous reprenons {x} déballé.",
                "On peut retourner {x} une fois ouvert.",
            ),
            (
                "Non, {x} ne peut pas être retourné.",
                "Malheureusement non, {x} déballé n'est plus repris.",
                "On ne peut pas retourner {x} une fois ouvert.",
            ),
        ),
    ),
    Fact(
        ("Est-ce que {x} accepte les chèques vacances ?", "Les chèques vacances sont-ils acceptés par {x} ?"),
        ("{v}",),
        (
            (
                "Oui, {x} les accepte.",
                "Bien sûr, les chèques vacances sont acceptés par {x}.",
                "{x} accepte les chèques vacances sans condition.",
            ),
            (
                "Non, {x} les refuse.",
                "{x} n'accepte pas les chèques vacances.",
                "Les chèques vacances ne sont pas acceptés par {x}.",
            ),
        ),
    ),
    Fact(
        ("Combien d'essais me laisse {x} pour saisir le code ?", "Pour saisir le code, combien d'essais laisse {x} ?"),
        ("{x} laisse {v} essais.", "Vous avez droit à {v} essais avec {x}.", "Après {v} essais, {x} se bloque."),
        (("3", "trois"), ("5", "cinq"), ("10", "dix")),
    ),
    Fact(
        ("Dans quelle ville se trouve l'atelier {x} ?", "L'atelier {x} se trouve dans quelle ville ?"),
        ("L'atelier {x} se trouve à {v}.", "Rendez-vous à {v} pour {x}.", "C'est à {v} que {x} répare vos appareils."),
        (("Lyon",), ("Nantes",), ("Strasbourg",), ("Montpellier",)),
    ),
)
FACTS_EN = (
    Fact(
        ("What time does the {x} branch close?", "The {x} branch closes at what time?"),
        ("The {x} branch closes at {v}.", "Doors shut at {v} at {x}.", "You can visit {x} until {v}."),
        (("5 pm", "17:00", "5:00 p.m."), ("6 pm", "18:00", "6pm"), ("8:30 pm", "20:30"), ("noon", "12:00", "12 pm")),
    ),
    Fact(
        ("How much is shipping for {x}?", "Shipping for {x} is how much?"),
        ("Shipping for {x} is {v}.", "We charge {v} to send {x}.", "It will cost you {v} to have {x} delivered."),
        (
            ("£4.50", "4.50 pounds"),
            ("£9", "nine pounds", "9.00 pounds"),
            ("$25", "25 dollars", "twenty-five dollars"),
            ("$1,150", "1150 dollars"),
        ),
    ),
    Fact(
        ("How long is the warranty on {x}?", "On {x}, how long is the warranty?"),
        ("The warranty on {x} is {v}.", "{x} is covered for {v}.", "You get {v} of cover with {x}."),
        (
            ("2 years", "two years"),
            ("36 months", "thirty-six months"),
            ("6 months", "six months"),
            ("90 days", "ninety days"),
        ),
    ),
    Fact(
        ("When does {x} come back in stock?", "{x} comes back in stock when?"),
        ("{x} will be back on {v}.", "We expect {x} again on {v}.", "New units of {x} arrive on {v}."),
        (
            ("12 May 2026", "May 12, 2026"),
            ("3 June 2026", "June 3rd, 2026"),
            ("20 October 2026", "October 20, 2026"),
            ("1 February 2026", "February 1st 2026"),
        ),
    ),
    Fact(
        ("Can {x} be returned once opened?", "Once opened, can {x} be returned?"),
        ("{v}",),
        (
            (
                "Yes, {x} can be returned even when opened.",
                "Yes, of course, we take {x} back unsealed.",
                "{x} can be returned once opened.",
            ),
            (
                "No, {x} can't be returned.",
                "Unfortunately not, we do not take {x} back unsealed.",
                "{x} cannot be returned once opened.",
            ),
        ),
    ),
    Fact(
        ("Is {x} dishwasher safe?", "Would you say that {x} is dishwasher safe?"),
        ("{v}",),
        (
            (
                "Yes, {x} is dishwasher safe.",
                "Absolutely, you may put {x} in the dishwasher.",
                "{x} is dishwasher safe, top rack included.",
            ),
            ("No, please wash {x} by hand.", "{x} is not dishwasher safe.", "I'm afraid {x} isn't dishwasher safe."),
        ),
    ),
    Fact(
        ("How many devices can I link to {x}?", "To {x}, how many devices can I link?"),
        ("You can link {v} devices to {x}.", "{x} supports {v} devices.", "Up to {v} devices work with {x}."),
        (("3", "three"), ("5", "five"), ("12", "twelve")),
    ),
    Fact(
        ("Which city hosts the {x} workshop?", "The {x} workshop is hosted by which city?"),
        ("The {x} workshop is in {v}.", "Head to {v} for {x}.", "{x} repairs everything in {v}."),
        (("Leeds",), ("Bristol",), ("Cardiff",), ("Glasgow",)),
    ),
)
CITIES = frozenset({"Lyon", "Nantes", "Strasbourg", "Montpellier", "Leeds", "Bristol", "Cardiff", "Glasgow"})
GREETINGS_FR = ("Bonjour, ", "Bonsoir, ", "Bonjour à vous, ", "Salut, ", "Bonjour madame, ")
GREETINGS_EN = ("Hello, ", "Hi there, ", "Good evening, ", "Hey, ", "Dear team, ")
THANKS_FR, THANKS_EN = (" Merci !", " Merci d'avance.", " Bonne journée."), (" Thanks!", " Many thanks.", " Cheers.")
SWAPS_FR = {
    "chez": "auprès de",
    "bien": "correctement",
    "détaillées": "complètes",
    "guider": "orienter",
    "obscur": "confus",
    "demandé": "réclamé",
    "détails": "éléments",
}
SWAPS_EN = {
    "find": "see",
    "reached": "contacted",
    "gladly": "happily",
    "printed": "written",
    "unclear": "confusing",
    "full": "complete",
    "asked": "requested",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One row and what was planted: rows of one `scene` belong together; `role` is what it is in it."""

    question: str
    reply: str
    scene: int
    role: str


class Planted:
    """Makes rows: pass how many scenes of each kind. Roles: "base", and what `SCENES` names."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._subjects: set[str] = set()
        self._scene = 0

    def scenes(self, kind: str, count: int) -> Iterator[Said]:
        """The rows of so many scenes of one kind."""
        for _ in range(count):
            self._scene += 1
            yield from SCENES[kind](self)

    def _said(self, question: str, reply: str, role: str) -> Said:
        return Said(question, reply, self._scene, role)

    def subject(self, french: bool) -> str:
        """A shop or a product that nothing else is called."""
        while True:
            name = "".join(self._dice.choices(SYLLABLES, k=self._dice.choice((3, 3, 4)))).capitalize()
            if name not in self._subjects:
                self._subjects.add(name)
                break
        form = self._dice.randrange(3)
        if form == 0:
            return name
        if form == 1:
            return f"{name} {self._dice.choice(STREETS_FR if french else STREETS_EN)}"
        return f"{self._dice.choice(GOODS_FR)} {name}" if french else f"{name} {self._dice.choice(GOODS_EN)}"

    def row(self, french: bool | None = None, fillers: int | None = None) -> tuple[str, str, bool]:
        """A row about a new subject: question, reply, and whether it is in French."""
        french = self._dice.random() < 0.5 if french is None else french
        fact, subject = self._dice.choice(FACTS_FR if french else FACTS_EN), self.subject(french)
        value = self._dice.choice(self._dice.choice(fact.values)).format(x=subject)
        reply = self._dice.choice(fact.replies).format(x=subject, v=value)
        return self._dice.choice(fact.questions).format(x=subject), self._padded(reply, french, fillers), french

    def _padded(self, reply: str, french: bool, fillers: int | None = None) -> str:
        count = self._dice.choice((1, 2, 3, 4)) if fillers is None else fillers
        return " ".join((reply, *self._dice.sample(FILLER_FR if french else FILLER_EN, count)))

    def plain(self) -> Iterator[Said]:
        """A row that has no like."""
        question, reply, _ = self.row()
        yield self._said(question, reply, "base")

    def exact(self) -> Iterator[Said]:
        """A row and its copy with another case, other spaces and other marks."""
        question, reply, _ = self.row()
        yield self._said(question, reply, "base")
        change: Callable[[str], str] = self._dice.choice(
            (
                str.upper,
                str.lower,
                lambda t: "  " + t.replace(" ", "  ") + "\n",
                lambda t: t.rstrip("?.! ") + " !!",
                lambda t: t.replace(" ", "\u00a0"),
                lambda t: t,
            )
        )
        yield self._said(change(question), change(reply) if change is not str.upper else reply.upper(), "exact")

    def near(self) -> Iterator[Said]:
        """A row and another with one to three small changes that mean nothing."""
        question, reply, french = self.row(fillers=self._dice.choice((2, 3, 4, 5)))
        yield self._said(question, reply, "base")
        for change in self._dice.sample(
            (self._typos, self._greet, self._reorder, self._swap, self._casing), self._dice.choice((1, 1, 2, 3))
        ):
            question, reply = change(question, reply, french)
        yield self._said(question, reply, "near")

    def _typos(self, question: str, reply: str, french: bool) -> tuple[str, str]:
        return self._misspell(question), self._misspell(self._misspell(reply))

    def _misspell(self, text: str) -> str:
        parts = text.split(" ")
        long = [at for at, word in enumerate(parts) if len(word) > 4 and word.isalpha() and word.islower()]
        if not long:
            return text
        at = self._dice.choice(long)
        word, place = parts[at], self._dice.randrange(1, len(parts[at]) - 2)
        doubled, dropped = word[:place] + word[place] + word[place:], word[:place] + word[place + 1 :]
        swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        parts[at] = self._dice.choice((doubled, dropped, swapped))
        return " ".join(parts)

    def _greet(self, question: str, reply: str, french: bool) -> tuple[str, str]:
        before, after = (GREETINGS_FR, THANKS_FR) if french else (GREETINGS_EN, THANKS_EN)
        asked = self._dice.choice(before) + question + (self._dice.choice(after) if self._dice.random() < 0.5 else "")
        return asked, self._dice.choice(before) + reply if self._dice.random() < 0.5 else reply

    def _reorder(self, question: str, reply: str, french: bool) -> tuple[str, str]:
        first, *rest = reply.split(". ")
        self._dice.shuffle(rest)
        return question, ". ".join((first, *(one.rstrip(".") for one in rest))) + "."

    def _swap(self, question: str, reply: str, french: bool) -> tuple[str, str]:
        for old, new in (SWAPS_FR if french else SWAPS_EN).items():
            if f" {old} " in reply:
                return question, reply.replace(f" {old} ", f" {new} ", 1)
        return question, reply

    def _casing(self, question: str, reply: str, french: bool) -> tuple[str, str]:
        return question.lower().rstrip(" ?"), reply

    def other_subject(self) -> Iterator[Said]:
        """The same template, filled with two subjects and, half of the time, two values."""
        french = self._dice.random() < 0.5
        fact = self._dice.choice(FACTS_FR if french else FACTS_EN)
        asked, told, value = (
            self._dice.choice(fact.questions),
            self._dice.choice(fact.replies),
            self._dice.choice(fact.values),
        )
        spelled = self._dice.choice(value)
        tail = self._padded("", french)
        for role in ("base", "other_subject"):
            subject = self.subject(french)
            yield self._said(asked.format(x=subject), told.format(x=subject, v=spelled.format(x=subject)) + tail, role)

    def other_order(self) -> Iterator[Said]:
        """The same template about two orders."""
        french = self._dice.random() < 0.5
        tail = self._padded("", french)
        for role in ("base", "other_order"):
            number = self._dice.randrange(10**6, 10**7)
            weekday = self._dice.randrange(2, 28)
            if french:
                yield self._said(
                    f"Où en est ma commande {number} ?", f"La commande {number} part le {weekday} avril." + tail, role
                )
            else:
                yield self._said(
                    f"Where is my order {number}?", f"Order {number} leaves on April {weekday}." + tail, role
                )

    def boilerplate(self) -> Iterator[Said]:
        """Two short answers to two questions, both in the same long frame."""
        french, frame = (True, BOILER_FR) if self._dice.random() < 0.5 else (False, BOILER_EN)
        subject = self.subject(french)
        for role, (asked, told) in zip(
            ("base", "boilerplate"), self._dice.sample(CORES_FR if french else CORES_EN, 2), strict=True
        ):
            opening = "Comment " if french else "How do I "
            yield self._said(f"{opening}{asked.format(x=subject)} ?", f"{told.format(x=subject)} {frame}", role)

    def contradiction(self) -> Iterator[Said]:
        """The same question, or nearly, answered with two values."""
        yield from self._answers("contradiction", differ=True)

    def paraphrase(self) -> Iterator[Said]:
        """The same question, or nearly, answered with one value in two wordings and spellings."""
        yield from self._answers("paraphrase", differ=False)

    def _answers(self, role: str, differ: bool) -> Iterator[Said]:
        french = self._dice.random() < 0.5
        fact, subject = self._dice.choice(FACTS_FR if french else FACTS_EN), self.subject(french)
        one, other = self._dice.sample(fact.values, 2)
        other = other if differ else one
        wordings = self._dice.sample(fact.replies, 2) if len(fact.replies) > 1 else fact.replies * 2
        if len(fact.replies) == 1 and not differ:
            spelled = self._dice.sample(one, 2)
        else:
            spelled = [self._dice.choice(one), self._dice.choice(other)]
        if differ and self._dice.random() < 0.4:
            wordings = (wordings[0], wordings[0])
        asked = self._dice.choice(fact.questions)
        again = asked if self._dice.random() < 0.4 else self._dice.choice(fact.questions)
        for at, (question, told, value) in enumerate(zip((asked, again), wordings, spelled, strict=True)):
            question = question.format(x=subject)
            if at and self._dice.random() < 0.5:
                change = self._dice.choice((self._typos, self._greet, self._casing))
                question, _ = change(question, "", french)
            reply = told.format(x=subject, v=value.format(x=subject))
            yield self._said(
                question, self._padded(reply, french, self._dice.choice((0, 1, 2))), role if at else "base"
            )


SCENES: dict[str, Callable[[Planted], Iterator[Said]]] = {
    "plain": Planted.plain, "exact": Planted.exact, "near": Planted.near, "other_subject": Planted.other_subject,
    "other_order": Planted.other_order, "boilerplate": Planted.boilerplate, "contradiction": Planted.contradiction,
    "paraphrase": Planted.paraphrase,
}  # fmt: skip
MUST_GO = {"exact": "duplicate", "near": "near_duplicate", "contradiction": "contradiction"}
"""The roles that a check must find, and which; a row of any other role must stay."""
