"""A text as its tokens: what is left when case, spaces, punctuation and forms of the same sign do not count."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

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


def small(word: str) -> str:
    """The token that a word is which stands among signs of one form: see `signs.ODD`."""
    folded = word.casefold()
    return folded if folded.isalnum() else _THOUSANDS.sub(r"\1", folded)


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


def grams(token: str) -> tuple[int, ...]:
    """32-bit hashes of a token's runs of four letters, its edges marked; none for a token without content."""
    if not carries(token):
        return ()
    edged = f"^{words.fold(token)}$"
    return tuple(map(_gram, [edged[at : at + _LONGEST] for at in range(max(1, len(edged) - _LONGEST + 1))]))


@lru_cache(maxsize=1 << 15)
def _gram(letters: str) -> int:
    return digest(letters) & 0xFFFF_FFFF


def is_number(token: str) -> bool:
    """Whether a token has a digit: rows that differ in one are not alike."""
    return not token.isalpha() and any(map(str.isdigit, token))
