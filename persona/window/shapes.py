"""The shape of a word: all that its pieces depend on, and not which letters and digits they are of.

What is remembered by shape is met again where the word itself is new, as names, dates and order numbers are, and
says nothing of them.
"""

import re
from string import ascii_lowercase, ascii_uppercase, digits

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


def _sign(found: re.Match[bytes]) -> bytes:
    return b"'" + _SIGNS[found[1].translate(_ALIKE)]
