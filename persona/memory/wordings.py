"""What the wording of each memory gives away, read once and only where a search wants to know it.

A byte a row: how far it tells of a change (`changes.told`), and whether it could answer a question for an amount or
a time, and one for a name.
"""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from persona.memory import changes
from persona.memory.columns import Column
from persona.memory.intent import Wanted

_UNREAD, _AMOUNT, _NAME = 128, 64, 32
_NO_AMOUNT, _NO_NAME = -2.0, -1.0  # who says no name may say "my brother"
_STEPS = 2  # `told` is a half at the least
_AMOUNTS = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|"
    r"half|once|twice|un|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|quinze|vingt|trente|cent|noon|midi|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:lun|mar|mercre|jeu|vendre|same)dis?|dimanches?|"
    r"january|february|march|april|june|july|august|september|october|november|december|"
    r"janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre)\b",
    re.IGNORECASE,
)
_NAMES = re.compile(r"(?:[\w,;:'’] |['’])(?!I\b)[A-ZÀ-Ý]\w")  # a capital that opens no sentence


class Wordings:
    """What the wordings of slots 0, 1, 2 … tell."""

    def __init__(self) -> None:
        self._read = Column(np.uint8)

    @property
    def nbytes(self) -> int:
        """The bytes it holds."""
        return self._read.nbytes

    def extend(self, count: int) -> None:
        """Appends so many slots, none of them read."""
        self._read.extend(np.full(count, _UNREAD, np.uint8))

    def keep(self, live: NDArray[np.bool_]) -> None:
        """Forgets dead slots."""
        self._read.keep(live)

    def told(self, slots: NDArray[np.intp], text: Callable[[int], str]) -> NDArray[np.float64]:
        """How far each tells of a change, -1 to 1, shape (slots,). `text` gives the text of a slot."""
        found = self._of(slots, text) & (_NAME - 1)
        return found / _STEPS - 1.0

    def answers(self, wanted: Wanted, slots: NDArray[np.intp], text: Callable[[int], str]) -> NDArray[np.float64]:
        """Whether each could hold what is wanted, 1 or less than 0, shape (slots,); 0 where anything may be."""
        if wanted is Wanted.ANYTHING:
            return np.zeros(len(slots))
        flag, without = (_AMOUNT, _NO_AMOUNT) if wanted is Wanted.AMOUNT else (_NAME, _NO_NAME)
        return np.where(self._of(slots, text) & flag, 1.0, without)

    def _of(self, slots: NDArray[np.intp], text: Callable[[int], str]) -> NDArray[np.uint8]:
        read = self._read.values
        for slot in slots[read[slots] == _UNREAD].tolist():
            read[slot] = _byte(text(slot))
        return read[slots]


def _byte(text: str) -> int:
    told = int((changes.told(text) + 1) * _STEPS)
    return told | (_AMOUNT if _AMOUNTS.search(text) else 0) | (_NAME if _NAMES.search(text) else 0)
