"""The words of a text: its language, the terms it is searched by, and its sentences.

Everything is linear in the text and the same on every machine. French and English are stemmed (Snowball);
words of other languages are folded only, and scripts written without spaces become pairs of characters.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from threading import local
from typing import Protocol, cast

from persona.values.remembered import remembered

LONGEST_WORD = 40  # what is longer is no word: cutting it bounds the stemmer and the caches
_READ_FOR_LANGUAGE = 2000  # characters; the beginning of a text tells its language


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_FRENCH = _set(
    "a ai ainsi alors apres as au aucun aucune aussi autre autres aux avais avait avant avec avez avons "
    "bien c ce ceci cela celle celles celui ces cet cette ceux chaque chez ci combien comme comment d "
    "dans de deja depuis des dois doit donc du elle elles en encore entre es est et etaient etais etait "
    "etant etes etre fais fait faut font fut il ils j je jusqu jusque l la le les leur leurs lors lorsque "
    "lui m ma mais me meme memes mes moi moins mon n ne ni nos notre nous on ont ou par parce pas pendant "
    "peu peut peuvent peux plus pour pourquoi pres puis puisque qu quand que quel quelle quelles quelqu "
    "quels qui quoi s sa sans se sera ses si soit sommes son sont sous suis sur t ta tandis te tes toi "
    "ton tous tout toute toutes tres tu un une va vais vas vers veut veux voici voila vont vos votre vous "
    "vu y"
)
_ENGLISH = _set(
    "a about after again all also am an and any are as at be because been before being but by can cannot "
    "could did do does doing don done each for from had has have having he her here hers him his how i if "
    "im in into is it its ive just ll me more most my no nor not of off on once only or other our ours out "
    "over own re s same shall she should so some such t than that the their theirs them then there these "
    "they this those through to too under until up us ve very was we were what when where which while who "
    "whom whose why will with would you your yours"
)
_NONE: frozenset[str] = frozenset()
_STOPS = {"fr": _FRENCH, "en": _ENGLISH, "": _FRENCH | _ENGLISH}
_ALGORITHMS = {"fr": "french", "en": "english"}

# what tells a language: its own function words and courtesies, and those of the neighbours that look like it
_VOTES = {
    **dict.fromkeys(_FRENCH - _ENGLISH - {"fut", "ton", "y"}, "fr"),
    **dict.fromkeys(_ENGLISH - _FRENCH - {"am", "an", "us", "re"}, "en"),
    **dict.fromkeys(_set("bonjour bonsoir salut merci oui non svp stp quest cest aujourdhui"), "fr"),
    **dict.fromkeys(_set("hello hi hey thanks thank please yes ok today whats dont its"), "en"),
    **dict.fromkeys(_set("el los las del por para una unos muy pero esta o che di gli sono"), "?"),
    **dict.fromkeys(_set("das der die und ist nicht ein eine ich auf fur mit von zu dem uma nao os"), "?"),
}
_ELSEWHERE = re.compile(r"[ñ¿¡ßäöóíáúãõåøłąęćśźżčšřžýđğışőű]")
_ACCENTS = re.compile(r"[éèêàâçùûîïœ]")
_ELIDED = re.compile(r"\b(?:[ldjcnstm]|qu)'(?=\w)")
_FRENCH_SHAPE = re.compile(r"eau|oi|aire|eur|eux|euse|ique|elle|ette|ez\b|ouv|gn|ier\b|age\b")
_ENGLISH_SHAPE = re.compile(r"[wk]|th|sh|ght|ing|oo|ee|(?<=[a-z])y\b|ies\b|[^e]ed\b")

_PLAIN_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:'[^\W_]+)*")
# scripts whose vowel signs are no word characters for `re`
_MARKS = re.compile(r"[\u0590-\u0eff\u1000-\u109f\u1780-\u17ff]")
_MARKED_WORD = re.compile(
    r"\d+(?:[.,]\d+)+|(?:[^\W_]|[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0971-\u0df3"
    r"\u0e31-\u0e4e\u0eb1-\u0ecd\u102b-\u103e\u17b4-\u17d3])+"
)
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    r"\U00020000-\U0003ffff]+"
)
_APOSTROPHES = "’‘ʼ`´"
_CLOCK = re.compile(
    r"(?<![\w.,:])(?:"
    r"(?P<h>\d{1,2})\s?(?:heures?|h)(?![^\W\d_])(?:\s?(?P<hm>[0-5]\d)(?!\w))?"
    r"|(?P<c>\d{1,2}):(?P<cm>[0-5]\d)(?!\d)(?::\d\d)?(?:\s?(?P<cx>[ap])\.?m\b)?"
    r"|(?P<x>\d{1,2})\s?(?P<xx>[ap])\.?m\b)"
)
_CLOCK_HINT = re.compile(r"\d(?:\s?h|:[0-5]|\s?[ap]\.?m\b)")  # in every clock, and much quicker to look for
_PREFIX = re.compile(r"^(?:[ldjcnstm]|qu|jusqu|lorsqu|puisqu|quelqu)'(?=.)")
_SUFFIX = re.compile(r"'(?:s|re|ll|ve|d|m)$")
_NOT = re.compile(r"n't$")
_COMBINING = re.compile(r"[\u0300-\u036f]")
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})

_BULLET = r"(?:[-*•–—#>]+[ \t])?"
_START = re.compile(r"\s*" + _BULLET)
_END = re.compile(r"\n\s*" + _BULLET + r"|[.!?…]+(?:[ \u00a0\u202f]?»|[”’\")\]])*|[。！？]+")
_ACRONYM = re.compile(r"(?:[A-Z]\.)*[A-Z]")
_TITLES = _set("m mm mme mlle mr mrs ms dr pr prof st ste e.g i.e cf vs p.ex av bd boul env")
_NUMBERED = _set("art no n p pp fig vol chap tel tél v")  # an abbreviation only before a number
_UNITS = _set("h hr min s sec mn km m kg g cm l etc ex p.m a.m jr inc ltd")  # or before a small letter


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802  (the library's own name)


_thread = local()  # a stemmer keeps the word it works on: one for each thread, and no lock that a fork could split


def language(text: str) -> str:
    """The language of `text`: "fr", "en", or "" where neither is clear."""
    return _language(text[:_READ_FOR_LANGUAGE])


@remembered(256)  # a turn asks it of the same words for their terms and for their vector
def _language(beginning: str) -> str:
    read = _straight(beginning.lower())
    plain, elided = _ELIDED.subn(" ", read) if "'" in read else (read, 0)
    votes = {"fr": elided, "en": 0, "?": 0}
    if not read.isascii():
        votes["fr"] += len(_ACCENTS.findall(read))
        votes["?"] += 2 * len(_ELSEWHERE.findall(read))
    for word in _PLAIN_WORD.findall(plain):
        if vote := _VOTES.get(fold(word.replace("'", "") if "'" in word else word)):
            votes[vote] += 1
    if not votes["?"] and votes["fr"] == votes["en"]:  # names, keywords: only the words' shape is left
        votes["fr"] += len(_FRENCH_SHAPE.findall(read))
        votes["en"] += len(_ENGLISH_SHAPE.findall(read))
    first, second = sorted(votes, key=lambda name: -votes[name])[:2]
    return "" if first == "?" or votes[first] == votes[second] else first


def terms(text: str, lang: str | None = None) -> list[str]:
    """What `text` is searched by, in order and with repeats: stems without accents, numbers, no stop words.

    `lang` is "fr", "en" or "" and is found in the text when None. An hour is one term however it is
    written: "9 h", "9h", "9:00", "9 heures" and "9 am" all give "9h".
    """
    spoken = language(text) if lang is None else lang
    return [found for word in tokens(text) if (found := term(word, spoken))]


def tokens(text: str) -> list[str]:
    """The words of `text`, case folded, stop words and all; hours and unspaced scripts as in `terms`."""
    return list(_read(text) if len(text) <= _READ_FOR_LANGUAGE else _tokens(text))


@lru_cache(maxsize=4)  # a turn asks it of the same words for their vector and, right after, for their terms
def _read(text: str) -> tuple[str, ...]:
    return tuple(_tokens(text))


def _tokens(text: str) -> list[str]:
    ascii_only = text.isascii()
    plain = text if ascii_only else _straight(unicodedata.normalize("NFKC", text))
    plain = plain.casefold()
    if _CLOCK_HINT.search(plain):
        plain = _CLOCK.sub(_hour, plain)
    if ascii_only:
        found: list[str] = _PLAIN_WORD.findall(plain)
    else:
        found = (_MARKED_WORD if _MARKS.search(plain) else _PLAIN_WORD).findall(plain)
        if _UNSPACED.search(plain):
            found = [piece for word in found for piece in _pairs(word)]
    if max(map(len, found), default=0) <= LONGEST_WORD:
        return found
    return [word[:LONGEST_WORD] for word in found]


@lru_cache(maxsize=1 << 13)
def term(word: str, lang: str) -> str:
    """The term of one word of `tokens`, or "" when it is a stop word of `lang`."""
    spelled = bare(word)
    plain = fold(spelled)
    if plain in _STOPS.get(lang, _NONE):
        return ""
    if lang not in _ALGORITHMS or not spelled.isalpha():
        return plain.replace(",", ".")
    return fold(_stem(spelled, lang))


def bare(word: str) -> str:
    """One word of `tokens` without what is elided before it or shortened after it: "l'eau" gives "eau"."""
    if "'" not in word:
        return word
    return _NOT.sub("", _SUFFIX.sub("", _PREFIX.sub("", word))).replace("'", "")


def fold(word: str) -> str:
    """`word` without its accents; scripts whose marks are letters keep them."""
    return word if word.isascii() else _folded(word)


@lru_cache(maxsize=1 << 12)
def _folded(word: str) -> str:
    apart = unicodedata.normalize("NFD", word.translate(_LETTERS))
    return unicodedata.normalize("NFC", _COMBINING.sub("", apart))


def sentences(text: str) -> list[str]:
    """The sentences of `text`, stripped, in order; lines and bullets end one too."""
    found = []
    opening = _START.match(text)
    start = opening.end() if opening else 0
    for end in _END.finditer(text):
        if end[0][0] == "\n":
            found.append(text[start : end.start()])
        elif _ends(text, start, end.start(), end.end()):
            found.append(text[start : end.end()])
        else:
            continue
        start = end.end()
    found.append(text[start:])
    return [sentence for piece in found if (sentence := piece.strip(" \t\r\n\v\f\u00a0")) and _says(sentence)]


def _stem(word: str, lang: str) -> str:
    stemmers = _thread.__dict__
    if lang not in stemmers:
        import Stemmer  # only needed once a text is searched

        stemmers[lang] = cast(_Stemmer, Stemmer.Stemmer(_ALGORITHMS[lang], 0))  # `term` remembers words, not it
    return str(stemmers[lang].stemWord(word))


def _straight(text: str) -> str:
    """Every apostrophe as "'"; some replacements are quicker than a translation letter by letter."""
    for sign in _APOSTROPHES:
        if sign in text:
            text = text.replace(sign, "'")
    return text


def _hour(clock: re.Match[str]) -> str:
    hour = int(clock["h"] or clock["c"] or clock["x"])
    half = clock["cx"] or clock["xx"]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    minutes = clock["hm"] or clock["cm"] or "00"
    return f" {hour}h " if minutes == "00" else f" {hour}h {hour}h{minutes} "


def _pairs(word: str) -> Iterable[str]:
    start = 0
    for run in _UNSPACED.finditer(word):
        if run.start() > start:
            yield word[start : run.start()]
        signs = run[0]
        yield from (signs[at : at + 2] for at in range(max(1, len(signs) - 1)))
        start = run.end()
    if start < len(word):
        yield word[start:]


def _ends(text: str, start: int, stop: int, after: int) -> bool:
    """Whether the mark in `text[stop:after]` ends the sentence that began at `start`."""
    if after < len(text) and not text[after].isspace() and text[stop] not in "。！？":
        return False  # inside a number, a URL, a file's name
    if text[stop:after] != ".":
        return True
    words = text[max(start, stop - 12) : stop].split()
    last = words[-1].lstrip("(«“\"'") if words else ""
    if not last or (last.isdigit() and len(words) == 1 and stop - start <= 12):
        return False  # "1." opens an item of a list
    follows = text[after : after + 4].lstrip()[:1]
    return not follows or not _abbreviates(last, follows)


def _abbreviates(word: str, follows: str) -> bool:
    """Whether the dot after `word` only shortens it, by the letter that follows."""
    if _ACRONYM.fullmatch(word):
        return True
    small = word.casefold()
    if small in _UNITS:
        return not follows.isupper()
    return small in _TITLES or (small in _NUMBERED and follows.isdigit())


def _says(sentence: str) -> bool:
    return any(sign.isalnum() for sign in sentence)
