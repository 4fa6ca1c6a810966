"""What a call cost, from its usage and the dated prices of a model card."""

from collections.abc import Iterable
from decimal import Decimal

from persona.adapter import ModelCard
from persona.values.request import Usage
from persona.values.turn import Cost

_MILLION = Decimal(1_000_000)


def cost_of(usage: Usage, card: ModelCard | None) -> Cost:
    """The cost in US dollars; unknown when a price or a count is missing."""
    if card is None:
        return Cost()
    source = f"{card.source}, {card.checked}".strip(", ")
    if card.input_price == 0 and card.output_price == 0:
        return Cost(Decimal(0), source)
    if usage.input_tokens is None or usage.output_tokens is None:
        return Cost(None, source)
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    charged = (
        (usage.input_tokens - read - written, card.input_price),
        (read, card.cache_read_price if card.cache_read_price is not None else card.input_price),
        (written, card.cache_write_price if card.cache_write_price is not None else card.input_price),
        (usage.output_tokens, card.output_price),
    )
    if any(tokens and price is None for tokens, price in charged):
        return Cost(None, source)
    amount = sum((Decimal(tokens) * Decimal(str(price or 0)) for tokens, price in charged), Decimal(0))
    return Cost(amount / _MILLION, source)


def total_cost(costs: Iterable[Cost]) -> Cost:
    """The sum; unknown as soon as one of them is."""
    listed = list(costs)
    if len(listed) == 1:  # as in most turns
        return listed[0]
    source = "; ".join(dict.fromkeys(cost.source for cost in listed if cost.source))
    amounts = [cost.amount for cost in listed]
    if not amounts or any(amount is None for amount in amounts):
        return Cost(None, source)
    return Cost(sum((amount for amount in amounts if amount is not None), Decimal(0)), source)


def total_usage(usages: Iterable[Usage]) -> Usage:
    """The sum, field by field; a field that one call did not report stays unreported."""
    listed = list(usages)
    if len(listed) == 1:  # as in most turns
        return listed[0]

    def total(name: str) -> int | None:
        values = [getattr(usage, name) for usage in listed]
        return None if not values or None in values else sum(values)

    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    return Usage(*(total(name) for name in names))
