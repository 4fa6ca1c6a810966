"""Phone numbers reserved for fiction, and which of them are ours."""

from functools import lru_cache
from itertools import chain

from persona.harvest.personal.seal import is_ours, ours
from persona.harvest.personal.words import words

# national numbers: prefix, digits that follow. France: ARCEP, numbering plan, 2.5.12; Ofcom, numbers for use in drama;
# NANPA, 555-0100 to 555-0199; Bundesnetzagentur, Mitteilung 148/2021
_FRANCE = {"6": "63998", "7": "63998", "1": "19900", "2": "26191", "3": "35301", "4": "46571", "5": "53649"}
_BRITAIN = tuple(
    words("""
        7700900 2079460 1134960 1144960 1154960 1164960 1174960 1214960 1314960 1414960 1514960 1614960""")
)
_GERMANY = (("3023125", 3), ("6990009", 3), ("4066969", 3), ("2214710", 3), ("8999998", 3))
_GERMAN_MOBILE = (("17139200", 2), ("176040690", 2))
_AMERICA = tuple(
    words("""
        205 206 210 212 213 214 215 216 240 248 253 267 281 301 303 305 309 312 313 314 316 317 401 404 407 410 412
        414 415 419 425 443 469 480 501 502 503 504 505 509 510 512 513 515 518 559 561 562 602 612 614 615 616 617
        619 626 630 646 650 651 678 702 703 704 708 713 714 716 718 719 720 727 732 757 760 763 770 773 785 801 804
        805 808 813 815 816 817 818 847 858 860 901 904 908 909 913 914 916 917 919 925 937 949 952 954 972 973""")
)
OUR_STARTS = (*dict.fromkeys(_FRANCE.values()), "55501", *_BRITAIN, *(one for one, _ in (*_GERMANY, *_GERMAN_MOBILE)))
"""How the national numbers start that we hand out; after the area in America."""
_COUNTRIES = ("33", "44", "49", "1")
_FEW = 20  # a range of a hundred is shared out less thriftily
_UNGIVEN = "555"  # what a number of any other country starts with: few have given it out, and no range is reserved


def numbers_like(country: str, national: str) -> tuple[tuple[str, ...], ...]:
    """The national numbers that may stand for this one, range by range, the most alike first."""
    return _numbers(country, national[:2], len(national))


@lru_cache(maxsize=512)
def _numbers(country: str, start: str, length: int) -> tuple[tuple[str, ...], ...]:
    ranges: list[tuple[str, ...]] = []
    if country == "33":
        first = _FRANCE.get(start[0], _FRANCE["1"])
        ranges = [ours(f"33{one}", 4) for one in dict.fromkeys((first, *_FRANCE.values()))]
    elif country == "44":
        alike = sorted(_BRITAIN, key=lambda one: (one[:2] != start, one[0] != start[0], one[0] == "7"))
        ranges = [ours(f"44{one}", 3) for one in alike]
    elif country == "1":
        ranges = [_american()]
    elif country == "49":
        mobile = [ours(f"49{one}", digits, _FEW) for one, digits in _GERMAN_MOBILE if len(one) + digits == length]
        ranges = [*(mobile if start[0] == "1" else ()), *(ours(f"49{one}", digits) for one, digits in _GERMANY)]
    elif length > 5:
        digits = min(4, length - 3)
        ranges = [ours(f"{country}{_UNGIVEN}{'012345678'[: length - 3 - digits]}", digits)]
    return tuple(tuple(one[len(country) :] for one in numbers) for numbers in ranges)


def ours_among(digits: str) -> tuple[str, str] | None:
    """Country and number, where these digits, with or without country or zero, are a number that we made."""
    known = _known()
    at_home = digits[1:] if digits[0] in "01" else digits
    for number in (digits.removeprefix("00"), *(f"{country}{at_home}" for country in _COUNTRIES)):
        if number in known:
            return known[number]
        for country in _COUNTRIES:  # +44 (0)20 …
            if number.startswith(f"{country}0") and (found := known.get(country + number[len(country) + 1 :])):
                return found
    return None


def phone_is_ours(country: str, national: str) -> bool:
    """Whether we made this number."""
    if country in _COUNTRIES:
        return f"{country}{national}" in _known()
    return is_ours(f"{country}{national}") and any(national in one for one in numbers_like(country, national))


@lru_cache(maxsize=1)
def _known() -> dict[str, tuple[str, str]]:
    likes = [
        ("33", "612345678"),
        ("44", "7700900123"),
        ("1", "2125550123"),
        ("49", "1713920012"),
        ("49", "17604069012"),
    ]
    return {
        f"{country}{one}": (country, one)
        for country, like in likes
        for one in chain.from_iterable(numbers_like(country, like))
    }


@lru_cache(maxsize=1)
def _american() -> tuple[str, ...]:
    return tuple(chain.from_iterable(ours(f"1{area}55501", 2) for area in _AMERICA))
