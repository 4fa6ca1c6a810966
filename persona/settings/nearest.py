"""The name that somebody probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known name that is most like `word`, or empty."""
    found = get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return found[0] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    close = nearest(word, names)
    if close:
        return f"; did you mean {close!r}?"
    return f"; there is {', '.join(map(repr, names))}" if names else "; there is none"
