"""The numbers a window is fitted by, resolved for one target."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from persona.values.plan import SectionName

if TYPE_CHECKING:
    from persona.settings.window import Section, Window

Share = int | float
"""Tokens when an int, a share of the input limit (0 to 1) when a float."""

EXACT = 10_000
"""The fraction of a token in which budgets are shared out."""

FLEXIBLE: tuple[SectionName, ...] = ("profile", "recall", "summary", "shots", "history")

FROZEN: frozenset[SectionName] = frozenset({"profile", "summary", "shots"})
"""What stands as it was when the anchor was set."""


@dataclass(frozen=True, slots=True)
class SectionRule:
    """How much a section must get, how much it may get, and who is served first (the lowest number)."""

    min: Share = 0
    max: Share = 1.0
    priority: int = 5

    def bounds(self, limit: int) -> tuple[int, int]:
        """`min` and `max` in ten-thousandths of a token: whole numbers, so no rounding breaks the order of budgets."""
        return _exact(self.min, limit), _exact(self.max, limit)


@dataclass(frozen=True, slots=True)
class WindowRules:
    """`limit` is the most the input may take and `reserve` what is kept for the reply, in counted tokens.

    When history overflows what it is granted it falls to `low_water` of that (0 to 1): at 60 % a jump costs
    little and is rare. `scale` is how many tokens the provider counts for one of ours.
    """

    limit: int
    reserve: int
    sections: Mapping[SectionName, SectionRule]
    low_water: float = 0.6
    scale: float = 1.0

    def most(self, name: SectionName) -> int:
        """The most tokens that a section may take."""
        return self.sections[name].bounds(self.limit)[1] // EXACT


def rules_of(
    window: "Window", context_tokens: int | None, scale: float, longest_reply: int | None = None
) -> WindowRules:
    """The rules for one target: the route's budget, no more than the model takes, in our own tokens.

    `scale` is how many tokens the provider is expected to count for one of ours. A reply that may be longer than the
    window's reserve gets as much as it may take, and at most half of the budget.
    """
    whole = min(window.budget, context_tokens or window.budget)
    reserve = min(max(window.reserve, longest_reply or 0), whole // 2)
    return WindowRules(
        limit=int((whole - reserve) / scale),
        reserve=reserve,
        sections={name: _rule(getattr(window.sections, name)) for name in FLEXIBLE},
        low_water=window.low_water,
        scale=scale,
    )


def _rule(section: "Section") -> SectionRule:
    return SectionRule(section.min, section.max, section.priority)


def _exact(share: Share, limit: int) -> int:
    return share * EXACT if isinstance(share, int) else round(share * EXACT) * limit
