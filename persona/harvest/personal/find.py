"""One pass over a text that says which finders are worth calling, and what they found without overlaps."""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from persona.harvest.personal import births, webs
from persona.harvest.personal.iban import find_ibans
from persona.harvest.personal.keys import find_keys
from persona.harvest.personal.names import find_known
from persona.harvest.personal.numbers import find_numbers
from persona.harvest.personal.phones import find_phones
from persona.harvest.personal.places import find_addresses
from persona.harvest.personal.values import KINDS, Known, Span

_DIGIT = re.compile(r"\d")
_RUN = re.compile(r"\d(?:[ .\-/\u00a0\u202f\u2009\u2011\u2013()]{0,3}+\d){6,}+")
_DOTTED = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d")
_LONG = re.compile(r"[\s\x00][^\s\x00]{16,}")  # words, which only a key is
_CORSICA = re.compile(r"\d[ .\-]?2[ABab][ .\-]?\d")
_NEAR = 16  # characters of a NIR on either side of its Corsican department
_LEAST_PHONE, _LEAST_SSN, _LEAST_BANK = 7, 9, 8  # digits in a row; a run has the first of them
_AGAIN = frozenset({"key", "url", "email", "iban", "card", "nir", "ssn", "phone"})
_RANK = {kind: at for at, kind in enumerate(KINDS)}


def find(text: str, known: Sequence[Known] = (), regions: Sequence[str] = ()) -> list[Span]:
    """Everything personal in a text, in order and without overlaps; surrogates of ours are among it, sealed."""
    spans = resolve(_all(text, known, regions))
    again = list(_repeated(text, spans)) if spans else None
    return resolve([*spans, *again]) if again else spans


def _repeated(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """Where the same characters stand once more, without the words that gave them away."""
    starts = {span.start for span in spans}
    seen = {text[span.start : span.end]: span for span in spans if span.kind in _AGAIN}
    for raw, span in seen.items():
        at = text.find(raw) if len(raw) >= _LEAST_PHONE and not span.sealed else -1
        while at >= 0:
            end = at + len(raw)
            if at not in starts and not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
                yield replace(span, start=at, end=end)
            at = text.find(raw, end)


def resolve(spans: Iterable[Span]) -> list[Span]:
    """Of spans that overlap the sealed one is kept, else the longest, else the one whose kind is named first."""
    ranked = sorted(spans, key=lambda one: (not one.sealed, one.start - one.end, _RANK[one.kind], one.start))
    starts: list[int] = []
    kept: list[Span] = []
    for span in ranked:
        at = bisect(starts, span.start)
        if (at and kept[at - 1].end > span.start) or (at < len(kept) and kept[at].start < span.end):
            continue
        starts.insert(at, span.start)
        kept.insert(at, span)
    return kept


def _all(text: str, known: Sequence[Known], regions: Sequence[str]) -> Iterator[Span]:
    lowered = text.lower()
    if "@" in text:
        yield from webs.find_emails(text)
    if webs.may_be_spoken(text, lowered):
        yield from webs.find_spoken_emails(text)
    if "://" in text:
        yield from webs.find_url_secrets(text)
    digits = _DIGIT.search(text)
    long = [(found.start(), found.end() - 1) for found in _LONG.finditer(f"\x00{text}")]
    yield from find_keys(text, lowered, digits is not None, long)
    if digits:
        yield from _of_digits(text, lowered, digits.start(), regions)
    if known:
        yield from find_known(text, known, lowered)


def _of_digits(text: str, lowered: str, first: int, regions: Sequence[str]) -> Iterator[Span]:
    runs: list[tuple[int, int]] = []
    most = 0
    spans = list(find_addresses(text))
    for run in _RUN.finditer(text, first):
        digits = sum(map(str.isdigit, run.group()))
        most = max(most, digits)
        if digits >= _LEAST_SSN:
            spans += find_numbers(text, *run.span())
        runs.append(run.span())
    if most >= _LEAST_BANK:
        spans += find_ibans(text)
    if "2a" in lowered or "2b" in lowered:
        for run in _CORSICA.finditer(text):
            spans += find_numbers(text, max(0, run.start() - _NEAR), min(len(text), run.end() + _NEAR))
    if _DOTTED.search(text, first) or lowered.count(":") > 3:
        spans += webs.find_ips(text)
    if births.DATED.search(text, first) and births.may_say_so(lowered):
        spans += births.find_births(text, regions)
    yield from spans
    for begin, end in _apart(runs, spans) if spans else runs:
        yield from find_phones(text, begin, end, regions)


def _apart(runs: Sequence[tuple[int, int]], spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """What of the runs no span holds: in "06 12 34 56 78 12 rue des Lilas" the address is not the phone's."""
    taken = sorted((span.start, span.end) for span in spans)
    starts = [start for start, _ in taken]
    for begin, end in runs:
        for start, stop in taken[max(0, bisect(starts, begin) - 1) :]:
            if start >= end:
                break
            if start > begin:
                yield begin, start
            begin = max(begin, stop)
        if begin < end:
            yield begin, end
