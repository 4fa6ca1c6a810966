"""Personal data of people who do not exist, as people write it into chats. Shared with nothing that looks for it."""

import random
import string
from collections.abc import Callable
from dataclasses import dataclass

_FIRST = {
    "fr": "Camille Hélène Jean-Pierre Océane Thibault Maëlle Gaspard Zoé Benoît Solène Yannick Anaïs Loïc Bérénice "
    "Mathilde Rémi Élodie Cyprien Noémie Armand Pierre Rose Aline Corentin Fatou Karim Inès Hugo Mehdi Aïcha",
    "en": "Oliver Harriet Desmond Priya Callum Siobhan Marcus Imogen Terrence Bethany Alistair Keisha Rupert Yolanda "
    "Duncan Fiona Grant Rosalind Emeka Tamsin Mark Grace Will Ivy Trevor Maureen Hamish Latoya Nigel Dorothy",
}
_LAST = {
    "fr": "Rousseau Lefèvre Garnier Boucher Marchand Le-Goff Delacroix Fontaine Perrot Guérin Vasseur Charpentier "
    "Aubert Tessier d'Almeida Benali Rivière Lacombe Picard Meunier N'Diaye Blanchet Roussel Chauvin Hamel",
    "en": "Whitfield Okafor Pemberton Castellanos Hargreaves O'Sullivan Lindqvist Thackeray Blackwood Nakamura "
    "Fairbanks Mbeki Ashworth Dunleavy Prescott Vandermeer McAllister Baker Stone Young Kowalczyk Redmond Sato",
}
_SHOPS = {
    "fr": "Boulangerie du Vieux Port|Atelier Verdier|Transports Kermorvan|Lycée Jules-Verne",
    "en": "Oakhurst Bakery|Pinnacle Freight|Saltmarsh Primary School|Tillerman & Sons",
}
_HOSTS = (  # noqa: SIM905
    "gmail.com orange.fr wanadoo.fr free.fr hotmail.co.uk btinternet.com yahoo.com laposte.net gmx.de outlook.com "
    "proton.me sfr.fr mail.kestrel-freight.com icloud.com uni-koeln.de la-petite-table.fr"
).split()
_HEX, _B62, _B32 = "0123456789abcdef", string.ascii_letters + string.digits, string.ascii_uppercase + "234567"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of whom the profile knows the name and the employer."""

    first: str
    last: str
    employer: str

    @property
    def full(self) -> str:
        """Both names."""
        return f"{self.first} {self.last}"


def person(dice: random.Random, language: str) -> Person:
    """Somebody."""
    first, last = dice.choice(_FIRST[language].split()), dice.choice(_LAST[language].split()).replace("-", " ")
    return Person(first, last, dice.choice(_SHOPS[language].split("|")))


def _some(dice: random.Random, signs: str, number: int) -> str:
    return "".join(dice.choices(signs, k=number))


def _digits(dice: random.Random, number: int) -> str:
    return _some(dice, string.digits, number)


def _plain(text: str) -> str:
    table = str.maketrans("éèêëàâîïôöûüçÉ' ", "eeeeaaiioouucE..")
    return text.translate(table).lower()


def email(dice: random.Random, who: Person) -> str:
    """An address, mostly of the person's own name."""
    first, last = _plain(who.first), _plain(who.last)
    local = dice.choice(
        (
            *(f"{first}.{last}", f"{first[0]}.{last}", f"{last}{dice.randrange(40, 99)}", f"{first}_{last}"),
            *(f"{first}.{last}+{dice.choice(('shop', 'promo', 'web'))}", f"contact-{last}", f"{first}{last}"),
        )
    )
    address = f"{local}@{dice.choice(_HOSTS)}"
    kind = dice.random()
    return address.upper() if kind < 0.04 else address.title() if kind < 0.08 else address


def _pairs(digits: str, between: str) -> str:
    return between.join(digits[at : at + 2] for at in range(0, len(digits), 2))


