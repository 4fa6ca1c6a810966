"""Messages with personal data in them, and messages that only look as if: to measure what finds it.

It makes numbers by drawing digits and working out check digits in its own way, and shares no code, pattern or template
with `persona`. The patterns have been mended on these sentences: what they score here says how they fit, not how they
do on other text.
"""

# ruff: noqa: E501, SIM905 - sayings are easier to read one a line

import base64
import hashlib
import random
import string
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Draw = random.Random


@dataclass(frozen=True, slots=True)
class Planted:
    """A message, what was planted in it, and for whom: the user's name, where the profile has one."""

    kind: str
    text: str
    secret: str
    region: str
    name: str = ""


def _digits(draw: Draw, count: int) -> str:
    return "".join(draw.choice(string.digits) for _ in range(count))


def _chars(draw: Draw, count: int, alphabet: str) -> str:
    return "".join(draw.choice(alphabet) for _ in range(count))


def _chop(text: str, *sizes: int) -> list[str]:
    pieces = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return [*pieces, text] if text else pieces


# ---- phones


def french(draw: Draw) -> str:
    nine = draw.choice("1234566677799") + _digits(draw, 8)
    pairs = _chop("0" + nine, 2, 2, 2, 2, 2)
    return draw.choice(
        [
            " ".join(pairs),
            " ".join(pairs),
            " ".join(pairs),
            ".".join(pairs),
            "-".join(pairs),
            "".join(pairs),
            "".join(pairs),
            "+33 " + nine[0] + " " + " ".join(pairs[1:]),
            "+33" + nine,
            "+33 (0)" + nine[0] + " " + " ".join(pairs[1:]),
            "0033 " + nine[0] + " " + " ".join(pairs[1:]),
            "0033" + nine,
            "+33." + nine[0] + "." + ".".join(pairs[1:]),
            "(+33) " + nine[0] + " " + " ".join(pairs[1:]),
            "\u00a0".join(pairs),
            "/".join(pairs),
            "+33-" + nine[0] + "-" + "-".join(pairs[1:]),
            "0" + nine[0] + nine[1:3] + " " + nine[3:6] + " " + nine[6:],
        ]
    )


def american(draw: Draw) -> str:
    area = draw.choice("23456789") + draw.choice("012345678") + draw.choice(string.digits)
    if area[1:] == "11":
        area = "415"
    office, line = draw.choice("23456789") + _digits(draw, 2), _digits(draw, 4)
    return draw.choice(
        [
            f"({area}) {office}-{line}",
            f"({area}) {office}-{line}",
            f"{area}-{office}-{line}",
            f"{area}-{office}-{line}",
            f"{area}.{office}.{line}",
            f"+1 {area} {office} {line}",
            f"+1-{area}-{office}-{line}",
            f"+1{area}{office}{line}",
            f"1-{area}-{office}-{line}",
            f"({area}){office}-{line}",
            f"{area} {office} {line}",
            f"+1 ({area}) {office}-{line}",
            f"1 ({area}) {office}-{line}",
            f"{area}{office}{line}",
            f"+1.{area}.{office}.{line}",
            f"001 {area} {office} {line}",
            f"{area} {office}-{line}",
        ]
    )


def british(draw: Draw) -> str:
    if draw.random() < 0.6:
        four, six = "7" + draw.choice("345789") + _digits(draw, 2), _digits(draw, 6)
        return draw.choice(
            [
                f"0{four} {six}",
                f"0{four} {six}",
                f"0{four}{six}",
                f"0{four} {six[:3]} {six[3:]}",
                f"+44 {four} {six}",
                f"+44{four}{six}",
                f"+44 (0){four} {six}",
                f"0044 {four} {six}",
                f"0{four}-{six}",
                f"+44 {four} {six[:3]} {six[3:]}",
                f"0{four}-{six[:3]}-{six[3:]}",
                f"(0{four}) {six}",
            ]
        )
    if draw.random() < 0.5:
        a, b = draw.choice("378") + _digits(draw, 3), _digits(draw, 4)
        return draw.choice(
            [f"020 {a} {b}", f"(020) {a} {b}", f"+44 20 {a} {b}", f"+44 (0)20 {a} {b}", f"020-{a}-{b}", f"020 {a}{b}"]
        )
    area, a, b = (
        draw.choice(["161", "121", "131", "141", "113", "117", "151"]),
        draw.choice("2345678") + _digits(draw, 2),
        _digits(draw, 4),
    )
    return draw.choice(
        [f"0{area} {a} {b}", f"(0{area}) {a} {b}", f"+44 {area} {a} {b}", f"0{area} {a}{b}", f"0{area}-{a}-{b}"]
    )


