"""What a run will cost, before it is begun: tokens × epochs × price, and whether that is within a limit."""

from persona.errors import TooExpensive
from persona.values.tuning import Estimate, TuningCard

_MILLION = 1_000_000


def estimate(tokens: int, label: str, epochs: float | None, card: TuningCard, price: float | None = None) -> Estimate:
    """The estimate. `price` (dollars per million trained tokens) is somebody's own, and goes before the card's."""
    given = price is not None
    known = price if given else card.training_price
    source, checked = ("whoever started it", "") if given else (card.source, card.checked)
    if known is None:
        return Estimate(tokens, label, epochs, None, None, source, checked, "nobody has told its price")
    if known == 0:
        return Estimate(tokens, label, epochs, 0.0, 0.0, source, checked)
    if epochs is None:
        return Estimate(tokens, label, None, known, None, source, checked, "the backend chooses the number of epochs")
    why = "" if label == "exact" else "the tokens are an estimate"
    return Estimate(tokens, label, epochs, known, tokens * epochs * known / _MILLION, source, checked, why)


def check_limit(expected: Estimate, limit_usd: float | None) -> None:
    """Raises TooExpensive where a limit is given and the estimate is above it, or unknown."""
    if limit_usd is None:
        return
    if expected.usd is None:
        hint = "pass epochs" if expected.price is not None else "pass its price per million tokens, or no limit"
        raise TooExpensive(f"the cost is unknown ({expected.why}), and a limit was given", hint=hint)
    if expected.usd > limit_usd:
        raise TooExpensive(
            f"it would cost about ${expected.usd:.2f}, and the limit is ${limit_usd:.2f}",
            hint="train on fewer examples or epochs, or raise the limit",
        )