def phone_fr(dice: random.Random, _: Person) -> str:
    """A French number, mobile or of a house."""
    start = dice.choice(("061", "062", "066", "067", "068", "075", "076", "077", "014", "024", "038", "047", "056"))
    number = start + str(dice.choice("1234")) + _digits(dice, 6)
    form = dice.randrange(9)
    if form < 4:
        return _pairs(number, (" ", ".", "-", "")[form])
    tail = f"{number[1]} {_pairs(number[2:], ' ')}"
    forms = (f"+33 {tail}", f"+33{number[1:]}", f"0033 {tail}", f"+33 (0){tail}", f"(+33) {tail}")
    return forms[form - 4]


def phone_us(dice: random.Random, _: Person) -> str:
    """A number in the United States."""
    area = dice.choice("212 415 312 617 206 303 512 713 305 404 702 503 919 614".split())  # noqa: SIM905
    middle = f"{dice.choice('2346789')}{dice.choice('02345678')}{dice.choice('2345678')}"
    last = _digits(dice, 4)
    return dice.choice(
        (
            *(f"({area}) {middle}-{last}", f"{area}-{middle}-{last}", f"{area}.{middle}.{last}"),
            *(f"+1 {area} {middle} {last}", f"1-{area}-{middle}-{last}", f"+1{area}{middle}{last}"),
            *(f"{area} {middle} {last}", f"+1 ({area}) {middle}-{last}", f"{area}{middle}{last}"),
        )
    )


def phone_uk(dice: random.Random, _: Person) -> str:
    """A number in the United Kingdom."""
    if dice.random() < 0.6:
        start = dice.choice("7712 7725 7734 7788 7791 7803 7854 7886 7890 7905 7932 7966 7985".split())  # noqa: SIM905
        rest = _digits(dice, 6)
        halves = f"{rest[:3]} {rest[3:]}"
        return dice.choice(
            (
                *(f"0{start} {rest}", f"+44 {start} {rest}", f"+44 (0){start} {rest}", f"0{start}{rest}"),
                *(f"0{start} {halves}", f"+44{start}{rest}", f"0044 {start} {rest}"),
            )
        )
    area, middle = dice.choice(
        (("20", f"7{_digits(dice, 3)}"), ("161", f"2{_digits(dice, 2)}"), ("121", f"4{_digits(dice, 2)}"))
    )
    last = _digits(dice, 4)
    return dice.choice((f"0{area} {middle} {last}", f"+44 {area} {middle} {last}", f"(0{area}) {middle} {last}"))


def phone_de(dice: random.Random, _: Person) -> str:
    """A number in Germany."""
    if dice.random() < 0.6:
        start, rest = dice.choice((("151", _digits(dice, 7)), ("170", _digits(dice, 6)), ("176", _digits(dice, 7))))
    else:
        start, rest = dice.choice((("30", _digits(dice, 7)), ("89", _digits(dice, 7)), ("221", _digits(dice, 6))))
    rest = dice.choice("23456") + rest
    return dice.choice(
        (
            *(f"0{start} {rest}", f"+49 {start} {rest}", f"+49{start}{rest}", f"0{start}/{rest}"),
            *(f"0049 {start} {rest}", f"+49 (0){start} {rest}", f"0{start}-{rest}"),
        )
    )


def _luhn(body: str) -> str:
    total = sum(sum(divmod(int(sign) * (2 - at % 2), 10)) for at, sign in enumerate(reversed(body)))
    return str(-total % 10)


def card(dice: random.Random, _: Person) -> str:
    """A card's number that passes its check digit."""
    if dice.random() < 0.15:
        body = dice.choice(("34", "37")) + _digits(dice, 12)
        body += _luhn(body)
        return dice.choice((f"{body[:4]} {body[4:10]} {body[10:]}", body))
    body = dice.choice(("4970", "4533", "4929", "5131", "5412", "5521", "2221", "6011")) + _digits(dice, 11)
    body += _luhn(body)
    between = dice.choice((" ", " ", "", "-", "\u00a0", "."))
    return between.join(body[at : at + 4] for at in range(0, 16, 4))


