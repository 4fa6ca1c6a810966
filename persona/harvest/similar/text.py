"""A text as its tokens: what is left when case, spaces, punctuation and forms of the same sign do not count."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar.signature import mix
from persona.values import words

BORDER = "\x00"
"""What stands between two texts: in no text, for no database takes it."""
WORD = r"[^\W_]"  # a sign of a word
ALONE = r"[%€$£+#<>=\x00]"  # signs that change what is said, unlike a comma
_TOKEN = re.compile(f"{WORD}+|{ALONE}")
# scripts that are written without spaces or with vowel signs, which takes a slower reading
_FAR = re.compile(r"[\u0590-\u1fff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
_THOUSANDS = re.compile(r"(\d)(?:[.,']|\s+)(?=\d{3}(?!\d))")
_LONGEST = 4  # letters of a gram
_MIXING = np.uint64(0x9E3779B97F4A7C15)  # odd, with bits everywhere: sums of its powers are those of the same letters
FEWEST = 2  # words with content: a question with fewer is about what was said before


def words_in(line: str) -> frozenset[str]:
    """The words of a line, as a set."""
    return frozenset(line.split())


COURTESIES = words_in(
    "bonjour bonsoir salut coucou merci cordialement svp stp hello hi hey dear thanks thank please regards cheers "
    "madame monsieur"
)


def tokens(text: str) -> list[str]:
    """The words and numbers of `text` in order, case folded; 1,200 and 1 200 give 1200."""
    plain = _plain(text)
    return words.tokens(plain) if is_far(plain) else _TOKEN.findall(_THOUSANDS.sub(r"\1", plain))


def small(found: Sequence[str]) -> list[str]:
    """The tokens that words are which stand among signs of one form: see `signs.ODD`. No word has a border in it."""
    folded = BORDER.join(found).casefold().split(BORDER) if found else ()
    return [word if word.isalnum() else _THOUSANDS.sub(r"\1", word) for word in folded]


def is_far(said: str) -> bool:
    """Whether a text has a sign of a script that takes the slower reading."""
    return _FAR.search(said) is not None


def _plain(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()


def digest(found: str) -> int:
    """64 bits of a hash of a text, the same in every process."""
    return int.from_bytes(_hashed(found), "little")


def digests(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Those of many texts, shape (texts,)."""
    return np.frombuffer(b"".join(map(_hashed, texts)), "<u8")


_EMPTY = blake2b(digest_size=8)


def _hashed(said: str) -> bytes:
    hashing = _EMPTY.copy()  # half the time of a new one
    hashing.update(said.encode("utf-8", "surrogatepass"))
    return hashing.digest()


@lru_cache(maxsize=1 << 15)
def carries(token: str) -> bool:
    """Whether a token says something: no stop word and no courtesy, in French or in English."""
    return token.isdigit() or (token not in COURTESIES and bool(words.term(token, "")))


def grams(found: Iterable[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """32-bit hashes of the runs of four letters of words without accents, their edges marked; how many each word has.

    A word of one letter has one run, "" has none.
    """
    edged = [f"^{word}$" if word else "" for word in found]
    sizes = np.fromiter(map(len, edged), np.int64, len(edged))
    counts = np.where(sizes > 0, np.maximum(sizes - _LONGEST + 1, 1), 0)
    first = np.cumsum(sizes) - sizes - (np.cumsum(counts) - counts)
    begins = np.arange(int(counts.sum())) + np.repeat(first, counts)
    whole = "".join((*edged, "^" * _LONGEST))  # behind each word comes the edge of another one
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    keys = codes[begins]
    for at in range(1, _LONGEST):
        keys = keys * _MIXING + codes[begins + at]
    return (mix(keys) >> np.uint64(32)).astype(np.uint32), counts


def is_number(token: str) -> bool:
    """Whether a token has a digit: rows that differ in one are not alike."""
    return not token.isalpha() and any(map(str.isdigit, token))
