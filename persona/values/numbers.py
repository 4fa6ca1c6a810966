"""Numbers that somebody wrote as text."""

from math import isfinite


def whole_above_zero(text: str) -> int:
    """1, 2, 3 … Raises ValueError for anything else."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def above_zero(text: str) -> float:
    """A finite number above 0. Raises ValueError for anything else."""
    number = float(text)
    if not isfinite(number) or number <= 0:
        raise ValueError(text)
    return number