_IBANS = {
    "FR": lambda dice: f"{_digits(dice, 10)}{_some(dice, string.digits + 'ABCDEFKLMN', 11)}{_digits(dice, 2)}",
    "DE": lambda dice: _digits(dice, 18),
    "GB": lambda dice: f"{dice.choice(('NWBK', 'BARC', 'LOYD', 'MIDL'))}{_digits(dice, 14)}",
    "BE": lambda dice: _digits(dice, 12),
    "ES": lambda dice: _digits(dice, 20),
    "NL": lambda dice: f"{dice.choice(('INGB', 'ABNA', 'RABO'))}{_digits(dice, 10)}",
    "IT": lambda dice: f"X{_digits(dice, 10)}{_digits(dice, 12)}",
}


def iban(dice: random.Random, _: Person) -> str:
    """An account of some country that passes modulo 97 (ISO 13616)."""
    country = dice.choice(("FR", "FR", "FR", "DE", "GB", "BE", "ES", "NL", "IT"))
    body = _IBANS[country](dice)
    number = int("".join(str(int(sign, 36)) for sign in f"{body}{country}00"))
    whole = f"{country}{98 - number % 97:02}{body}"
    form = dice.random()
    if form < 0.55:
        return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))
    return whole.lower() if form < 0.65 else whole


def nir(dice: random.Random, _: Person) -> str:
    """A French social security number with its key, 97 less the rest by 97."""
    place = dice.choice(("75", "13", "69", "59", "33", "2A", "2B", "06", "44"))
    parts = (dice.choice("12"), f"{dice.randrange(30, 100)}", f"{dice.randrange(1, 13):02}", place)
    body = (*parts, f"{dice.randrange(1, 500):03}", f"{dice.randrange(1, 900):03}")
    number = int("".join(body).replace("2A", "19").replace("2B", "18"))
    whole = (*body, f"{97 - number % 97:02}")
    return dice.choice((" ", " ", "", ".")).join(whole)


def ssn(dice: random.Random, _: Person) -> str:
    """A social security number of the United States."""
    parts = (f"{dice.choice((dice.randrange(1, 666), dice.randrange(667, 900))):03}", f"{dice.randrange(1, 100):02}")
    return dice.choice(("-", "-", " ")).join((*parts, f"{dice.randrange(1, 10000):04}"))


def key(dice: random.Random, _: Person) -> str:
    """A key or a token of some service."""
    return dice.choice(
        (
            lambda: f"AKIA{_some(dice, _B32, 16)}",
            lambda: f"ghp_{_some(dice, _B62, 36)}",
            lambda: f"sk-proj-{_some(dice, _B62 + '_-', 48)}{_some(dice, _B62, 8)}",
            lambda: f"sk_live_{_some(dice, _B62, 24)}",
            lambda: f"xoxb-{_digits(dice, 12)}-{_digits(dice, 12)}-{_some(dice, _B62, 24)}",
            lambda: f"AIza{_some(dice, _B62 + '_-', 34)}{_some(dice, _B62, 1)}",
            lambda: f"glpat-{_some(dice, _B62, 20)}",
            lambda: f"npm_{_some(dice, _B62, 36)}",
            lambda: f"hf_{_some(dice, _B62, 34)}",
            lambda: f"sk-ant-api03-{_some(dice, _B62 + '_-', 92)}AA",
            lambda: f"SG.{_some(dice, _B62, 22)}.{_some(dice, _B62, 43)}",
            lambda: f"eyJ{_some(dice, _B62, 33)}.eyJ{_some(dice, _B62, 60)}.{_some(dice, _B62 + '_-', 42)}x",
            lambda: _some(dice, _HEX, 40),
            lambda: f"{_some(dice, _B62, 40)}",
        )
    )()


def name(dice: random.Random, who: Person) -> str:
    """The name that the profile holds, as it is written in haste or in style."""
    first, last = who.first, who.last
    return dice.choice(
        (
            *(who.full, who.full, first, last, who.full.lower(), _bare(who.full)),
            *(f"{last.upper()} {first}", f"{first} {last.upper()}"),
        )
    )


def _bare(text: str) -> str:
    return text.translate(str.maketrans("éèêëàâîïôöûüçÉ", "eeeeaaiioouucE"))


def employer(_: random.Random, who: Person) -> str:
    """Where the profile says they work."""
    return who.employer


def spelt_out(dice: random.Random, who: Person) -> str:
    """An address that is written so that no machine reads it."""
    local, _, host = email(dice, who).lower().partition("@")
    return dice.choice((f"{local} (at) {host}", f"{local}[at]{host}", f"{local} @ {host}"))


