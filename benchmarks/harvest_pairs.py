"""Questions that are asked twice: replies that contradict each other, that agree in other words, and nearly equal ones.

Written for the benchmark of harvest, and shared with nothing that looks for them.
"""

# ruff: noqa: E501 - a sentence stays on its line

import random
import re
from dataclasses import dataclass

from benchmarks.harvest_words import thing


@dataclass(frozen=True, slots=True)
class Case:
    """A question about `<thing>`, replies that say the same `<fact>` in other words, and the facts there may be.

    Of each fact there may be several wordings, parted by `|`; any two facts exclude each other. What differs is the
    `kind`: a number, a date, a negation (whose facts are whole replies), a slot that is
    declared, or any other word.
    """

    kind: str
    question: str
    replies: tuple[str, ...]
    facts: tuple[str, ...]


CASES = {
    "en": (
        Case(
            "number",
            "How many days do I have to return the <thing> if I don't like it?",
            (
                "You can send the <thing> back within <fact> of delivery, unused and in its box. The label is in your account.",
                "We take the <thing> back for <fact>, counted from the day it reached you, as long as nobody has used it.",
            ),
            ("14 days|two weeks", "30 days|thirty days", "60 days|sixty days"),
        ),
        Case(
            "number",
            "What is the delivery fee for the <thing> to the islands?",
            (
                "Shipping the <thing> to the islands costs <fact>, whatever the weight of the rest of your basket may be.",
                "For the islands we charge <fact> on top of the price of the <thing>; you see it before you pay.",
            ),
            ("$4.90|4.90 dollars", "$9.50|9.50 dollars", "$15|15 dollars"),
        ),
        Case(
            "number",
            "How long is the warranty on the motor of the <thing>?",
            (
                "The motor of the <thing> is covered for <fact> after you bought it; please keep the receipt somewhere safe.",
                "It has a guarantee of <fact>. For the <thing> that includes parts and the work in our own workshop.",
            ),
            ("two years|24 months", "five years|60 months", "ten years|120 months"),
        ),
        Case(
            "date",
            "When will the <thing> be in stock again in the online shop?",
            (
                "We expect the next batch of the <thing> on <fact>, and you can already reserve one with a click.",
                "The <thing> comes back on <fact>. Leave us a note on its page and we write to you that morning.",
            ),
            ("12 March|March 12", "2 April|April 2", "28 May|May 28"),
        ),
        Case(
            "date",
            "Until when does the summer offer on the <thing> run?",
            (
                "You get the lower price for the <thing> up to and including <fact>, in the shops as well as online.",
                "The offer ends on <fact>; after that day the <thing> goes back to what it normally costs.",
            ),
            ("31 July|July 31", "15 August|August 15", "7 September|September 7"),
        ),
        Case(
            "negation",
            "Can I put the removable parts of the <thing> in the dishwasher?",
            (
                "<fact> They come out with a quarter turn, and the leaflet shows you on its second page how to do that.",
                "<fact> The parts that come off the <thing> are described in the leaflet, with a picture of each of them.",
            ),
            (
                "Yes, all of them can go in the dishwasher.|Sure, they are made for the dishwasher.",
                "No, none of them can go in the dishwasher.|Unfortunately they must not go in the dishwasher.",
            ),
        ),
        Case(
            "negation",
            "Does the <thing> work without an internet connection?",
            (
                "<fact> The small light at the back tells you at any time what the <thing> is doing at the moment.",
                "<fact> What you set on the <thing> stays in its memory even when you pull the plug for a while.",
            ),
            (
                "Yes, it works without the internet.|It does work offline.",
                "No, it does not work without the internet.|It doesn't work offline.",
            ),
        ),
        Case(
            "word",
            "Which colour of light means that the <thing> is ready to be used?",
            (
                "The ring on top turns <fact> as soon as the <thing> is ready; before that it blinks every other second.",
                "Wait for the <fact> light: then your <thing> has done all its checks and you may begin.",
            ),
            ("green", "blue", "white", "orange"),
        ),
        Case(
            "slot",
            "From which warehouse is the <thing> shipped to me?",
            (
                "Your <thing> leaves from our warehouse in <fact>, where we keep all that is bulky or heavy.",
                "It comes from <fact>. That is where the <thing> is stored, and a lorry sets off from there each night.",
            ),
            ("Rotterdam", "Leipzig", "Coventry", "Zaragoza"),
        ),
    ),
    "fr": (
        Case(
            "number",
            "De combien de jours est-ce que je dispose pour renvoyer la <thing> ?",
            (
                "Vous pouvez renvoyer la <thing> sous <fact> après la livraison, non utilisée et dans son carton d'origine.",
                "Nous reprenons la <thing> pendant <fact>, à compter de sa réception, tant que personne ne s'en est servi.",
            ),
            ("14 jours|quatorze jours", "30 jours|trente jours", "60 jours|soixante jours"),
        ),
        Case(
            "number",
            "Combien coûte la livraison de la <thing> en Corse ?",
            (
                "L'envoi de la <thing> en Corse revient à <fact>, quel que soit le poids du reste de votre panier.",
                "Pour la Corse nous demandons <fact> en plus du prix de la <thing> ; c'est affiché avant de payer.",
            ),
            ("4,90 €|4,90 euros", "9,50 €|9,50 euros", "15 €|15 euros"),
        ),
        Case(
            "number",
            "Quelle est la durée de la garantie du moteur de la <thing> ?",
            (
                "Le moteur de la <thing> est couvert <fact> après l'achat ; pensez à bien conserver votre ticket de caisse.",
                "C'est une garantie de <fact>. Pour la <thing>, elle comprend les pièces et le travail de notre atelier.",
            ),
            ("deux ans|24 mois", "cinq ans|60 mois", "dix ans|120 mois"),
        ),
        Case(
            "date",
            "Quand est-ce que la <thing> sera de nouveau disponible sur le site ?",
            (
                "Le prochain arrivage de la <thing> est prévu le <fact>, et vous pouvez déjà en réserver une en un clic.",
                "La <thing> revient le <fact>. Laissez un mot sur sa page et nous vous écrirons le matin même.",
            ),
            ("12 mars|12/03", "2 avril|02/04", "28 mai|28/05"),
        ),
        Case(
            "date",
            "Jusqu'à quand dure l'offre d'été sur la <thing> ?",
            (
                "Le prix réduit de la <thing> vaut jusqu'au <fact> inclus, en magasin comme sur le site.",
                "L'offre se termine le <fact> ; passé ce jour la <thing> retrouve son prix habituel.",
            ),
            ("31 juillet|31/07", "15 août|15/08", "7 septembre|07/09"),
        ),
        Case(
            "negation",
            "Est-ce que les pièces amovibles de la <thing> vont au lave-vaisselle ?",
            (
                "<fact> Elles se retirent d'un quart de tour, la notice le montre en image à sa deuxième page.",
                "<fact> Les pièces qui se démontent sur la <thing> sont décrites dans la notice, avec une photo chacune.",
            ),
            (
                "Oui, elles vont toutes au lave-vaisselle.|Bien sûr, elles passent au lave-vaisselle.",
                "Non, aucune ne va au lave-vaisselle.|Malheureusement elles ne passent pas au lave-vaisselle.",
            ),
        ),
        Case(
            "negation",
            "Est-ce que la <thing> fonctionne sans connexion internet ?",
            (
                "<fact> Le petit voyant à l'arrière vous dit à tout moment ce que fait la <thing>.",
                "<fact> Ce que vous réglez sur la <thing> reste en mémoire, même si vous la débranchez un moment.",
            ),
            (
                "Oui, elle fonctionne sans internet.|Elle marche hors ligne.",
                "Non, elle ne fonctionne pas sans internet.|Elle ne marche pas hors ligne.",
            ),
        ),
        Case(
            "word",
            "Quelle couleur de voyant indique que la <thing> est prête ?",
            (
                "L'anneau du dessus devient <fact> dès que la <thing> est prête ; avant, il clignote lentement.",
                "Attendez le voyant <fact> : votre <thing> a alors fini ses contrôles et vous pouvez commencer.",
            ),
            ("vert", "bleu", "blanc", "orange"),
        ),
        Case(
            "slot",
            "De quel entrepôt est expédiée ma <thing> ?",
            (
                "Votre <thing> part de notre entrepôt de <fact>, où nous gardons tout ce qui est lourd ou encombrant.",
                "Elle vient de <fact>. C'est là que la <thing> est stockée, un camion en part chaque nuit.",
            ),
            ("Rotterdam", "Leipzig", "Valence", "Saragosse"),
        ),
    ),
}
_GREETINGS = {"en": ("Hello, ", "Hi, ", "Good morning, "), "fr": ("Bonjour, ", "Bonsoir, ", "Salut, ")}
_ENDINGS = {"en": (" Thanks!", " Thank you."), "fr": (" Merci !", " Merci d'avance.")}
_SMALL = {"en": ("just ", "also ", "really "), "fr": ("juste ", "aussi ", "vraiment ")}


