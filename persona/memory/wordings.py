"""What the wording of each memory gives away, read when it is stored, or once a search wants to know it.

Two bytes a row: how far it tells of a change (`changes.told`), whether the one who says it speaks in it, whether it is
about somebody else alone, whether it corrects what was said right before, and whether it could answer a question for
an amount or a time, and one for a name.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from persona.memory import changes
from persona.memory.columns import Column
from persona.memory.intent import KIN, Wanted
from persona.values.remembered import remembered

_TOLD, _NAME, _AMOUNT, _SELF, _ELSE, _CORRECTION, UNREAD = 7, 8, 16, 32, 64, 128, 256
_RULES = 2  # another one when these rules, or those of `changes`, tell something else: what was stored is then unread
_TERM, _BEHIND = 10, 3  # bytes: of a term, and of what else `postings.terms_of` and `packed` make
_NO_AMOUNT, _NO_NAME = -2.0, -1.0  # who says no name may say "my brother"
_STEPS = 2  # `told` is a half at the least
_SPELT = (
    "1 one|2 two deux|3 three trois|4 four quatre|5 five cinq|6 six|7 seven sept|8 eight huit|9 nine neuf|10 ten dix|"
    "11 eleven onze|12 twelve douze|15 fifteen quinze|20 twenty vingt|30 thirty trente|40 forty quarante|"
    "50 fifty cinquante|100 hundred cent|1000 thousand mille"
)
_NUMBERS = {word: float(value) for value, *listed in map(str.split, _SPELT.split("|")) for word in listed}
_OPENINGS = "".join({word[0] for word in _NUMBERS})  # where no number begins, none is tried
# but for names, these read small letters: a search that ignores case takes four times as long
_NUMBER = re.compile(rf"(?=[\d{_OPENINGS}])(?:\d+(?:[.,]\d+)?|\b(?:{'|'.join(_NUMBERS)})\b)")
_SAME_SIZE = 2.5  # two values of one thing differ by no more than this factor
_AMOUNTS = re.compile(
    rf"\d|\b(?:{'|'.join(_NUMBERS)}|half|once|twice|un|noon|midi|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:lun|mar|mercre|jeu|vendre|same)dis?|dimanches?|"
    r"january|february|march|april|june|july|august|september|october|november|december|"
    r"janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre)\b"
)
_NAMES = re.compile(r"(?:[\w,;:'’] |['’])(?!I\b)[A-ZÀ-Ý]\w")  # a capital that opens no sentence
_ONESELF = re.compile(r"\b(?:i|we|me|us|my|our|je|j|m|moi|nous|on|mon|ma|mes|notre|nos)\b")
_SPEAKING = re.compile(r"\b(?:i|we|me|us|je|j|m|moi|nous|on)\b")
_ANOTHER = re.compile(rf"\b(?:{KIN}|he|she|his|her|il|elle)\b")
_NAMED = re.compile(r"\W*[A-ZÀ-Ý]\w+(?:['’]s)? (?:has|\w+s|\w+ed|est|\w*a|fait|\w+e)\b")  # it opens with a name
_CORRECTS = re.compile(
    r"\W*(?:(?:oh|ah|euh|er|um|hmm|ok|right)\W+)*(?:sorry|no|non|scratch that|wait|oops|correction|i mean|my mistake|"
    r"my bad|actually|rather|pardon|je corrige|mince|zut|oups|en fait|plutôt|erreur|désolée?|"
    r"je me suis trompée?|attends?)\b"
)

_EVERY = np.arange(UNREAD)
_STATES = (_EVERY & _TOLD > 0) * (1 + (_EVERY & _SELF > 0))

Text = Callable[[int], str]
"""The text of a slot."""
Read = NDArray[np.uint16]
"""What wordings tell, one number each, all below `UNREAD`."""
OneOrSome = TypeVar("OneOrSome", int, NDArray[np.integer[Any]])
"""What one wording tells, or what some tell."""


class Wordings:
    """What the wordings of slots 0, 1, 2 … tell."""

    __slots__ = ("_read",)

    def __init__(self) -> None:
        self._read = Column(np.uint16)

    @property
    def nbytes(self) -> int:
        """The bytes it holds."""
        return self._read.nbytes

    def extend(self, packed: Sequence[bytes]) -> None:
        """Appends slots by what is stored of their terms, `packed` behind them or not."""
        self._read.extend([one[-2] if len(one) % _TERM == _BEHIND and one[-1] == _RULES else UNREAD for one in packed])

    def keep(self, live: NDArray[np.bool_]) -> None:
        """Forgets dead slots."""
        self._read.keep(live)

    def known(self, slots: NDArray[np.intp] | slice) -> NDArray[np.uint16]:
        """What is known of each, shape (slots,): what `read` gives, or `UNREAD`."""
        return self._read.values[slots]

    def of(self, slot: int, text: Text) -> int:
        """What `read` gives for one slot."""
        found = self._read.values.item(slot)
        if found == UNREAD:
            self._read.values[slot] = found = _bits(text(slot))
        return found

    def read(self, slots: NDArray[np.intp], text: Text) -> NDArray[np.uint16]:
        """What the wording of each tells, shape (slots,), for the functions below; reads texts that were not."""
        read = self._read.values
        found = read.take(slots)
        if np.count_nonzero(unread := found == UNREAD):
            for slot in slots[unread].tolist():
                read[slot] = _bits(text(slot))
            found = read.take(slots)
        return found


def told(read: Read) -> NDArray[np.float64]:
    """How far each tells of a change, -1 to 1."""
    return (read & _TOLD) / _STEPS - 1.0


def states(read: Read) -> NDArray[np.int64]:
    """1 for what states something, 2 where it is about the one who says it, 0 for questions and requests."""
    return _STATES.take(read)


def stated(read: int) -> bool:
    """Whether one states something."""
    return read & _TOLD > 0


def about_another(read: OneOrSome) -> OneOrSome:
    """What is not 0 for those that speak of somebody, and not of the one who says it."""
    return read & _ELSE


def corrects(read: int) -> bool:
    """Whether one takes back what was said right before."""
    return read & _CORRECTION > 0


def answers(wanted: Wanted, read: Read) -> NDArray[np.float64]:
    """Whether each could hold what is wanted, 1 or less than 0; 0 where anything may be."""
    if wanted is Wanted.ANYTHING:
        return np.zeros(len(read))
    flag, without = (_AMOUNT, _NO_AMOUNT) if wanted is Wanted.AMOUNT else (_NAME, _NO_NAME)
    return np.where(read & flag, 1.0, without)


def amounts(read: OneOrSome) -> OneOrSome:
    """What is not 0 for those that name an amount or a time."""
    return read & _AMOUNT


def counts_anew(before: str, after: str) -> bool:
    """Whether a text holds another number of the size of one in an older text."""
    older, newer = _values(before), _values(after)
    return any(a != b and a < _SAME_SIZE * b and b < _SAME_SIZE * a for a in older for b in newer)


@remembered(1 << 10)
def _values(text: str) -> tuple[float, ...]:
    return tuple(_NUMBERS.get(one) or float(one.replace(",", ".")) for one in _NUMBER.findall(text.lower()))


def packed(text: str) -> bytes:
    """What the wording of a text tells, as the store keeps it behind its terms."""
    return bytes((_bits(text), _RULES))


def _bits(text: str) -> int:
    stated = changes.stated(text)
    said = stated.lower()
    flags = {
        _AMOUNT: _AMOUNTS.search(text.lower()),
        _NAME: _NAMES.search(text),
        _SELF: _ONESELF.search(said),
        _ELSE: _about_another(stated, said),
        _CORRECTION: _CORRECTS.match(said),
    }
    return int((changes.told(stated) + 1) * _STEPS) | sum(flag for flag, found in flags.items() if found)


def _about_another(stated: str, said: str) -> bool:
    if _SPEAKING.search(said):
        return False
    return bool(_ANOTHER.search(said) or (_NAMED.match(stated) and not _ONESELF.search(said)))