KINDS: dict[str, Callable[[random.Random, Person], str]] = {
    "email": email,
    "phone FR": phone_fr,
    "phone US": phone_us,
    "phone UK": phone_uk,
    "phone DE": phone_de,
    "card": card,
    "IBAN": iban,
    "NIR": nir,
    "SSN": ssn,
    "key": key,
    "profile name": name,
    "profile value": employer,
    "email spelt out": spelt_out,
}
BESIDE = ("profile value", "email spelt out")
"""Kinds without a reach of their own."""

_CALL = (
    "You can {reach|call} me on <it>.",
    "my {number|mobile} is <it>",
    "Phone: <it>",
    "call me {back|} at <it> {please|after <hour>}",
)
_APPELER = (
    "Vous pouvez me joindre au <it>.",
    "mon {numéro|portable} : <it>",
    "Tél. <it>",
    "rappelez-moi au <it> {svp|après <hour>}",
)
CARRIERS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "email": (
            "My email is <it>.",
            "please {write|answer} to <it>, not here",
            "(<it>)",
            "Email: <it>",
            "the account is under <it>",
        ),
        "phone": _CALL,
        "card": ("The card is <it>, {exp 09/27|valid until 2027}.", "I paid with <it>", "card number: <it>"),
        "IBAN": ("Please refund to <it>.", "my account: <it>", "IBAN <it>", "the bank account is <it>, thanks"),
        "NIR": ("My French social security number is <it>.", "(sécu: <it>)"),
        "SSN": ("My SSN is <it>.", "social security number <it>, if you need it", "ssn: <it>"),
        "key": ("The API key is <it>.", "my token: <it>", "it says key=<it>", "I use the secret <it> in the app"),
        "profile name": (
            "My name is <it>.",
            "it's <it> again",
            "Regards, <it>",
            "The order is in the name of <it>.",
            "<it> here.",
        ),
        "profile value": ("I work at <it>.", "Please send it to <it>, my work.", "It was delivered to <it>."),
    },
    "fr": {
        "email": (
            "Mon mail est <it>.",
            "{écrivez|répondez} plutôt à <it> svp",
            "(<it>)",
            "Mail : <it>",
            "le compte est au nom de <it>",
        ),
        "phone": _APPELER,
        "card": (
            "La carte est la <it>, {exp. 09/27|valable jusqu'en 2027}.",
            "j'ai payé avec <it>",
            "numéro de carte : <it>",
        ),
        "IBAN": ("Merci de rembourser sur <it>.", "mon compte : <it>", "IBAN <it>", "mon RIB : <it>, merci"),
        "NIR": (
            "Mon numéro de sécurité sociale est le <it>.",
            "(n° sécu : <it>)",
            "NIR <it>",
            "ma carte vitale : <it>",
        ),
        "SSN": ("Mon numéro américain (SSN) est <it>.", "ssn : <it>"),
        "key": (
            "La clé d'API est <it>.",
            "mon jeton : <it>",
            "il y a key=<it>",
            "j'utilise le secret <it> dans l'appli",
        ),
        "profile name": (
            "Je m'appelle <it>.",
            "c'est encore <it>",
            "Cordialement, <it>",
            "La commande est au nom de <it>.",
            "Ici <it>.",
        ),
        "profile value": (
            "Je travaille chez <it>.",
            "Envoyez-la plutôt chez <it>, à mon travail.",
            "C'est livré chez <it>.",
        ),
    },
}
ECHOES = {
    "en": ("I have noted <it>.", "<it> is on file now.", "We {will use|have saved} <it>."),
    "fr": ("J'ai bien noté <it>.", "<it> est maintenant enregistré.", "Nous {utiliserons|avons gardé} <it>."),
}
NAMED = {
    "en": ("Dear <it>,", "Hello <it>,", "Thank you, <it>."),
    "fr": ("Bonjour <it>,", "Merci, <it>.", "Cher client, <it>,"),
}


def carriers(kind: str, language: str) -> tuple[str, ...]:
    """The sentences that a kind is written in."""
    known = CARRIERS[language]
    return known[kind] if kind in known else known[kind.split()[0]]
