"""How our surrogates are told from everything else, so that mending what was mended changes nothing.

A surrogate lies in a range that is reserved for fiction or nobody's, and carries a checksum of itself there. The ranges
alone would not do: people test with `jean@example.com` and `(415) 555-0123`, and those must be found.
"""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

_ONE_IN = 199  # the share of a reserved range that is ours: enough of them, and 0.5 % of others' taken for ours
_TAIL = 6  # characters of a key that are its checksum


def is_ours(text: str, one_in: int = _ONE_IN) -> bool:
    """Whether this value of a reserved range is one of those that we hand out."""
    return crc32(text.encode()) % one_in == 0


@lru_cache(maxsize=512)
def ours(prefix: str, digits: int, one_in: int = _ONE_IN) -> tuple[str, ...]:
    """All values of a range that we hand out: the prefix, and as many digits."""
    begun = crc32(prefix.encode())  # goes on with what follows
    return tuple(f"{prefix}{end.decode()}" for end in _endings(digits) if crc32(end, begun) % one_in == 0)


@lru_cache(maxsize=4)
def _endings(digits: int) -> tuple[bytes, ...]:
    return tuple(b"%0*d" % (digits, number) for number in range(10**digits))


def check_digits(text: str, digits: int) -> str:
    """A checksum of a text, as decimal digits."""
    return f"{crc32(text.encode()) % 10**digits:0{digits}}"


class Dice:
    """Numbers that depend on their seed alone."""

    __slots__ = ("_seed",)

    def __init__(self, *seed: object) -> None:
        self._seed = "\x1f".join(map(str, seed)).encode()

    def number(self, *of: object) -> int:
        """A number of 64 bits for this purpose, always the same one."""
        what = "\x1f".join(map(str, of)).encode()
        return int.from_bytes(blake2b(self._seed + b"\x1f" + what, digest_size=8).digest(), "big")

    def stream(self, *of: object) -> Iterator[int]:
        """Bytes without end for this purpose."""
        what, block = "\x1f".join(map(str, of)).encode(), 0
        while True:
            yield from blake2b(self._seed + b"\x1f" + what + b"\x1f%d" % block).digest()
            block += 1


def scrambled(text: str, kept: int, dice: Iterator[int]) -> str:
    """A text of the same form: letters for letters, digits for digits, the first `kept` characters as they are."""
    letters = _letters(text[kept:])
    drawn = [text[:kept], *(_like(one, next(dice), letters) for one in text[kept:])]
    return sealed("".join(drawn), kept)


def sealed(text: str, kept: int = 0) -> str:
    """The text with a checksum of the rest in its last letters and digits; those in the first `kept` are the rest."""
    places = [at for at in range(kept, len(text)) if text[at].isascii() and text[at].isalnum()][-_TAIL:]
    letters = _letters(text[kept : places[0]] if places else "")
    rest = list(text)
    for at in places:
        rest[at] = "0" if text[at].isdigit() else "A" if text[at].isupper() else "a"
    check = crc32("".join(rest).encode(errors="surrogatepass"))  # JSON may hold half of a character
    for at in places:
        rest[at] = _like(rest[at], check, letters)
        check = crc32(rest[at].encode(), check)
    return "".join(rest)


def is_sealed(text: str, kept: int = 0) -> bool:
    """Whether its last letters and digits are the checksum of the rest."""
    return len(text) - kept >= 2 * _TAIL and sealed(text, kept) == text


def is_hex(text: str) -> bool:
    """Whether all its letters are lower-case hexadecimal digits."""
    return not set(text) & set("ghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _letters(text: str) -> str:
    return "abcdef" if is_hex(text) else "abcdefghijklmnopqrstuvwxyz"


def _like(one: str, number: int, letters: str) -> str:
    if one.isascii():
        if one.isdigit():
            return "0123456789"[number % 10]
        if one.islower():
            return letters[number % len(letters)]
        if one.isupper():
            return letters[number % len(letters)].upper()
    return one
