"""Chooses what goes into a section under its grant, and says so.

Always from the best down until one no longer fits: a larger grant then only ever adds.
"""

from collections.abc import Sequence

from persona.values.message import Message, say
from persona.values.plan import Candidate, SectionName, SectionPlan
from persona.window.blocks import summary_block
from persona.window.materials import Block, Summary, digest
from persona.window.snapshot import Wish

_FROZEN = "frozen at the anchor"
_NO_TEXT = digest("")


def choose_lines(name: SectionName, wish: Wish, grant: int, kept: str = _FROZEN) -> tuple[str, SectionPlan]:
    """The lines that fit, joined, and the section's plan. `kept` is the rule that goes with them."""
    if not wish.lines and not wish.dropped:
        return "", SectionPlan(name, 0, grant, (), _NO_TEXT)
    used, open_, over = wish.wrapping, True, _over(grant)
    text: list[str] = []
    candidates: list[Candidate] = []
    for line in wish.lines:
        open_ = open_ and used + line.tokens <= grant
        if open_:
            used += line.tokens
            text.append(line.text)
        rule = kept if open_ else over
        candidates.append(Candidate(line.id, line.tokens, open_, rule, line.score, line.title))
    for line, rule in wish.dropped:
        candidates.append(Candidate(line.id, line.tokens, False, rule, line.score, line.title))
    body = "".join(text)
    return body, SectionPlan(name, used if text else 0, grant, tuple(candidates), digest(body))


def choose_shots(shots: Sequence[Block], grant: int) -> tuple[tuple[Message, ...], SectionPlan]:
    """The demonstrations that fit, as messages."""
    if not shots:
        return (), SectionPlan("shots", 0, grant)
    used, open_ = 0, True
    chosen: list[Block] = []
    candidates: list[Candidate] = []
    for shot in shots:
        open_ = open_ and used + shot.tokens <= grant
        if open_:
            used += shot.tokens
            chosen.append(shot)
        candidates.append(Candidate(shot.id, shot.tokens, open_, _FROZEN if open_ else _over(grant)))
    seal = "".join(shot.digest for shot in chosen)
    messages = tuple(message for shot in chosen for message in shot.messages)
    return messages, SectionPlan("shots", used, grant, tuple(candidates), seal)


def choose_summary(summary: Summary | None, tokens: int, grant: int) -> tuple[tuple[Message, ...], SectionPlan]:
    """The summary as a system message, when there is one and it fits."""
    if summary is None:
        return (), SectionPlan("summary", 0, grant)
    if tokens > grant:
        return (), SectionPlan("summary", 0, grant, (Candidate(summary.id, tokens, False, _over(grant)),))
    text = summary_block(summary.text)
    candidate = Candidate(summary.id, tokens, True, _FROZEN)
    return (say("system", text),), SectionPlan("summary", tokens, grant, (candidate,), digest(text))


def pinned(name: SectionName, tokens: int, block: Block | None = None) -> SectionPlan:
    """A section that is always in."""
    candidate = Candidate(block.id if block else name, tokens, True, "pinned")
    return SectionPlan(name, tokens, tokens, (candidate,), block.digest if block else "")


def _over(grant: int) -> str:
    return f"over the section's {grant} tokens"
