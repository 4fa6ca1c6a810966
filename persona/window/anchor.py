"""When history overflows: where the new anchor lands, and what the frozen snapshots hold."""

from collections.abc import Sequence

from persona.values.plan import Plan
from persona.window.materials import Anchor, Line, PastTurn, Summary


def landing(turns: Sequence[PastTurn], grant: int, low_water: float, summary: Summary | None) -> int:
    """The index of the first turn to keep: history falls to `low_water` of its grant.

    When the newest summary stops a little before that point, history starts right after it instead, if it still
    fits, so that nothing falls between the two.
    """
    cut = newest_that_fit(turns, int(grant * low_water))
    if summary is None or cut >= len(turns):
        return cut
    after = next((i for i, turn in enumerate(turns) if turn.first_depth > summary.upto_depth), len(turns))
    return after if after < cut and sum(turn.tokens for turn in turns[after:]) <= grant else cut


def newest_that_fit(turns: Sequence[PastTurn], tokens: int) -> int:
    """The index of the first of the newest turns that together take at most `tokens`."""
    index = len(turns)
    while index and turns[index - 1].tokens <= tokens:
        index -= 1
        tokens -= turns[index].tokens
    return index


def snapshot(facts: Sequence[Line], anchor: Anchor) -> tuple[tuple[Line, ...], tuple[Line, ...], bool]:
    """The profile lines to send, the facts that wait in recall, and whether the snapshot was made anew.

    The snapshot stays as it was frozen; newer facts wait. When one of its facts no longer holds (forgotten,
    erased or superseded) it is rebuilt at once from everything that holds now.
    """
    live = {line.id: line for line in facts}
    if not anchor.frozen_us or any(id not in live for id in anchor.facts):
        return tuple(facts), (), True
    frozen = tuple(live[id] for id in anchor.facts)
    return frozen, tuple(line for line in facts if line.at_us > anchor.frozen_us), False


def due_for_summary(turns: Sequence[PastTurn], grant: int, low_water: float, at: float) -> int | None:
    """The depth up to which a summary should be made now, or None while history is below `at` of its grant.

    It covers what a jump at the full grant would leave out.
    """
    total = sum(turn.tokens for turn in turns)
    if total < at * grant:
        return None
    leaving = total - grant * low_water if total > grant else grant * (1 - low_water)
    for turn in turns[:-1]:
        leaving -= turn.tokens
        if leaving <= 0:
            return turn.messages[-1].depth
    return None


def room_of_history(plan: Plan) -> int:
    """What history could take at most in that window: what it took, and what nobody used."""
    return plan.limit - plan.total + plan.section("history").tokens
