"""Dates of birth: a whole date, near words that say so."""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from persona.harvest.personal.seal import is_ours
from persona.harvest.personal.values import Span
from persona.harvest.personal.wide import AFTER, BEFORE
from persona.harvest.personal.words import words

_MONTHS = {
    "en": words("""
        January February March April May June July August September October November December"""),
    "fr": words("""
        janvier février mars avril mai juin juillet août septembre octobre novembre décembre"""),
    "de": words("""
        Januar Februar März April Mai Juni Juli August September Oktober November Dezember"""),
}
_SHORT = {"fevrier": 2, "aout": 8, "decembre": 12, "sept": 9} | {
    name.lower()[:3]: at + 1 for at, name in enumerate(_MONTHS["en"])
}
_NUMBER = {name.lower(): at + 1 for names in _MONTHS.values() for at, name in enumerate(names)} | _SHORT
_NAMES = "|".join(sorted(_NUMBER, key=len, reverse=True))
_YEAR = r"((?:19|20)\d\d)(?!\d)"
_SHAPES = (
    ("ymd", re.compile(r"(?<!\d)((?:19|20)\d\d)([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")),
    ("dmy", re.compile(r"(?<![\d/.-])(\d{1,2})(\s?[/.\- ]\s?)(\d{1,2})\2((?:19|20)\d\d|\d\d)(?!\d)")),
    (
        "dMy",
        re.compile(
            rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s(?:of\s)?"
            rf"({_NAMES})\.?,?\s{_YEAR}",
            re.IGNORECASE,
        ),
    ),
    ("Mdy", re.compile(rf"(?<!\w)({_NAMES})\.?\s(?:the\s)?(\d{{1,2}})(?:st|nd|rd|th)?,?\s{_YEAR}", re.IGNORECASE)),
)
_SAYS = re.compile(
    r"\b(?:born|birth ?(?:day|date)|date of birth|d\.?o\.?b\b|née?s?\b(?:\(e\))?|naiss\w+|naquit|anniversaire|"
    r"geboren|geburts\w+)",
    re.IGNORECASE,
)
_WORD = (
    f"{BEFORE}(?i:born|birth ?(?:day|date)|date of birth|d\\.?o\\.?b{AFTER}|née?s?{AFTER}|naiss|naquit|anniversaire|"
    f"geboren|geburts)"
)
SIGNS = {"birth": rf"{_WORD}[^!?\x000-9]*[0-9]|[0-9][^.!?\n\x000-9]*{_WORD}"}  # nothing of this between the two
_ORDINAL = re.compile(r"(?<!\d)([12]\d)(st|nd|rd|th|er)\b", re.IGNORECASE)
_NEAREST = 3  # words of birth that are looked at before a date
_BEFORE, _AFTER = 56, 36
_FIRST_YEAR, _PIVOT = 1900, 30  # two digits below the pivot are of this century


def find_births(text: str, regions: Sequence[str] = ()) -> Iterator[Span]:
    """Every date near words of birth. In the United States the month comes first."""
    places = [(found.start(), found.end()) for found in _SAYS.finditer(text)]
    if not places:
        return
    american = bool(regions) and regions[0] in ("US", "CA")
    for shape, pattern in _SHAPES:
        for found in pattern.finditer(text):
            day = _date(found, shape, american)
            if day is not None and _near(text, found, places):
                yield Span(found.start(), found.end(), "birth", day.isoformat(), is_ours(day.isoformat()), (shape,))


def written_as(day: date, raw: str, regions: Sequence[str]) -> str:
    """Another date in the form of this one."""
    for shape, pattern in _SHAPES:
        found = pattern.fullmatch(raw)
        if found is None:
            continue
        american = bool(regions) and regions[0] in ("US", "CA")
        old = _date(found, shape, american)
        if old is None:
            continue
        at = {"ymd": (4, 3, 1), "dmy": (1, 3, 4), "dMy": (1, 2, 3), "Mdy": (2, 1, 3)}[shape]
        if shape == "dmy" and int(found[1]) == old.month and int(found[3]) == old.day:
            at = (3, 1, 4)
        new = {at[0]: str(day.day), at[1]: _month(day.month, found[at[1]])}
        new[at[2]] = str(day.year)[-len(found[at[2]]) :]
        pieces, last = [], 0
        for group in sorted(new, key=found.start):
            pieces += [raw[last : found.start(group)], new[group]]
            last = found.end(group)
        return _ORDINAL.sub(_ordinal, "".join([*pieces, raw[last:]]))
    return day.isoformat()


@lru_cache(maxsize=16)
def dates_of(decade: int) -> tuple[str, ...]:
    """The dates of ten years that we hand out; their days can be no months, so that they read one way only."""
    months = ((year, month) for year in range(decade, decade + 10) for month in range(1, 13))
    days = (date(year, month, day) for year, month in months for day in range(13, 29))
    return tuple(one for day in days if is_ours(one := day.isoformat()))


def _near(text: str, found: re.Match[str], places: Sequence[tuple[int, int]]) -> bool:
    at = bisect(places, (found.start(), 0))
    for start, end in places[max(0, at - _NEAREST) : at + 1]:
        if 0 <= found.start() - end <= _BEFORE:
            if not re.search(r"[!?\n\x00\d]|\.\s", text[end : found.start()]):
                return True
        elif 0 <= start - found.end() <= _AFTER and not re.search(r"[.!?\n\x00\d]", text[found.end() : start]):
            return True
    return False


def _date(found: re.Match[str], shape: str, american: bool) -> date | None:
    if shape == "ymd":
        return _real(int(found[1]), int(found[3]), int(found[4]))
    if shape == "dMy":
        return _real(int(found[3]), _NUMBER[found[2].lower()], int(found[1]))
    if shape == "Mdy":
        return _real(int(found[3]), _NUMBER[found[1].lower()], int(found[2]))
    year = int(found[4]) if len(found[4]) == 4 else int(found[4]) + (2000 if int(found[4]) < _PIVOT else 1900)
    first, second = int(found[1]), int(found[3])
    day, month = (second, first) if american else (first, second)
    return _real(year, month, day) or _real(year, day, month)


def _real(year: int, month: int, day: int) -> date | None:
    if year < _FIRST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _ordinal(found: re.Match[str]) -> str:
    """The day with the ending that it has; a French one has none but on the first."""
    if found[2].lower() == "er":
        return found[1]
    return found[1] + ("th" if found[1][0] == "1" else {"1": "st", "2": "nd", "3": "rd"}.get(found[1][1], "th"))


def _month(month: int, old: str) -> str:
    if old.isdigit():
        return f"{month:0{len(old)}}" if len(old) == 2 else str(month)
    folded = old.lower()
    for names in _MONTHS.values():
        if folded in (name.lower() for name in names):
            name = names[month - 1]
            return name.upper() if old.isupper() else name if old[0].isupper() else name.lower()
    short = _MONTHS["en"][month - 1][:3]
    return short if old[0].isupper() else short.lower()
