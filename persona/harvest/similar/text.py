"""A text as its tokens: what is left when case, spaces, punctuation and forms of the same sign do not count."""

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b

from persona.values import words

# signs that change what is said, unlike a comma
_TOKEN = re.compile(r"[^\W_]+|[%€$£+#<>=]")
# scripts that are written without spaces or with vowel signs, which takes a slower reading
_FAR = re.compile(r"[\u0590-\u1fff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
_THOUSANDS = re.compile(r"(?<=\d)(?:[.,']|\s+)(?=\d{3}(?!\d))")
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
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    plain = plain.casefold()
    if _FAR.search(plain):
        return words.tokens(plain)
    return _TOKEN.findall(_THOUSANDS.sub("", plain))


def digest(found: str) -> int:
    """64 bits of a hash of a text, the same in every process."""
    return int.from_bytes(blake2b(found.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@lru_cache(maxsize=1 << 15)
def word_hash(token: str) -> int:
    """32 bits of a hash of a token; the lowest bit says whether it carries content."""
    return digest(token) & 0xFFFF_FFFE | carries(token)


@lru_cache(maxsize=1 << 15)
def carries(token: str) -> bool:
    """Whether a token says something: no stop word and no courtesy, in French or in English."""
    return token not in COURTESIES and bool(words.term(token, ""))


@lru_cache(maxsize=1 << 14)
def grams(token: str) -> tuple[int, ...]:
    """32-bit hashes of a token's runs of four letters, its edges marked; none for a token without content."""
    if not carries(token):
        return ()
    edged = f"^{words.fold(token)}$"
    return tuple(digest(edged[at : at + _LONGEST]) & 0xFFFF_FFFF for at in range(max(1, len(edged) - _LONGEST + 1)))


def numbers(found: list[str]) -> int:
    """A digest of the tokens with a digit, in any order: rows that differ in a number are not alike."""
    held = {token for token in found if not token.isalpha() and any(sign.isdigit() for sign in token)}
    return digest(" ".join(sorted(held))) if held else 0


def question_digest(found: list[str]) -> int:
    """A digest of the content of a question in any order; 0 when there is too little to compare it by."""
    held = {words.fold(token) for token in found if carries(token)}
    return digest(" ".join(sorted(held))) if len(held) >= FEWEST else 0