def german(draw: Draw) -> str:
    if draw.random() < 0.6:
        net = draw.choice(
            [
                "151",
                "152",
                "157",
                "160",
                "162",
                "163",
                "170",
                "171",
                "172",
                "173",
                "174",
                "175",
                "176",
                "177",
                "178",
                "179",
            ]
        )
        rest = draw.choice("123456789") + _digits(draw, 7 if net in ("151", "152", "157", "176") else 6)
        return draw.choice(
            [
                f"0{net} {rest}",
                f"0{net} {rest}",
                f"0{net}/{rest}",
                f"0{net}-{rest}",
                f"0{net}{rest}",
                f"+49 {net} {rest}",
                f"+49{net}{rest}",
                f"0049 {net} {rest}",
                f"+49 (0){net} {rest}",
                f"0{net} {rest[:3]} {rest[3:]}",
                f"0{net} / {rest}",
                f"+49 {net} {rest[:3]} {rest[3:5]} {rest[5:]}",
                f"(0{net}) {rest}",
            ]
        )
    area = draw.choice(["30", "40", "69", "89", "221", "211", "711", "341", "351", "511"])
    rest = draw.choice("23456789") + _digits(draw, draw.choice([5, 6, 7]))
    return draw.choice(
        [
            f"0{area} {rest}",
            f"0{area}/{rest}",
            f"(0{area}) {rest}",
            f"0{area}-{rest}",
            f"+49 {area} {rest}",
            f"+49 (0){area} {rest}",
            f"0{area} / {rest}",
            f"+49 (0) {area} {rest}",
            f"0{area} {rest[:3]} {rest[3:]}",
            f"0049 {area} {rest}",
        ]
    )


PHONE_SAYINGS = {
    "FR": [
        "Vous pouvez m'appeler au {} après 18 h, merci.", "mon portable c'est {}", "Mon numéro : {}", "Rappelez-moi au {} svp", "tel {}", "Tél. : {}",
        "je suis joignable au {} toute la journée", "voici mon 06 : {}", "Oui, le numéro est le {}.", "Le {} est mon fixe, et je n'ai pas de portable.",
        "Contactez ma femme ({}) si je ne réponds pas.", "C'est noté, nous vous rappellerons au {} demain matin.", "{}", "le livreur peut appeler {} avant de venir",
        "Bonjour,\nje n'ai toujours rien reçu.\nCordialement\n{}", "whatsapp {} ou sms", "Numéro de téléphone {} et l'adresse est la même",
    ],
    "US": [
        "You can reach me at {} after five.", "my cell is {}", "Call me back at {}, please", "phone: {}", "Phone number: {}", "Tel {} (home)",
        "text me on {} when the driver is near", "My husband's number is {} in case I don't pick up.", "Sure, we will call you at {} tomorrow.",
        "ok so my phone number is {} and my zip is the same", "Mobile {}", "please update my contact number to {}",
    ],
    "GB": [
        "Ring me on {} if the parcel comes early.", "my mobile's {}", "Mobile: {}", "you can call {} any time after six", "Please call me back on {}, ta",
        "The landline is {}, it's the only one we have.", "Tel: {}", "I'm on {} until noon", "We have {} on file as your phone number, is that right?",
    ],
    "DE": [
        "Sie erreichen mich unter {} ab 17 Uhr.", "meine Handynummer ist {}", "Tel.: {}", "Bitte rufen Sie mich unter {} zurück", "Telefon {}",
        "my number in Germany is {}", "call me at {}, I am in Berlin this week", "Meine Nummer: {}", "Mobil {}", "Rückruf gerne an {}, danke",
    ],
}  # fmt: skip


# ---- numbers with check digits