def twice(seed: str, language: str, member: int, *, agree: bool) -> tuple[str, str, str]:
    """The question and a member's reply, and the kind of the pair: replies agree in other words, or contradict."""
    common = random.Random(seed)
    case = common.choice(CASES[language])
    what = thing(common, language)
    facts = common.sample(case.facts, 2)
    first, same_words = common.randrange(2), common.random() < 0.5
    frame = case.replies[first if member == 0 or (same_words and not agree) else 1 - first]
    wordings = facts[0 if agree else member].split("|")
    own = random.Random(f"{seed}/{member}")
    fact = wordings[member % len(wordings)] if agree else own.choice(wordings)
    question = case.question.replace("<thing>", what)
    if member:
        question = _asked_again(own, question, language)
    return question, frame.replace("<thing>", what).replace("<fact>", fact), case.kind


def alike(seed: str, language: str, member: int) -> tuple[str, str]:
    """Questions in the same words about two products, or one and its neighbour, each with a reply of its own."""
    common = random.Random(seed)
    case = common.choice(CASES[language])
    what = thing(common, language)
    if member:
        number = re.search(r"\d+", what)
        what = what.replace(number[0], str(int(number[0]) + common.choice((10, 100, 7)))) if number else what
        if common.random() < 0.5:
            what = thing(common, language)
    frame = case.replies[(common.randrange(2) + member) % len(case.replies)]
    fact = random.Random(f"{seed}/{member}").choice(case.facts).split("|")[0]
    return case.question.replace("<thing>", what), frame.replace("<thing>", what).replace("<fact>", fact)


