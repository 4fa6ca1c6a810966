"""The shape of a word: all that its pieces depend on, and not which letters and digits of ASCII they are of.

What is remembered by shape is met again where the word itself is new, as names, dates and order numbers are, and
does not tell them. Letters of other scripts, and those with accents, are what they are.
"""

import re
from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TypeVar

_Answer = TypeVar("_Answer")
_LONGEST, _MOST = 40, 1 << 14  # bytes of a shape that is remembered, and how many are: longer ones seldom come again

_ALIKE = bytes.maketrans((ascii_lowercase + ascii_uppercase + digits).encode(), b"a" * 26 + b"A" * 26 + b"0" * 10)
_CONTRACTED = re.compile(rb"'([stmdSTMD]|[rR][eE]|[vV][eE]|[lL][lL])")
_LETTERS = {b"\xf8": b"s", b"\xf9": b"S", b"\xfa": b"re", b"\xfb": b"rE", b"\xfc": b"Re", b"\xfd": b"RE"}
"""Contractions by signs that no UTF-8 has: these letters, or others that are cut alike."""
_SIGNS = {letters.translate(_ALIKE): sign for sign, letters in _LETTERS.items()}


def shapes_of(text: str) -> list[bytes]:
    """The shapes of what stands between the spaces of a text."""
    raw = text.encode("utf-8", "surrogatepass")
    if b"'" in raw:
        raw = _CONTRACTED.sub(_sign, raw)
    return raw.translate(_ALIKE).split(b" ")


def word_of(shape: bytes) -> str:
    """A word of this shape."""
    for sign, letters in _LETTERS.items():
        shape = shape.replace(sign, letters)
    return shape.decode("utf-8", "surrogatepass")


class ByShape(dict[bytes, _Answer]):
    """What is answered of a word, by its shape: asked once for all words of a shape."""

    def __init__(self, ask: Callable[[str], _Answer]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, shape: bytes) -> _Answer:
        answer = self._ask(word_of(shape))
        if len(shape) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[shape] = answer
        return answer


def _sign(found: re.Match[bytes]) -> bytes:
    return b"'" + _SIGNS[found[1].translate(_ALIKE)]