def card(draw: Draw) -> str:
    head, length = draw.choice(
        [
            ("4", 16),
            ("4", 16),
            ("4", 16),
            ("51", 16),
            ("52", 16),
            ("53", 16),
            ("54", 16),
            ("55", 16),
            ("2221", 16),
            ("2400", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("65", 16),
        ]
    )
    body = head + _digits(draw, length - len(head) - 1)
    total = 0
    for position, digit in enumerate(body[::-1], start=2):
        number = int(digit)
        if position % 2 == 0:
            number = number * 2 - 9 if number > 4 else number * 2
        total += number
    full = body + str((10 - total % 10) % 10)
    if length == 15:
        return draw.choice([full, " ".join(_chop(full, 4, 6, 5)), "-".join(_chop(full, 4, 6, 5))])
    return draw.choice(
        [
            full,
            " ".join(_chop(full, 4, 4, 4, 4)),
            " ".join(_chop(full, 4, 4, 4, 4)),
            "-".join(_chop(full, 4, 4, 4, 4)),
            "\u00a0".join(_chop(full, 4, 4, 4, 4)),
        ]
    )


CARD_SAYINGS = [
    "my card is {} exp 09/27",
    "Card number: {}",
    "The payment with {} was declined twice.",
    "Voici ma carte bancaire : {}, expire 11/28",
    "numéro de carte {}",
    "I was charged on {} but I never ordered that",
    "{}",
    "j'ai payé avec la carte {} et rien ne vient",
    "Meine Kreditkarte {} wurde abgelehnt",
    "CB {} cvv 123",
    "please charge it to {} instead of the old one",
    "visa {}",
]

_BANKS = {
    "FR": lambda d: _digits(d, 10) + _digits(d, 11) + _digits(d, 2), "DE": lambda d: _digits(d, 18), "GB": lambda d: _chars(d, 4, string.ascii_uppercase) + _digits(d, 14),
    "ES": lambda d: _digits(d, 20), "IT": lambda d: _chars(d, 1, string.ascii_uppercase) + _digits(d, 22), "NL": lambda d: _chars(d, 4, string.ascii_uppercase) + _digits(d, 10),
    "BE": lambda d: _digits(d, 12), "CH": lambda d: _digits(d, 17), "PT": lambda d: _digits(d, 21), "AT": lambda d: _digits(d, 16), "LU": lambda d: _digits(d, 16),
    "IE": lambda d: _chars(d, 4, string.ascii_uppercase) + _digits(d, 14),
}  # fmt: skip


def iban(draw: Draw) -> str:
    country = draw.choice([*_BANKS, "FR", "FR", "DE", "GB"])
    account = _BANKS[country](draw)
    number = "".join(one if one.isdigit() else str(ord(one) - ord("A") + 10) for one in account + country + "00")
    whole = country + str(98 - int(number) % 97).zfill(2) + account
    fours = [whole[at : at + 4] for at in range(0, len(whole), 4)]
    return draw.choice(
        [whole, " ".join(fours), " ".join(fours), "-".join(fours), whole.lower(), " ".join(fours).lower()]
    )


IBAN_SAYINGS = [
    "mon IBAN : {}",
    "Please refund to {}.",
    "IBAN {}",
    "Voici mon RIB, {} , merci de faire le virement",
    "The account is {} at my bank",
    "Meine IBAN lautet {}",
    "remboursez sur {} svp",
    "{}",
    "virement vers {} effectué hier",
    "You can wire it to {} (my savings account)",
]


def nir(draw: Draw) -> str:
    place = draw.choice([f"{draw.randint(1, 95):02}", f"{draw.randint(1, 95):02}", "2A", "2B", "99"])
    if place == "20":
        place = "21"
    body = (
        draw.choice("12")
        + f"{draw.randint(30, 99):02}"
        + f"{draw.randint(1, 12):02}"
        + place
        + f"{draw.randint(1, 500):03}"
        + f"{draw.randint(1, 700):03}"
    )
    value = int(body.replace("2A", "20").replace("2B", "20")) - (
        1000000 if "2A" in body else 2000000 if "2B" in body else 0
    )
    key = f"{97 - value % 97:02}"
    parts = _chop(body, 1, 2, 2, 2, 3, 3)
    return draw.choice(
        [
            body + key,
            " ".join([*parts, key]),
            " ".join([*parts, key]),
            " ".join(parts) + "  " + key,
            body + " " + key,
            ".".join([*parts, key]),
            "-".join([*parts, key]),
        ]
    )


NIR_SAYINGS = [
    "mon numéro de sécu est {}",
    "N° de sécurité sociale : {}",
    "NIR {}",
    "Je suis née à Lyon, sécu {}, pouvez-vous vérifier mon dossier ?",
    "{}",
    "le numéro {} est bien le mien",
    "ma carte vitale indique {}",
    "assuré {} depuis 2004",
    "my French social security number is {}",
]


def ssn(draw: Draw) -> str:
    area = draw.choice([n for n in range(1, 900) if n != 666])
    group, serial = draw.randint(1, 99), draw.randint(1, 9999)
    return draw.choice([f"{area:03}-{group:02}-{serial:04}"] * 4 + [f"{area:03} {group:02} {serial:04}"])


SSN_SAYINGS = [
    "my SSN is {}",
    "Social Security number: {}",
    "social: {}",
    "I need to correct my social security number, it is {}",
    "SSN {} and my last name changed",
    "for the credit check: ssn {}",
    "The social on file ends wrong, mine is {}.",
]


# ---- what machines read

_PEOPLE = "jean marie sophie lucas emma thomas julie nicolas camille anna peter john mary susan karl heinz petra olivia noah ava dupont martin bernard smith jones brown müller schmidt weber leroy moreau taylor wilson".split()
_MAIL = "gmail.com gmail.com yahoo.fr orange.fr free.fr wanadoo.fr hotmail.com outlook.com laposte.net web.de gmx.de t-online.de btinternet.com icloud.com proton.me acme-corp.co.uk uni-koeln.de sfr.fr example.com mycompany.io dupont-freres.com sub.mail.example.org".split()


def email(draw: Draw) -> str:
    first, last = draw.choice(_PEOPLE), draw.choice(_PEOPLE)
    plain = (first + last).encode("ascii", "ignore").decode()
    first, last = (one.encode("ascii", "ignore").decode() for one in (first, last))
    local = draw.choice(
        [
            f"{first}.{last}",
            f"{first}{last}",
            f"{first[0]}.{last}",
            f"{first}_{last}",
            f"{first}{draw.randint(1, 99)}",
            f"{first}.{last}+shop",
            f"{first}-{last}",
            plain + str(draw.randint(1950, 2009)),
            f"{first}.{last}.{draw.randint(1, 9)}",
        ]
    )
    domain = draw.choice(_MAIL)
    shown = f"{local}@{domain}"
    other = draw.random()
    if other < 0.06:
        return shown.upper()
    if other < 0.12:
        return shown.title()
    if other < 0.15:
        return f"{local} (at) {domain}"
    if other < 0.18:
        return f"{local}[at]{domain}"
    return shown


EMAIL_SAYINGS = [
    "write to {}",
    "mon mail c'est {}",
    "E-mail : {}",
    "you can send it to {}, thanks",
    "<{}>",
    "Contact: {}.",
    "({})",
    "mailto:{}",
    "mon adresse {} ne marche plus",
    "it's {}!",
    "from {} to nobody",
    "Bonjour, merci d'envoyer la facture à {} et de garder une copie.",
    "{}",
    '"{}" is what I registered with',
    "cc {};",
    "login={}&ok",
]


def key(draw: Draw) -> str:
    b62 = string.ascii_letters + string.digits
    b64url = b62 + "-_"
    return draw.choice(
        [
            lambda: "sk-" + _chars(draw, 48, b62),
            lambda: "sk-proj-" + _chars(draw, 60, b64url).strip("-_") + "9",
            lambda: "sk-ant-api03-" + _chars(draw, 60, b62),
            lambda: "ghp_" + _chars(draw, 36, b62),
            lambda: "gho_" + _chars(draw, 36, b62),
            lambda: "github_pat_" + _chars(draw, 22, b62) + "_" + _chars(draw, 59, b62),
            lambda: "AKIA" + _chars(draw, 16, string.ascii_uppercase + string.digits),
            lambda: "ASIA" + _chars(draw, 16, string.ascii_uppercase + "234567"),
            lambda: "xoxb-" + _digits(draw, 12) + "-" + _digits(draw, 12) + "-" + _chars(draw, 24, b62),
            lambda: "xoxp-" + _digits(draw, 11) + "-" + _digits(draw, 11) + "-" + _chars(draw, 32, "0123456789abcdef"),
            lambda: "AIza" + _chars(draw, 35, b62),
            lambda: _jwt(draw),
            lambda: "sk_live_" + _chars(draw, 24, b62),
            lambda: "rk_live_" + _chars(draw, 24, b62),
            lambda: "glpat-" + _chars(draw, 20, b62),
            lambda: "hf_" + _chars(draw, 34, string.ascii_letters),
            lambda: "npm_" + _chars(draw, 36, b62),
            lambda: "SG." + _chars(draw, 22, b62) + "." + _chars(draw, 43, b62),
            lambda: _chars(draw, 40, b62 + "+/"),
            lambda: _chars(draw, 43, b62),
            lambda: _chars(draw, 32, b62),
        ]
    )()


def _jwt(draw: Draw) -> str:
    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    return ".".join(
        [
            part(b'{"alg":"HS256","typ":"JWT"}'),
            part(f'{{"sub":"{_digits(draw, 10)}","name":"x"}}'.encode()),
            part(draw.randbytes(32)),
        ]
    )


KEY_SAYINGS = [
    "my key is {}",
    "export API_KEY={}",
    "Authorization: Bearer {}",
    "it says 401 with {}",
    "here is the token: {}",
    'api_key = "{}"',
    "la clé est {} et ça ne marche pas",
    "{}",
    "curl -H 'X-Api-Key: {}' https://api.host.dev/v1",
    "client = Client(token='{}')",
    "secret: {}",
    "I pasted {} by mistake, can you rotate it?",
    '{{"token": "{}"}}',
]


def pem(draw: Draw) -> str:
    body = base64.b64encode(draw.randbytes(300)).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    kind = draw.choice(["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"])
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"


# ---- names from the profile

_NAMES = (
    "Camille Durand;Jean-Pierre Lefèvre;Élodie Marchand-Roy;François Müller;Aïcha Benali;Ada Lovelace;Mary Ann O'Connor;Siobhán Murphy;Thomas de La Tour;Zoë Kravitz;"
    "Noémie Hélias;José García;Björn Åkesson;Priya Ramanathan;Giulia Rossi;Kwame Mensah;Jürgen Weiß;Nguyễn Văn Anh;Tatiana Kowalska;Guillaume Tremblay;Rose Martin;Will Turner;"
    "Mark Baker;Claire Petit;Grace Hopper;Olivier Blanc;Hope Young;Marguerite Leblanc;Yasmine;Théophile;Bartholomew;Ngozi;Sven;Xiomara"
).split(";")


def named(draw: Draw) -> tuple[str, str, str]:
    """A message with the user's name, the name in the profile, and how it is written there."""
    name = draw.choice(_NAMES)
    words = name.split()
    common = words[0] in {"Rose", "Will", "Mark", "Claire", "Grace", "Hope", "Olivier", "Marguerite"}
    spelt = draw.choice([name, name, name, words[0], words[0], words[-1]])
    last = spelt == words[-1] and len(words) > 1
    if not common:
        spelt = draw.choice([spelt, spelt, spelt, spelt.upper(), spelt.lower(), _bare(spelt)])
    sayings = [
        "My name is {}.",
        "je m'appelle {}",
        "Bonjour {}, comment puis-je vous aider ?",
        "Thank you, {}!",
        "Hi {}, your parcel has left.",
        "Merci {}.",
        "Best regards,\n{}",
        "Cordialement,\n{}",
        "This is {} again",
        "Hello, {} here, I have a question about my invoice.",
        "Dear {},\nthank you for writing.",
        "moi c'est {}",
        "The account belongs to {}.",
        "C'est {} à l'appareil",
        "it is for {}, not for my brother",
        "Of course, {}. Let me look into that.",
        "{}'s order has not come yet",
    ]
    if last:
        sayings = [
            "Mr {} has called.",
            "Bonjour Madame {}",
            "Dear Ms {},",
            "Monsieur {} est passé ce matin.",
            "the name on the bell is {}",
            "M. {} attend une réponse",
        ]
    return draw.choice(sayings).format(spelt), name, spelt


def _bare(text: str) -> str:
    import unicodedata

    return "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))


# ---- clean messages that look as if


def _isbn13(draw: Draw) -> str:
    body = "978" + draw.choice("0123") + _digits(draw, 8)
    check = (10 - sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body)) % 10) % 10
    whole = body + str(check)
    return draw.choice([whole, f"{whole[:3]}-{whole[3]}-{whole[4:6]}-{whole[6:12]}-{whole[12]}"])


