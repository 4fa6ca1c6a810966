"""What the profile holds, found in a text: in any case, with or without accents, whole or in parts.

A name that is also a word ("Rose", "Will", "Petit") counts where it is written as a name is: with a capital, and not
only because a sentence starts there, or right after words that introduce somebody.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Literal
from unicodedata import combining, normalize

from persona.harvest.personal.values import Known, Span
from persona.harvest.personal.vocabulary import MONTHS, PARTICLES, WORDS
from persona.values.record import record

_JOIN = re.compile(r"[\s\-'’.,_]+")
_BETWEEN = re.compile(r"[ \-_.\u00a0'’]{0,2}|, ")
_INTRODUCED = re.compile(
    r"(?:\bmy name(?: is|['’]s)|\bname:?|\bcall me|\bcalled|\bnamed|\bi am|\bi['’]m|\bthis is|\bsigned|"
    r"\bm['’]appelle|\bs['’]appelle|"
    r"\bmoi,? c['’]est|\bprénom(?: est)?:?|\bnom(?: est)?:?|\bje suis|\bnommée?|\bich bin|\bich hei(?:ß|ss)e|"
    r"\bmein name ist|"
    r"\bmrs?\.?|\bms\.?|\bmiss|\bdr\.?|\bm\.|\bmme|\bmlle|\bmonsieur|\bmadame|\bherr|\bfrau|\bregards,|"
    r"\bcordialement,|\bcheers,)\s{1,2}[\"«“]?\s?$",
    re.IGNORECASE,
)
_OUTRIGHT = re.compile(
    r"(?:my name(?: is|['’]s)|call me|m['’]appelle|s['’]appelle|prénom(?: est)?:?|"
    r"mein name ist)\s{1,2}$",
    re.IGNORECASE,
)
_GREETED = re.compile(
    r"(?:\b(?:hi|hello|hey|dear|thanks|thank you|bye|goodbye|welcome|sorry|morning|evening|bonjour|bonsoir|"
    r"salut|coucou|cher|chère|merci|"
    r"bienvenue|désolée?|hallo|liebe[r]?|danke|guten tag|and|et|und|with|avec|for|pour|from|to|à|chez))[ ,]{1,2}$",
    re.IGNORECASE,
)
_ENDS = '.!?:;\n\r\x00"«»“”*•-–—(['
_SHORT = 3
_FAR = 16  # characters between two parts of a name: more than particles take
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\U0010ffff]")  # scripts without spaces
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_SIGNS_BEYOND = {"’": "'", "\u2011": "-", "\u202f": " "}  # beyond Latin-1, in many texts
_BEYOND = (
    *range(0x100, 0x250),
    *range(0x1E00, 0x1F00),
    0x212A,
    0x212B,
)  # where letters are with a plain one in Latin-1


@record(frozen=True, slots=True)
class Part:
    """A word of what is known, folded, and how careful to be with it."""

    known: int
    at: int
    folded: str
    common: bool
    strict: bool


@record(frozen=True, slots=True)
class _Sought:
    """The parts of all that is known, and whether they can be looked for in Latin-1, where `?` stands for the rest."""

    parts: tuple[Part, ...]
    latin: bool


def fold(text: str) -> str:
    """Lower case without accents, letter for letter, so that places stay the same."""
    try:
        return _folded(text, "strict")
    except UnicodeEncodeError:
        return _folded_by_letters(text)


def fold_latin(text: str, beyond: bool) -> str:
    """As `fold`, for looking for words of Latin-1: what it lacks is `?`. `beyond` says whether the text has letters of
    `SIGNS`.
    """
    return fold(text) if beyond else _folded(text, "replace")


def _folded_by_letters(text: str) -> str:
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := one.lower()) == 1 else one for one in text)
    if lowered.isascii():
        return lowered
    plain = _plain_letters()
    for one in set(_FOREIGN.findall(lowered)):  # some replacements are quicker than a translation letter by letter
        if one in plain:
            lowered = lowered.replace(one, plain[one])
    return lowered


@lru_cache(maxsize=8192)
def words_of(known: Known) -> tuple[str, ...]:
    """The words of a known value, folded."""
    return tuple(word for word in _JOIN.split(fold(known.text)) if word)


@lru_cache(maxsize=8192)
def parts_of(known: Known, index: int) -> tuple[Part, ...]:
    """What is looked for of one known value: of a name its words, of anything else the whole."""
    words = words_of(known)
    if not words:
        return ()
    if known.kind != "name" or len(words) == 1:
        whole = " ".join(fold(known.text).split())
        return (_part(index, 0, whole),) if len(whole) > 1 else ()
    parts = [_part(index, at, word) for at, word in enumerate(words) if word not in PARTICLES and len(word) > 1]
    parts.append(Part(index, -1, "".join(words), False, False))
    spelt = _JOIN.split(_spelt_out(known.text))
    if len(spelt) == len(words):
        parts += [_part(index, at, found) for at, word in enumerate(spelt) if (found := fold(word)) not in words]
    return tuple(parts)


def _spelt_out(name: str) -> str:
    """A German name without its letters: Müller is also Mueller, and Weiß Weiss."""
    return name.lower().replace("ß", "ss").replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")


def find_known(text: str, known: Sequence[Known], beyond: bool) -> Iterator[Span]:
    """Every place where one of the known values is; `beyond` says whether the text has the letters of `SIGNS`."""
    sought = _sought(tuple(known))
    folded = fold_latin(text, beyond) if sought.latin else fold(text)
    parts = [part for part in sought.parts if part.folded in folded]
    if not parts:
        return
    hits = sorted(
        ((at, at + len(part.folded), part) for part in parts for at in _places(text, folded, part.folded)), key=_first
    )
    starts, longest = [start for start, _, _ in hits], max(len(part.folded) for part in parts)
    for hit in hits:
        start, end, part = hit
        near = hits[bisect_left(starts, start - longest - _FAR) : bisect_right(starts, end + _FAR)]
        if (
            not part.common
            or any(_belongs(text, one, hit) or _belongs(text, hit, one) for one in near)  # quicker told
            or _is_meant(text, start, end, part.strict)
        ):
            one = known[part.known]
            yield Span(start, end, one.kind, f"{part.known}/{part.at}", form=(part.folded,))


def _part(index: int, at: int, word: str) -> Part:
    short = len(word) < _SHORT and not _UNSPACED.match(word)  # two signs are a whole name in Chinese
    return Part(index, at, word, word in WORDS or word in MONTHS or short, word in MONTHS or short)


def _places(text: str, folded: str, word: str) -> Iterator[int]:
    """Where a word is between other characters than letters; scripts without spaces have no such borders."""
    spaced = word.isascii() or not _UNSPACED.match(word)
    size, at = len(word), folded.find(word)
    while at >= 0:
        before = text[at - 1 : at].isalpha() if at else False
        if not spaced or not (before or text[at + size : at + size + 1].isalpha()):
            yield at
        at = folded.find(word, at + 1)


def _first(hit: tuple[int, int, Part]) -> tuple[int, int]:
    return hit[0], -hit[1]


def _belongs(text: str, first: tuple[int, int, Part], second: tuple[int, int, Part]) -> bool:
    """Whether two parts of one name stand side by side, with capitals or both without."""
    if first[2].known != second[2].known or first[2].at == second[2].at or first[1] >= second[0]:
        return False
    if _BETWEEN.fullmatch(text, first[1], second[0]):
        return True
    between = fold(text[first[1] : second[0]]).split() if second[0] - first[1] < _FAR else ()
    return bool(between) and all(word in PARTICLES for word in between)


def _is_meant(text: str, start: int, end: int, strict: bool) -> bool:
    before = text[max(0, start - 32) : start]
    if not text[start].isupper():
        return _OUTRIGHT.search(before) is not None
    if _INTRODUCED.search(before) or _alone(text, start, end):
        return True
    if strict:
        return re.search(r"(?i)\b(?:hi|hello|hey|dear|bonjour|salut|cher|chère|merci|thanks),? $", before) is not None
    if _GREETED.search(before) or text[end : end + 2] in ("'s", "’s"):
        return True
    if text[start:end].isupper() and end - start > 1:
        return False  # a text in capitals says nothing
    bare = before.rstrip(" \t\u00a0")
    if not bare or bare[-1] in _ENDS:
        return text[end : end + 1] == "," and bool(re.match(r", (?:[a-z]|I\b)", text[end : end + 4]))
    return not text[end : end + 2].lstrip()[:1].isupper() or bare[-1].islower()


def _alone(text: str, start: int, end: int) -> bool:
    """Whether the line holds nothing else, like a signature."""
    first = max(text.rfind("\n", 0, start), text.rfind("\x00", 0, start)) + 1
    ends = [at for at in (text.find("\n", end), text.find("\x00", end)) if at >= 0]
    return not text[first:start].strip(" \t—–-~") and not text[end : min(ends, default=len(text))].strip(" \t.!")


@lru_cache(maxsize=1)
def _plain_letters() -> dict[str, str]:
    table = _SIGNS_BEYOND | {"\u00a0": " ", "ø": "o", "ł": "l", "đ": "d", "ı": "i"}
    for code in (*range(0xC0, 0x100), *_BEYOND):
        plain = "".join(one for one in normalize("NFKD", chr(code)) if not combining(one))
        if len(plain) == 1 and plain != chr(code):
            table[chr(code)] = plain
    return table


@lru_cache(maxsize=8192)
def _sought(known: tuple[Known, ...]) -> _Sought:
    first = {one: index for index, one in reversed(list(enumerate(known)))}  # a profile often holds a name twice
    parts = tuple(part for one, index in sorted(first.items(), key=itemgetter(1)) for part in parts_of(one, index))
    return _Sought(parts, all(max(part.folded) < "\u0100" and "?" not in part.folded for part in parts))


def _folded(text: str, foreign: Literal["strict", "replace"]) -> str:
    """A text without letters of `SIGNS`, folded as bytes; what Latin-1 lacks is an error or becomes question marks."""
    for sign, plain in _SIGNS_BEYOND.items():
        text = text.replace(sign, plain)
    return text.encode("latin-1", foreign).translate(_folded_bytes()).decode("latin-1")


@lru_cache(maxsize=1)
def _folded_bytes() -> bytes:
    return "".join(map(_folded_by_letters, map(chr, range(256)))).encode("latin-1", "replace")


SIGNS = {"folded": f"[{''.join(one for one in map(chr, _BEYOND) if max(fold(one)) < chr(0x100))}]"}
"""Letters beyond Latin-1 that are folded into it."""