def _asked_again(dice: random.Random, question: str, language: str) -> str:
    """The same question as somebody else types it; mostly in the same words."""
    form = dice.random()
    if form < 0.5:
        return question
    if form < 0.65:
        return dice.choice(_GREETINGS[language]) + question[0].lower() + question[1:]
    if form < 0.8:
        return question + dice.choice(_ENDINGS[language])
    return question.lower() if form < 0.9 else question.rstrip(" ?")


NEAR = ("formatting", "typo", "greeting", "small word")


def nearly(dice: random.Random, question: str, reply: str, language: str, form: str) -> tuple[str, str]:
    """The same exchange as it is when it is typed again; nothing that it says is another thing."""
    if form == "formatting":
        question = dice.choice(
            (question.lower(), question.replace(" ?", "?").rstrip("."), question.replace(". ", ".  "))
        )
        return question, reply.replace(", ", " ", 1) + dice.choice(("", " ", "\n"))
    if form == "typo":
        return _typo(dice, question), _typo(dice, reply)
    if form == "greeting":
        start = "" if question.startswith(tuple(_GREETINGS[language])) else dice.choice(_GREETINGS[language])
        return start + question + dice.choice(_ENDINGS[language]), reply
    return _with(dice, question, dice.choice(_SMALL[language])), _with(dice, reply, dice.choice(_SMALL[language]))


def _typo(dice: random.Random, text: str) -> str:
    """Two letters of a longer word change places."""
    places = [one for one in re.finditer(r"\b[a-zà-ÿ]{6,}\b", text)]
    if not places:
        return text
    at = dice.choice(places).start() + 2
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _with(dice: random.Random, text: str, word: str) -> str:
    places = [one.end() for one in re.finditer(r"\b[a-zà-ÿ]{2,} (?=[a-zà-ÿ]{3,}\b)", text)]
    at = dice.choice(places) if places else 0
    return text[:at] + word + text[at:]