def _date(draw: Draw) -> str:
    y, m, d = draw.randint(1990, 2027), draw.randint(1, 12), draw.randint(1, 28)
    return draw.choice(
        [
            f"{y}-{m:02}-{d:02}",
            f"{d:02}/{m:02}/{y}",
            f"{d:02}.{m:02}.{y}",
            f"{m}/{d}/{y}",
            f"{d:02}-{m:02}-{y}",
            f"{d:02}/{m:02}/{y % 100:02}",
            f"{y}{m:02}{d:02}",
            f"{y}-{m:02}-{d:02}T{d % 24:02}:{m:02}:00Z",
            f"{d:02} {m:02} {y}",
        ]
    )


CLEAN: Sequence[Callable[[Draw], str]] = (
    lambda d: f"Your order number is {_digits(d, d.choice([6, 8, 9, 10, 12]))}, it ships on Monday.",
    lambda d: f"Ma commande n° {_digits(d, d.choice([7, 9, 10, 11]))} n'est pas arrivée.",
    lambda d: f"order #{_digits(d, 3)}-{_digits(d, 7)}-{_digits(d, 7)} is still pending",
    lambda d: f"Invoice INV-{d.randint(2019, 2027)}-{_digits(d, 5)} is due on {_date(d)}.",
    lambda d: f"la facture F{d.randint(2019, 2027)}{_digits(d, 6)} du {_date(d)} est fausse",
    lambda d: f"Tracking 1Z{_chars(d, 16, string.digits + 'AEXW')} says delivered.",
    lambda d: f"colis 6A{_digits(d, 11)} bloqué depuis le {_date(d)}",
    lambda d: f"tracking number {_digits(d, 4)} {_digits(d, 4)} {_digits(d, 4)} please",
    lambda d: f"USPS tracking 9400 1{_digits(d, 3)} {_digits(d, 4)} {_digits(d, 4)} {_digits(d, 4)} {_digits(d, 2)}",
    lambda d: f"DHL JD0146{_digits(d, 14)} has not moved",
    lambda d: f"It costs {d.randint(1, 9999):,}.{_digits(d, 2)} dollars, or {d.randint(1, 99)} 000 € with the option.",
    lambda d: (
        f"Le total est de {d.randint(1, 9)} {_digits(d, 3)} {_digits(d, 3)},{_digits(d, 2)} € TTC, TVA 20 % comprise."
    ),
    lambda d: (
        f"revenue rose from 1 {_digits(d, 3)} {_digits(d, 3)} to 2 {_digits(d, 3)} {_digits(d, 3)} between 2019 and 2023"
    ),
    lambda d: f"The population was {d.randint(1, 99)},{_digits(d, 3)},{_digits(d, 3)} in {d.randint(1950, 2025)}.",
    lambda d: f"the meeting is on {_date(d)} at {d.randint(8, 19)}:{_digits(d, 1)}0",
    lambda d: f"Du {_date(d)} au {_date(d)}, fermeture annuelle.",
    lambda d: (
        f"{_date(d)} {d.randint(10, 23)}:{d.randint(10, 59)}:{d.randint(10, 59)},{_digits(d, 3)} INFO worker-{_digits(d, 1)} finished in {_digits(d, 4)} ms"
    ),
    lambda d: (
        f"we run version {d.randint(1, 20)}.{d.randint(0, 40)}.{d.randint(0, 99)} and {d.randint(1, 9)}.{d.randint(0, 9)}.{d.randint(0, 9)}.{d.randint(0, 9)} of the plugin"
    ),
    lambda d: f"Chrome/{d.randint(90, 130)}.0.{_digits(d, 4)}.{d.randint(10, 200)} on Windows 10.0.19045",
    lambda d: (
        f"pip install numpy=={d.randint(1, 2)}.{d.randint(10, 30)}.{d.randint(0, 9)} torch==2.{d.randint(0, 9)}.1+cu{_digits(d, 3)}"
    ),
    lambda d: (
        f"see section {d.randint(1, 9)}.{d.randint(1, 9)}.{d.randint(1, 9)}.{d.randint(1, 30)} of the manual, page {_digits(d, 3)}"
    ),
    lambda d: f"ISBN {_isbn13(d)} is out of print",
    lambda d: f"ISBN-10: {d.choice('012')}-{_digits(d, 3)}-{_digits(d, 5)}-{d.choice(string.digits + 'X')}",
    lambda d: f"the book {_isbn13(d)} at page {_digits(d, 3)}",
    lambda d: f"EAN {_digits(d, 13)} n'est pas dans le catalogue",
    lambda d: f"commit {hashlib.sha1(d.randbytes(8), usedforsecurity=False).hexdigest()} broke the build",
    lambda d: (
        f"fixed in {hashlib.sha1(d.randbytes(8), usedforsecurity=False).hexdigest()[: d.choice([7, 8, 10, 12])]}, thanks"
    ),
    lambda d: f"md5sum gives {hashlib.md5(d.randbytes(8), usedforsecurity=False).hexdigest()} for the file",
    lambda d: f"sha256:{hashlib.sha256(d.randbytes(8)).hexdigest()}",
    lambda d: f'integrity="sha384-{base64.b64encode(d.randbytes(48)).decode()}" crossorigin',
    lambda d: f'"integrity": "sha512-{base64.b64encode(d.randbytes(64)).decode()}",',
    lambda d: f"the request id was {uuid.UUID(bytes=d.randbytes(16), version=4)} on our side",
    lambda d: f"trace {str(uuid.UUID(bytes=d.randbytes(16), version=4)).replace('-', '')} took {_digits(d, 4)} ms",
    lambda d: f"data:image/png;base64,{base64.b64encode(d.randbytes(90)).decode()}",
    lambda d: f"x = {d.randint(1, 999)} * {_digits(d, 3)}.{_digits(d, 4)} + {_digits(d, 7)}",
    lambda d: f"3.14159265358979{_digits(d, 6)} and 2.718281828{_digits(d, 5)}",
    lambda d: (
        f"{_digits(d, 4)}-{_digits(d, 4)} is {d.randint(1, 9)}, isn't it? and 10^{d.randint(3, 20)} - 1 is prime?"
    ),
    lambda d: (
        f"np.random.seed({_digits(d, 8)}); x[{_digits(d, 2)}:{_digits(d, 3)}] = 0x{_chars(d, 8, '0123456789abcdef')}"
    ),
    lambda d: "for i in range(1000000): total += values[i] * 0.000001  # 123456789",
    lambda d: "def get_user_by_email_address_v2(self, email: str) -> User | None: return self.users.get(email)",
    lambda d: "@pytest.mark.parametrize('a, b', [(1, 2), (3, 4)])\n@app.route('/api/v1/users/<int:id>')",
    lambda d: "npm i react@18.2.0 @types/node@20.11.5 lodash@4.17.21",
    lambda d: "git clone git@github.com:acme/widgets.git && cd widgets",
    lambda d: "the icon is logo@2x.png, use @media (min-width: 1024px)",
    lambda d: "follow us @acme_official or #sale2024",
    lambda d: "password: must have 8 characters, one digit and one capital",
    lambda d: "password = getpass.getpass(); token = os.environ['API_TOKEN']",
    lambda d: "api_key = YOUR_API_KEY_HERE_12345  # replace it",
    lambda d: "Set the token in settings.py: TOKEN = config('TOKEN', default=None)",
    lambda d: "max_tokens: 4096, key: value2, tokens: 128000",
    lambda d: "Use sklearn's sk-learn-contrib package and sk-estimator-html-doc-link",
    lambda d: f"https://docs.python.org/3.{d.randint(8, 14)}/library/re.html#re.compile explains it",
    lambda d: (
        f"https://www.youtube.com/watch?v={_chars(d, 11, string.ascii_letters + string.digits)}&t={_digits(d, 3)}s"
    ),
    lambda d: (
        f"https://shop.example.fr/p/chaussures-running-{_digits(d, 8)}?color=bleu&size={d.randint(36, 46)}&utm_source=newsletter_2024_03"
    ),
    lambda d: (
        f"http://localhost:{d.randint(3000, 9999)}/login and 127.0.0.1:{d.randint(3000, 9999)} or 192.168.{d.randint(0, 9)}.{d.randint(2, 250)}"
    ),
    lambda d: f"s3://bucket-{_digits(d, 4)}/2024/03/{_digits(d, 2)}/part-{_digits(d, 5)}-of-{_digits(d, 5)}.parquet",
    lambda d: f"IPv4 has 4294967296 addresses, a /24 has 256; the mask is 255.255.255.{d.choice(['0', '128', '192'])}",
    lambda d: "12:30:45, then 08:15 - 17:45, and again 20:00-22:00",
    lambda d: "std::vector<int>::iterator it = v.begin(); a::b::c",
    lambda d: f"MAC 00:1b:44:11:3a:{_chars(d, 2, '0123456789abcdef')} of the printer",
    lambda d: f"IMEI 35{_digits(d, 13)} is locked",
    lambda d: f"serial number C02{_chars(d, 9, string.ascii_uppercase + string.digits)}",
    lambda d: (
        f"SIRET {_digits(d, 3)} {_digits(d, 3)} {_digits(d, 3)} {_digits(d, 5)} et TVA FR{_digits(d, 2)} {_digits(d, 9)}"
    ),
    lambda d: f"RCS Paris B {_digits(d, 3)} {_digits(d, 3)} {_digits(d, 3)}",
    lambda d: (
        f"Flight AF{_digits(d, 4)} leaves at {d.randint(10, 23)}:{d.randint(10, 59)} from gate K{_digits(d, 2)}, booking {_chars(d, 6, string.ascii_uppercase)}"
    ),
    lambda d: f"train TGV {_digits(d, 4)} voiture {_digits(d, 2)} place {_digits(d, 2)}",
    lambda d: f"The Samsung Galaxy S{d.randint(10, 25)} SM-G{_digits(d, 3)}B and the Sony WH-1000XM5",
    lambda d: f"RTX {d.choice(['3080', '4090'])} 24GB, Core i7-{_digits(d, 5)}K, DDR5-6000 CL30-38-38-96",
    lambda d: f"part no. {_digits(d, 3)}-{_digits(d, 2)}-{_digits(d, 4)} fits the 2015 model",
    lambda d: f"ref. {_digits(d, 2)}.{_digits(d, 2)}.{_digits(d, 2)}.{_digits(d, 2)}.{_digits(d, 2)} du catalogue",
    lambda d: f"Article L{_digits(d, 3)}-{_digits(d, 2)} du code de la consommation, loi n° 78-17 du 6 janvier 1978",
    lambda d: "Le loto du samedi : 05 12 23 34 45 49, numéro chance 7",
    lambda d: "01 02 03 04 05 06 07 08 09 10",
    lambda d: f"GPS {d.randint(1, 89)}.{_digits(d, 6)}, {d.randint(1, 179)}.{_digits(d, 6)}",
    lambda d: f"score 3-2, 6-4 7-5 6-3, and {_digits(d, 3)}-{_digits(d, 3)} at half time",
    lambda d: f"lines {_digits(d, 4)}-{_digits(d, 4)} of {_digits(d, 6)}",
    lambda d: f"unix time {d.randint(1500000000, 1900000000)} and {d.randint(1500000000000, 1900000000000)} in ms",
    lambda d: f"timestamp={d.randint(1500000000, 1900000000)} user_id={_digits(d, 10)} session closed",
    lambda d: f'"id": {_digits(d, 10)}, "parent": {_digits(d, 12)}, "size": {_digits(d, 7)}',
    lambda d: f"ticket {_digits(d, 7)} and case {_digits(d, 8)} are the same",
    lambda d: f"account number {_digits(d, 8)}, sort of a test",
    lambda d: f"PO {_digits(d, 10)}/{_digits(d, 3)} rev {d.choice('ABCD')}",
    lambda d: f"doi:10.{_digits(d, 4)}/j.cell.{d.randint(2000, 2025)}.{_digits(d, 2)}.{_digits(d, 3)}",
    lambda d: f"arXiv:{_digits(d, 4)}.{_digits(d, 5)}v{d.randint(1, 5)} cites {_digits(d, 2)} papers",
    lambda d: f"CVE-{d.randint(2015, 2025)}-{_digits(d, 5)} is fixed in 1.1.1{d.choice('abcdefgh')}",
    lambda d: f"RFC {_digits(d, 4)}, ISO 27001:2022, EN 13485, IEC 60601-1-{d.randint(1, 12)}",
    lambda d: f"the bus {_digits(d, 3)} stops at 2 places, then 3 cours d'eau and 4 routes",
    lambda d: "J'ai 2 places pour le concert, et 3 cours de maths mardi à 10 h",
    lambda d: "In 2023 Wall Street lost 20 percent; 5 Star Way of life.",
    lambda d: "Il y a 1 chemin possible, 12 allées et venues, et 20 avenues dans le quartier.",
    lambda d: "The museum was founded in 1793 and the bridge built in 1889, at a cost of 7799401 francs.",
    lambda d: f"La société est née en {d.randint(1900, 2010)}, l'anniversaire est fêté chaque année depuis.",
    lambda d: f"a star is born every {_digits(d, 3)} years, the report of {_date(d)} says",
    lambda d: f"expiry {d.randint(1, 12):02}/{d.randint(25, 31)}, batch {_digits(d, 6)}, lot L{_digits(d, 7)}",
    lambda d: f"dimensions 1200 x 800 x {_digits(d, 3)} mm, 12-24V, 50/60 Hz, 0.75-1.5 mm2",
    lambda d: f"add {_digits(d, 3)} g flour, 2 x 125 ml milk, 180 °C for 30-35 min",
    lambda d: f"20{_digits(d, 2)}-20{_digits(d, 2)} season, 1st of 20, 38-{_digits(d, 2)}",
    lambda d: (
        f"hex #{_chars(d, 6, '0123456789abcdef')} rgb({_digits(d, 2)}, {_digits(d, 2)}, {_digits(d, 2)}) 0xDEADBEEF"
    ),
    lambda d: f"byte dump: 4d 5a 90 00 03 00 00 00 {_chars(d, 2, '0123456789')} 00 ff ff",
    lambda d: f"00:0{d.randint(1, 9)}:12.{_digits(d, 3)} --> 00:0{d.randint(1, 9)}:19.{_digits(d, 3)}",
    lambda d: (
        f"getElementById('btn{_digits(d, 2)}') MyVeryLongClassNameFactory2Builder3Impl HTTPServer2XMLParserV3Beta"
    ),
    lambda d: "AbstractSingletonProxyFactoryBean.getObject1() / com.acme.foo2.BarBazQux3Impl$Inner4",
    lambda d: (
        f"/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.{d.randint(10, 40)} and C:\\Users\\Public\\App{_digits(d, 2)}\\v2.{d.randint(0, 9)}"
    ),
    lambda d: (
        f"model-00001-of-00008.safetensors, Llama-3.1-8B-Instruct-Q4_K_M.gguf, run_{_digits(d, 8)}_{_digits(d, 6)}"
    ),
    lambda d: f"kubectl get pod web-7d4b9c6f8{_chars(d, 1, 'bcdf')}-{_chars(d, 5, 'bcdfghjklmnpqrstvwxz24567')}",
    lambda d: f"docker pull nginx@sha256:{hashlib.sha256(d.randbytes(4)).hexdigest()}",
    lambda d: f'ETag: W/"{_chars(d, 24, "0123456789abcdef")}" Content-Length: {_digits(d, 7)}',
    lambda d: "Roses are red, violets are blue, and the rose is a flower. Will you mark the bill in May?",
    lambda d: "On peut rentrer un grand meuble blanc dans un petit salon clair ; la rose est rouge.",
    lambda d: "Nous livrons en 3 à 5 jours ouvrés, sans frais dès 49,90 €, partout en France.",
    lambda d: "You can return it within 30 days; the refund takes 5-7 business days.",
    lambda d: "Reset it: hold the button 10 seconds, wait for 3 blinks, then call support from the app.",
    lambda d: f"the 2-year plan is 12 x {d.randint(10, 99)}.99 per month, code SAVE{d.randint(10, 50)}",
    lambda d: f"promo code {_chars(d, 8, string.ascii_uppercase + string.digits)} gives 15 %",
    lambda d: f"licence plate {_chars(d, 2, 'ABCDEFGH')}-{_digits(d, 3)}-{_chars(d, 2, 'ABCDEFGH')} parked twice",
    lambda d: "Call function 2000-4000 times; reach 100-200 users; contact 5 10 15 people",
    lambda d: f"appel à projets 2024-2025, dossier {_digits(d, 4)}-{_digits(d, 4)}",
    lambda d: "channel 5, room 415-555, table 12, seats 20 30 40",
)


