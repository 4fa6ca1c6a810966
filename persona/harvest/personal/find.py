"""One pass over a text that says which finders are worth calling, and what they found without overlaps."""

import re
from bisect import bisect
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from persona.harvest.personal import webs
from persona.harvest.personal.births import find_births
from persona.harvest.personal.iban import find_ibans
from persona.harvest.personal.keys import find_keys
from persona.harvest.personal.names import find_known
from persona.harvest.personal.numbers import find_numbers
from persona.harvest.personal.phones import find_phones, is_abroad
from persona.harvest.personal.places import find_addresses
from persona.harvest.personal.signs import ANY_PHONE, signs_of
from persona.harvest.personal.values import KINDS, Known, Span

_GAPS = r"[ .\-/\u00a0\u202f\u2009\u2011\u2013()]{0,3}+"
_RUN = re.compile(rf"\d(?:{_GAPS}\d){{6,}}+")
_BANK = re.compile(rf"\d(?:{_GAPS}\d){{7}}")  # what every account has, and hardly a sentence
_NUMBERS = frozenset({"card", "nir", "ssn"})
_CORSICA = re.compile(r"\d[ .\-]?2[ABab][ .\-]?\d")
_NEAR = 16  # characters of a NIR on either side of its Corsican department
_LEAST_AGAIN = 7  # characters of what is looked for again
_AGAIN = frozenset({"key", "url", "email", "iban", "card", "nir", "ssn", "phone"})
_RANK = {kind: at for at, kind in enumerate(KINDS)}


def find(
    text: str, known: Sequence[Known] = (), regions: Sequence[str] = (), signs: frozenset[str] | None = None
) -> list[Span]:
    """Everything personal in a text, in order and without overlaps; surrogates of ours are among it, sealed.

    `signs` are those of the text (`signs.signs_of`), where they are known already.
    """
    signs = signs_of(text) if signs is None else signs
    return search(text, signs | {ANY_PHONE} if is_abroad(regions) else signs, known, regions)


def search(text: str, signs: frozenset[str], known: Sequence[Known] = (), regions: Sequence[str] = ()) -> list[Span]:
    """What the finders of these signs find; those of other signs are not asked."""
    spans = resolve(_all(text, signs, known, regions))
    again = list(_repeated(text, spans)) if spans else None
    return resolve([*spans, *again]) if again else spans


def _repeated(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """Where the same characters stand once more, without the words that gave them away."""
    starts = {span.start for span in spans}
    seen = {text[span.start : span.end]: span for span in spans if span.kind in _AGAIN}
    for raw, span in seen.items():
        at = text.find(raw) if len(raw) >= _LEAST_AGAIN and not span.sealed else -1
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


def _all(text: str, signs: frozenset[str], known: Sequence[Known], regions: Sequence[str]) -> Iterator[Span]:
    if "@" in text:
        yield from webs.find_emails(text)
    if "spoken" in signs and webs.may_be_spoken(text):
        yield from webs.find_spoken_emails(text)
    if "url" in signs:
        yield from webs.find_url_secrets(text)
    if signs:
        yield from find_keys(text, signs)
        yield from _of_digits(text, signs, regions)
    if known:
        yield from find_known(text, known, "folded" in signs)


def _of_digits(text: str, signs: Collection[str], regions: Sequence[str]) -> Iterator[Span]:
    spans = list(find_addresses(text, signs))
    any_shape = ANY_PHONE in signs
    phones = any_shape or "phone" in signs
    numbers = not _NUMBERS.isdisjoint(signs) or ("bare" in signs and "social" in signs)
    runs = [run.span() for run in _RUN.finditer(text)] if phones or numbers else ()
    for begin, end in runs if numbers else ():
        spans += find_numbers(text, begin, end)
    if "iban" in signs and _BANK.search(text):
        spans += find_ibans(text)
    for run in _CORSICA.finditer(text) if "nir" in signs else ():
        spans += find_numbers(text, max(0, run.start() - _NEAR), min(len(text), run.end() + _NEAR))
    if "host" in signs:
        spans += webs.find_ips(text)
    if "birth" in signs:
        spans += find_births(text, regions)
    yield from spans
    for begin, end in (_apart(runs, spans) if spans else runs) if phones else ():
        yield from find_phones(text, begin, end, regions, any_shape)


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
