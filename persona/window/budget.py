"""Who gets how much: the budget of a target, shared out among the sections."""

from collections.abc import Collection, Iterable, Mapping

from persona.errors import WindowTooSmall
from persona.values.plan import SectionName
from persona.window.rules import EXACT, WindowRules


def share_out(
    rules: WindowRules,
    wanted: Mapping[SectionName, int],
    room: int,
    frozen: Collection[SectionName] = (),
) -> dict[SectionName, int]:
    """The tokens granted to each flexible section out of `room`.

    First everyone's `min`, then up to everyone's `max`, both in order of priority. What is `frozen` was held to its
    `max` before: a limit that drifts with calibration must not move it. In exact fractions each grant never falls
    when the limit grows, so a larger budget never shows less.
    """
    order = sorted(filter(wanted.get, wanted), key=lambda name: rules.sections[name].priority)
    rest = room * EXACT
    granted = dict.fromkeys(wanted, 0)  # most sections want nothing
    wants: dict[SectionName, int] = {}
    for name in order:
        least, most = rules.sections[name].bounds(rules.limit)
        wants[name] = wanted[name] * EXACT if name in frozen else min(wanted[name] * EXACT, most)
        granted[name] = min(wants[name], least, rest)
        rest -= granted[name]
    for name in order:
        more = min(wants[name] - granted[name], rest)
        granted[name] += more
        rest -= more
        granted[name] //= EXACT
    return granted


def first_that_fit(sizes: Iterable[int], tokens: int) -> int:
    """How many of the first sizes together take at most `tokens`."""
    number = 0
    for size in sizes:
        tokens -= size
        if tokens < 0:
            break
        number += 1
    return number


def refuse(rules: WindowRules, pinned: Mapping[str, int]) -> WindowTooSmall:
    """The error for pinned content that does not fit, with the whole arithmetic."""
    total = sum(pinned.values())
    parts = " + ".join(f"{name} {tokens}" for name, tokens in pinned.items())
    return WindowTooSmall(
        f"what must be sent takes {total} tokens ({parts}), but the input may take {rules.limit} "
        f"({rules.reserve} more are kept for the reply)",
        hint="shorten the input or the instructions, offer fewer tools, or raise window.budget of the route",
    )
