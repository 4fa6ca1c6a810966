"""When history overflows: where the new anchor lands, and what a summary must cover by then."""

from collections.abc import Sequence

from persona.values.plan import Outline
from persona.window.materials import PastTurn, Summary
from persona.window.rules import EXACT, SectionRule, Share


def landing(turns: Sequence[PastTurn], grant: int, low_water: float, summary: Summary | None) -> int:
    """The index of the first turn to keep: history falls to `low_water` of its grant.

    The newest turn stays even above that, if the grant holds it: a reply that forgets what was just said is worse
    than an early jump. When the summary stops a little before that point, history starts right after it instead, if
    it still fits, so that nothing falls between the two.
    """
    cut = newest_that_fit(turns, int(grant * low_water))
    if cut == len(turns):
        cut -= bool(turns) and turns[-1].tokens <= grant
    if summary is None:
        return cut
    after = next((i for i, turn in enumerate(turns) if turn.first_depth > summary.upto_depth), len(turns))
    return after if after < cut and tokens_of(turns[after:]) <= grant else cut


def newest_that_fit(turns: Sequence[PastTurn], tokens: int) -> int:
    """The index of the first of the newest turns that together take at most `tokens`."""
    index = len(turns)
    while index and turns[index - 1].tokens <= tokens:
        index -= 1
        tokens -= turns[index].tokens
    return index


def due_for_summary(turns: Sequence[PastTurn], grant: int, low_water: float, at: float) -> int | None:
    """The depth up to which a summary should be made now, or None while history is below `at` of its grant.

    It covers what a jump at the full grant would leave out. That is never the newest turn, unless it is too large
    to be shown again.
    """
    total = tokens_of(turns)
    leaving = total - grant * low_water if total > grant else grant * (1 - low_water)
    if not turns or total < max(at * grant, leaving):
        return None
    may_leave = turns if turns[-1].tokens > grant else turns[:-1]
    for turn in may_leave:
        leaving -= turn.tokens
        if leaving <= 0:
            return turn.messages[-1].depth
    return may_leave[-1].messages[-1].depth if may_leave else None


def room_of_history(plan: Outline, most: Share) -> int:
    """What history could take at most in that window: what it took and what nobody used, within its `most`."""
    _, most_exactly = SectionRule(max=most).bounds(plan.limit)
    return min(plan.limit - plan.total + plan.history, most_exactly // EXACT)


def tokens_of(turns: Sequence[PastTurn]) -> int:
    """Tokens of several turns."""
    return sum([turn.tokens for turn in turns])
