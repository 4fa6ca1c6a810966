"""The newest of several statements about one thing goes first; evidence is not weighed by its age otherwise."""

from collections.abc import Callable, Sequence

LOOKED_AT = 10
"""How many of the best hits may change places: further down nothing moves."""

_SAME = 0.5  # centred cosine of two statements of one thing with another value
_RELATED = 0.1  # and of a statement with one that tells of a change in it
_HEADS, _MOST_MOVED = 3, 2


def newest_first(
    at_us: Sequence[int],
    alike: Sequence[Sequence[float]],
    scores: Sequence[float],
    lexical: Sequence[float],
    changed: Callable[[int], bool],
) -> list[int]:
    """The order of the best hits, as indexes into the sequences given best first.

    A hit that says nearly the same as an older one goes before it. Then the three best each give way to the best
    newer hit that tells of a change and has to do with them: it is near them, or shares a term of the question with
    the question as they do. At most two move that way.
    """
    order: list[int] = []
    for hit in range(len(scores)):
        older = (at for at, one in enumerate(order) if at_us[hit] > at_us[one] and alike[hit][one] >= _SAME)
        order.insert(next(older, len(order)), hit)
    moved: set[int] = set()
    head = 0
    while head < min(_HEADS, len(order)) and len(moved) < _MOST_MOVED:
        first = order[head]
        for hit in order[head + 1 :]:
            related = alike[first][hit] >= _RELATED or (lexical[first] > 0 and lexical[hit] > 0)
            if related and at_us[hit] > at_us[first] and hit not in moved and changed(hit):
                order.remove(hit)
                order.insert(head, hit)
                moved.add(hit)
                head += 1
                break
        head += 1
    return order
