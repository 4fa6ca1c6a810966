"""What each sign is to a reader of texts: found out once for every sign that is met, then looked up."""

import re
import sys
import unicodedata

import numpy as np
from numpy.typing import NDArray

from persona.harvest.similar import readings, text

WORD = 1 << 0  # of words: letters and digits
TIE = 1 << 1  # the underscore, which is of a word for `re` and of none for us
ALONE = 1 << 2  # a word by itself
DIGIT = 1 << 3
SPACE = 1 << 4
DOT = 1 << 5  # may stand between the thousands of a number, like a space
CAPITAL = 1 << 6
CLING = 1 << 7  # after which no capital begins a name
LIGHT = 1 << 8  # may stand between the end of a sentence and the next one
END = 1 << 9  # ends a sentence
_KNOWN = 1 << 10
ODD = 1 << 11  # makes a text one that is read on its own; the highest

_KINDS = (
    (WORD, re.compile(text.WORD)), (TIE, re.compile("_")), (ALONE, re.compile(text.ALONE)),
    (DIGIT, re.compile(r"\d")), (SPACE, re.compile(r"\s")), (DOT, re.compile(r"[.,']")),
    (CAPITAL, re.compile(readings.CAPITAL)), (CLING, re.compile("['’]")),
    (LIGHT, re.compile(f"[{re.escape(readings.LIGHT)}]")),
    (END, re.compile(f"[{re.escape(readings.ENDS)}{text.BORDER}]")),
)  # fmt: skip
_HARMLESS = "…\ufe0f"  # more than one dot is not between thousands; and what makes a sign an emoji says nothing
_WORD = re.compile(f"(?:{text.WORD})+")
_SAYS = re.compile(f"{text.WORD}|{text.ALONE}|[.,']")  # is a word, or may stand within one
_known = np.zeros(sys.maxunicode + 1, np.uint16)  # 2 MB, of which a few pages are ever touched


def kinds(codes: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """The kinds of signs, by their code points: the bits above. Shape as `codes`."""
    found = _known.take(codes, mode="clip")
    if not found.min(initial=ODD):
        for code in np.unique(codes[found == 0]).tolist():
            _known[code] = _kind(chr(code))
        found = _known.take(codes, mode="clip")
    return found


def _kind(sign: str) -> int:
    kind = _KNOWN if _is_plain(sign) else _KNOWN | ODD
    return kind | sum(bit for bit, pattern in _KINDS if pattern.fullmatch(sign))


def _is_plain(sign: str) -> bool:
    """Whether the sign makes in any text the words that it makes alone, and its small form the same ones."""
    small, form = sign.casefold(), unicodedata.normalize("NFKC", sign)
    if any(unicodedata.category(part)[0] == "M" for part in (sign, *form)) or text.is_far(small):
        return sign in _HARMLESS  # may change the sign before it, or is not read letter by letter
    if form != sign and sign not in _HARMLESS:
        return _SAYS.search(form) is None and form.isspace() == sign.isspace()  # some space, some other hyphen
    return small == sign or (_WORD.fullmatch(sign) is not None and _WORD.fullmatch(small) is not None)
