"""What is said beside the numbers: what failed, what it cost, and what was not compared. Nothing is dropped unsaid."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from persona.evaluation import judge
from persona.evaluation.answer import Answer
from persona.evaluation.replay import Played

Arms = tuple[str, str]


def failures(arms: Arms, played: Sequence[Played]) -> dict[str, Mapping[str, int]]:
    """How often each arm failed, by the error."""
    found: dict[str, Mapping[str, int]] = {}
    for place, arm in enumerate(arms):
        errors = Counter(one.answers[place].error for one in played if one.answers and one.answers[place].error)
        if errors:
            found[arm] = dict(sorted(errors.items()))
    return found


def costs(arms: Arms, played: Sequence[Played], *, judging: bool) -> dict[str, str]:
    """What each arm, and the judge, cost in US dollars; empty where a price or a count is unknown."""
    found = {arm: _total([one.answers[place] for one in played if one.answers]) for place, arm in enumerate(arms)}
    if judging:
        found[judge.JUDGE] = _total([answer for one in played for answer in one.verdicts or ()])
    return found


def notes(arms: Arms, played: Sequence[Played], limit: Decimal | None, *, ours: bool) -> Iterator[str]:
    """What a reader of the numbers has to know, in words."""
    problems = Counter(one.scene.problem for one in played if one.scene.problem)
    yield from (f"{number} examples were not asked: {problem}" for problem, number in sorted(problems.items()))
    left_out = sum(one.answers is None and not one.scene.problem for one in played)
    if left_out:
        yield f"{left_out} examples were not asked: they might have passed the limit of ${limit}"
    passing = sum(one.answers is not None and any(answer.again for answer in one.answers) for one in played)
    if passing:
        yield f"{passing} examples lack an answer since a provider failed; the same command asks for them again"
    if not ours:
        yield "the file names no users: each of its rows counts as a user of its own"
    for place, arm in enumerate(arms):
        called = sum(bool(one.answers and one.answers[place].tools) for one in played)
        if called:
            yield f"{arm} asked for tools in {called} answers, which were not run"
    yield from _of_the_judge(played)


def _of_the_judge(played: Sequence[Played]) -> Iterator[str]:
    pairs = [tuple(judge.winner(one.text) for one in each.verdicts) for each in played if each.verdicts]
    unsaid = sum(None in pair for pair in pairs)
    unlike = sum(None not in pair and pair not in (("A", "B"), ("B", "A"), ("tie", "tie")) for pair in pairs)
    unjudged = sum(one.unjudged for one in played)
    if unsaid:
        yield f"the judge gave no verdict on {unsaid} of {len(pairs)} examples"
    if unlike:
        yield f"the judge changed its mind with the order on {unlike} of {len(pairs)} examples, which count as ties"
    if unjudged:
        yield f"{unjudged} examples were not judged: that might have passed the limit"


def _total(answers: Sequence[Answer]) -> str:
    known = [one.cost for one in answers if not one.error]
    if any(cost is None for cost in known):
        return ""
    return f"{sum((cost for cost in known if cost is not None), Decimal(0)):f}"
