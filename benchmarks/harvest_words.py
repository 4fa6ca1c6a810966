"""What people write about in support chats: words, and a small grammar of sentences.

`{a|b}` is one of its choices, `<name>` what fills a slot. Written for the benchmark of harvest, and
shared with nothing.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

Pieces = tuple["str | tuple[str, ...] | _Slot", ...]
_PIECE = re.compile(r"\{([^{}]*)\}|<(\w+)>")
_SYLLABLES = "ve lo ra ti no ka mi du fe sol bri pa zen qua or tal ju nex ri mar gol hu wes cam dri sa po lun".split()  # noqa: SIM905


class _Slot(str):
    """The name of a slot."""


@cache
def _pieces(template: str) -> Pieces:
    found: list[str | tuple[str, ...] | _Slot] = []
    at = 0
    for one in _PIECE.finditer(template):
        found.append(template[at : one.start()])
        found.append(tuple(one[1].split("|")) if one[2] is None else _Slot(one[2]))
        at = one.end()
    return (*found, template[at:])


def say(dice: random.Random, template: str, slots: Mapping[str, str | Callable[[random.Random], str]]) -> str:
    """A sentence of a template; a slot is a text, or makes one."""
    parts: list[str] = []
    for piece in _pieces(template):
        if isinstance(piece, _Slot):
            value = slots[piece]
            parts.append(value if isinstance(value, str) else value(dice))
        else:
            chosen = piece if isinstance(piece, str) else dice.choice(piece)
            parts.append(say(dice, chosen, slots) if "<" in chosen else chosen)
    return "".join(parts)


def _brands() -> Iterator[str]:
    dice = random.Random(77)
    for _ in range(160):
        yield "".join(dice.sample(_SYLLABLES, dice.choice((2, 2, 3)))).capitalize()


BRANDS = tuple(dict.fromkeys(_brands()))
THINGS = {
    "en": (  # noqa: SIM905
        "kettle|toaster|router|vacuum cleaner|lamp|bicycle helmet|coffee machine|keyboard|headset|printer|sofa|"
        "mattress|tent|rucksack|pushchair|drill|lawnmower|dishwasher|fridge|thermostat|doorbell|projector|scooter|heater|blender|"
        "raincoat|pair of boots|watch|tablet|speaker|garden hose|bookshelf|desk|freezer|oven|hair dryer|camera|monitor"
    ).split("|"),
    "fr": (  # noqa: SIM905
        "bouilloire|lampe|cafetière|imprimante|tente|poussette|perceuse|tondeuse|sonnette|trottinette|veste|montre|"
        "tablette|enceinte|étagère|friteuse|machine à laver|hotte|cuisinière|poêle|couette|balance|gourde|valise|"
        "guirlande|souris|manette|brouette|table basse|commode|plancha|guitare|glacière|écharpe|centrale vapeur"
    ).split("|"),
}
CITIES = {
    "en": "Leeds Bristol Denver Austin Cardiff Norwich Portland Boston Glasgow Exeter Tampa Omaha Derby Belfast "
    "Tucson Raleigh York Dundee Fresno Albany",
    "fr": "Lyon Nantes Rennes Lille Brest Nice Tours Dijon Metz Reims Angers Pau Limoges Colmar Annecy Vannes "
    "Amiens Bayonne Nancy Grenoble",
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday",
    "fr": "lundi mardi mercredi jeudi vendredi samedi",
}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
_COLOURS = {"en": "black white red grey green blue beige", "fr": "noir blanc rouge gris vert bleu beige"}
_PAGES = {
    "en": "Settings > Devices|My orders|Account > Billing|Help > Repairs|Profile > Security|Store finder",
    "fr": "Réglages > Appareils|Mes commandes|Compte > Facturation|Aide > Réparations|Profil > Sécurité|Mes retours",
}


def thing(dice: random.Random, language: str) -> str:
    """A product with a name of its own, such as `Velora K310 kettle`."""
    model = f"{dice.choice('ABDEHKLMPRSTVX')}{dice.randrange(10, 999)}"
    noun = dice.choice(THINGS[language])
    brand = dice.choice(BRANDS)
    return f"{brand} {model} {noun}" if language == "en" else f"{noun} {brand} {model}"


def amount(dice: random.Random, language: str) -> str:
    """A sum of money."""
    whole, cents = dice.randrange(3, 900), dice.randrange(100)
    if language == "fr":
        return dice.choice((f"{whole},{cents:02} €", f"{whole} €", f"{whole} euros"))
    return dice.choice((f"${whole}.{cents:02}", f"£{whole}", f"€{whole}.{cents:02}", f"{whole} dollars"))


def day(dice: random.Random, language: str) -> str:
    """A date as people write it."""
    number, month = dice.randrange(1, 29), dice.randrange(12)
    name = _MONTHS[language].split()[month]
    if language == "fr":
        return dice.choice((f"{number} {name}", f"{number:02}/{month + 1:02}/2025", f"{number:02}/{month + 1:02}"))
    return dice.choice(
        (f"{number} {name}", f"{name} {number}", f"{name} {number}, 2025", f"2025-{month + 1:02}-{number:02}")
    )


def reference(dice: random.Random) -> str:
    """The number of an order, a file or a parcel: nobody's data, and easily taken for some."""
    digits = "".join(dice.choices("0123456789", k=12))
    kind = dice.randrange(9)
    if kind == 0:
        return f"#{digits[:5]}"
    if kind == 1:
        return f"CMD-{digits[:5]}-{dice.choice('KLMNP')}"
    if kind == 2:
        return f"A{digits[0]}-{digits[1:6]}"
    if kind == 3:
        return f"4{digits[:7]}"
    if kind == 4:
        return f"25{digits[:4]}-{digits[4:8]}"
    if kind == 5:
        return f"{dice.choice('789')}{digits[:8]}"
    if kind == 6:
        return f"1Z{dice.choice('ABCDE')}{digits[:2]}{dice.choice('RVWX')}{digits[2:12]}"
    if kind == 7:
        return f"LB{digits[:9]}FR"
    return f"SAV/{digits[:4]}/2025"


def slots(language: str) -> dict[str, str | Callable[[random.Random], str]]:
    """What fills the slots of sentences in a language."""

    def one_of(words: str, apart: str | None = None) -> Callable[[random.Random], str]:
        choices = words.split(apart)
        return lambda dice: dice.choice(choices)

    return {
        "thing": lambda dice: thing(dice, language),
        "city": one_of(CITIES[language]),
        "day": lambda dice: day(dice, language),
        "weekday": one_of(_DAYS[language]),
        "month": one_of(_MONTHS[language]),
        "colour": one_of(_COLOURS[language]),
        "page": one_of(_PAGES[language], "|"),
        "amount": lambda dice: amount(dice, language),
        "ref": reference,
        "n": lambda dice: str(dice.randrange(2, 30)),
        "hour": lambda dice: _hour(dice, language),
        "version": lambda dice: f"{dice.randrange(1, 15)}.{dice.randrange(20)}.{dice.randrange(30)}",
        "percent": lambda dice: f"{dice.randrange(5, 95)}{' %' if language == 'fr' else '%'}",
        "code": lambda dice: f"{dice.choice('EFHW')}{dice.randrange(10, 99)}",
    }


def _hour(dice: random.Random, language: str) -> str:
    hour, minutes = dice.randrange(8, 20), dice.choice((0, 15, 30, 45))
    if language == "fr":
        return f"{hour}h{minutes:02}" if minutes else f"{hour} h"
    return f"{hour % 12 or 12}{f':{minutes:02}' if minutes else ''} {'am' if hour < 12 else 'pm'}"
