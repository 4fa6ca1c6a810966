"""Which arm a user is on: a stable hash, so the same on every worker and after every restart.

Users stand on a line from 0 to 1. The first arm of the settings has what the others leave; each of the others has a
home on the line, as far from one another as can be, and grows upwards from it. So a share that is raised takes users
from the first arm alone: nobody who was in it leaves, and no other arm loses anybody, until an arm reaches the next
one's home. Then it goes on in whatever is free.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import count

from persona.values.owner import Owner

_WHOLE = 2**64
_NOTHING = 1e-12  # of the line: less is the rounding of a share

Segment = tuple[float, float, str]
"""From where, up to where, and whose."""


class Shares:
    """The arms of one route on the line. `experiment` keeps two experiments from choosing the same users."""

    def __init__(self, experiment: str, shares: Mapping[str, float]) -> None:
        self._experiment = experiment
        taken = _laid_out(shares)
        self._ends = [end for _, end, _ in taken[:-1]]
        self._arms = [arm for _, _, arm in taken]

    def arm(self, owner: Owner) -> str:
        """The arm of this owner."""
        if not self._ends:
            return self._arms[0]
        return self._arms[bisect_right(self._ends, position(self._experiment, owner))]


def position(experiment: str, owner: Owner) -> float:
    """Where an owner stands in an experiment: uniform in [0, 1)."""
    text = "\x1f".join((experiment, owner.tenant, owner.name))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / _WHOLE


def _laid_out(shares: Mapping[str, float]) -> list[Segment]:
    """The whole line in segments, in order."""
    first, *others = shares
    homes = sorted((home, arm) for home, arm in zip(map(_home, count()), others, strict=False))
    taken: list[Segment] = []
    left: dict[str, float] = {}
    for (home, arm), (until, _) in zip(homes, [*homes[1:], (1.0, "")], strict=False):  # none, when one arm has all
        end = min(home + shares[arm], until)
        taken.append((home, end, arm))
        left[arm] = shares[arm] - (end - home)
    for arm in others:  # what went beyond the next one's home
        for start, end in _free(taken):
            if left[arm] > _NOTHING:
                taken.append((start, min(end, start + left[arm]), arm))
                left[arm] -= min(end, start + left[arm]) - start
    return sorted([*taken, *((start, end, first) for start, end in _free(taken))])


def _free(taken: Sequence[Segment]) -> list[tuple[float, float]]:
    """What of the line nobody has, in order."""
    edges = sorted((start, end) for start, end, _ in taken)
    ends, starts = [0.0, *(end for _, end in edges)], [*(start for start, _ in edges), 1.0]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if start - end > _NOTHING]


def _home(number: int) -> float:
    """0, 1/2, 1/4, 3/4, 1/8 …: van der Corput's sequence, in which each next one falls into a widest gap."""
    bits = f"{number:b}"[::-1]
    return int(bits, 2) / float(1 << len(bits))
