"""The day, the month or the year that a question names, in French and in English.

"On 12 May", "en mars 2026", "2026-03-12", "in 2024": what was said then, or names it, is meant. A question that names
where a time begins or ends ("since March", "avant 2024") names no such time, and neither does "last week".
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from persona.values import words
from persona.values.remembered import remembered
from persona.values.time import MICROSECONDS, from_us, to_us

_NAMES = (
    "january janvier",
    "february février fevrier",
    "march mars",
    "april avril",
    "may mai",
    "june juin",
    "july juillet",
    "august août aout",
    "september septembre",
    "october octobre",
    "november novembre",
    "december décembre decembre",
)
_SHORT = ("jan janv", "feb févr", "mar", "apr avr", "", "", "jul juil", "", "sep sept", "oct", "nov", "dec déc")
_MONTHS = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}
_SHORTENED = {name: number for number, names in enumerate(_SHORT, start=1) for name in names.split()}
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_ANY_MONTH = f"(?P<month>{'|'.join(sorted(_MONTHS | _SHORTENED, key=len, reverse=True))})\\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_EDGE = re.compile(
    r"\b(?:since|before|after|until|till|between|depuis|avant|apr[èe]s|jusqu|entre|d[èe]s le|[àa] partir)\b"
)
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"\b{_YEAR}-(?P<month>0[1-9]|1[0-2])(?:-{_DAY})?\b",
        rf"\b{_DAY}(?:st|nd|rd|th|er)?(?:\s+of)?\s+{_ANY_MONTH}(?!\w)(?:,?\s+{_YEAR}\b)?",
        rf"\b{_ANY_MONTH}\s+(?:the\s+)?{_DAY}(?:st|nd|rd|th)?\b(?![:h.,]\d)(?:,?\s+{_YEAR}\b)?",
        rf"\b{_ANY_MONTH},?\s+(?:of\s+|de\s+)?{_YEAR}\b",
        # a month alone: "may" and "march" are verbs, "mars" a planet, "June" a name
        rf"(?:\b(?:in|of|from|for|during|last|this|early|late|mid|en|de|pour|courant|fin|début|mi)[\s-]+|\bd['’]){_MONTH}\b",
        rf"\b(?:in|during|en|année|year)\s+{_YEAR}\b",
    )
)
_WORD, _MONTH_WORDS = re.compile(r"\w+"), frozenset(_MONTHS | _SHORTENED)
_AROUND_US = 366 * 86_400 * MICROSECONDS  # how far from what is named someone may speak of it by its month


@dataclass(frozen=True, slots=True)
class Named:
    """A time that was named, in UTC; 0 stands for the year, the month or the day that was not."""

    year: int = 0
    month: int = 0
    day: int = 0

    def terms(self) -> tuple[frozenset[str], ...]:
        """The terms by which a text names it: of each set one. Empty where it would take more than a month's name."""
        if not self.month:
            return ()
        months = frozenset(
            words.term(name, lang) for name in _NAMES[self.month - 1].split() for lang in ("fr", "en", "")
        )
        if not self.day:
            return (months,)
        return months, frozenset(f"{self.day}{ending}" for ending in ("", "st", "nd", "rd", "th", "er"))

    def spans(self, first_us: int, last_us: int) -> Iterator[tuple[int, int]]:
        """From when to when, in microseconds, the end left out; without a year, in each year of those limits."""
        years = [self.year] if self.year else range(from_us(first_us).year, from_us(last_us).year + 1)
        for year in years:
            try:
                start = datetime(year, self.month or 1, self.day or 1, tzinfo=UTC)
            except ValueError:  # 29 February
                continue
            yield to_us(start), to_us(self._end(start))

    def _end(self, start: datetime) -> datetime:
        if self.day:
            return start + timedelta(days=1)
        if self.month:
            return (start + timedelta(days=32)).replace(day=1)
        return start.replace(year=start.year + 1)


@remembered(32)  # a turn asks it for each owner it searches
def named(question: str) -> tuple[Named, ...]:
    """The times that a question names, none for most questions."""
    question = question.lower()
    perhaps = "19" in question or "20" in question or not _MONTH_WORDS.isdisjoint(_WORD.findall(question))
    if not perhaps or _EDGE.search(question):
        return ()
    found: list[Named] = []
    for form in _FORMS:  # what names a day would name its month once more
        if read := [_read(one) for one in form.finditer(question)]:
            found += read
            question = form.sub(" ", question)
    return tuple(found)


def of_these_times(
    times: Sequence[Named], at_us: NDArray[np.int64], holding: Callable[[frozenset[str]], NDArray[np.intp]]
) -> NDArray[np.bool_]:
    """Which slots were said at one of the times or name it, shape (slots,).

    `holding` finds the slots that hold any of some terms. Who names a month or a day without the year means one
    within a year of the talk.
    """
    meant = np.zeros(len(at_us), np.bool_)
    known = at_us[at_us > 0]
    if not len(known):
        return meant
    limits = int(known.min()), int(known.max())
    for time in times:
        close = np.zeros(len(at_us), np.bool_)
        for start_us, end_us in time.spans(*limits):
            meant |= (at_us >= start_us) & (at_us < end_us)
            close |= (at_us >= start_us - _AROUND_US) & (at_us < end_us + _AROUND_US)
        if terms := time.terms():
            for listed in terms:
                held = np.zeros(len(at_us), np.bool_)
                held[holding(listed)] = True
                close &= held
            meant |= close
    return meant


def _read(match: re.Match[str]) -> Named:
    said = match.groupdict()
    month = said.get("month") or ""
    number = int(month) if month.isdigit() else (_MONTHS | _SHORTENED).get(month, 0)
    return Named(int(said.get("year") or 0), number, int(said.get("day") or 0))