def plant(draw: Draw, kind: str) -> Planted:
    """A message with one thing of a kind in it."""
    if kind == "name":
        text, name, spelt = named(draw)
        return Planted(kind, text, spelt, draw.choice(["FR", "US", "GB"]), name)
    if kind.startswith("phone"):
        region = kind.split()[1]
        make = {"FR": french, "US": american, "GB": british, "DE": german}[region]
        secret = make(draw)
        saying = draw.choice(PHONE_SAYINGS[region])
        if region == "US" and secret.isdigit() and saying == "{}":
            saying = "phone {}"
        return Planted(kind, saying.replace("{}", secret), secret, region)
    make, sayings = {
        "email": (email, EMAIL_SAYINGS), "card": (card, CARD_SAYINGS), "iban": (iban, IBAN_SAYINGS), "nir": (nir, NIR_SAYINGS), "ssn": (ssn, SSN_SAYINGS), "key": (key, KEY_SAYINGS),
        "pem": (pem, ["here it is:\n{}", "{}\nis my key"]),
    }[kind]  # fmt: skip
    secret = make(draw)
    return Planted(kind, draw.choice(sayings).replace("{}", secret), secret, draw.choice(["FR", "US", "GB", "DE"]))


KINDS = ("email", "phone FR", "phone US", "phone GB", "phone DE", "card", "iban", "nir", "ssn", "key", "pem", "name")
