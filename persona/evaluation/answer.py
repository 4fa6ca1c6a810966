"""What an arm, or the judge, said to one request: as it is kept in the journal."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, or the name of the error instead. `again` says that asking once more may bring one.

    `cost` is US dollars, None where a price or a count is unknown; `tools` are the names of those that it called.
    """

    text: str = ""
    stop: str = ""
    error: str = ""
    again: bool = False
    latency_ms: float = 0.0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    tools: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the provider, or the model as it says itself, refused to answer."""
        return self.stop == "refused" or self.error == "Refused"
