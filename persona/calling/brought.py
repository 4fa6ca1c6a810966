"""What a call brought, as its exchange keeps it."""

from typing import Literal, TypedDict

from persona.adapter import ModelCard
from persona.calling.attempt import Heard
from persona.calling.price import cost_of
from persona.store.codec import storable
from persona.store.exchanges import Attempt
from persona.values.request import StopReason, Target, Usage
from persona.values.turn import Cost


class Brought(TypedDict):
    """The fields of an `Exchange` that the call itself tells."""

    started_us: int
    latency_ms: float
    stop: StopReason | Literal[""]
    served_model: str
    request_id: str
    usage: Usage
    cost: Cost
    first_token_ms: float | None
    attempts: tuple[Attempt, ...]


def brought_by(heard: Heard, target: Target, card: ModelCard | None, now_us: int) -> Brought:
    """What was heard, its price by the target's card, and its times; `now_us` where the target was not asked."""
    finish = heard.finish
    tries = tuple([Attempt(target, one.outcome, one.status, one.started_us, one.latency_ms) for one in heard.tries])
    return Brought(
        started_us=tries[0].started_us if tries else now_us,
        latency_ms=sum([one.latency_ms for one in tries]),
        stop=finish.stop if finish else "",
        served_model=storable(finish.model) if finish else "",
        request_id=storable(finish.request_id) if finish else "",
        usage=heard.usage,
        cost=cost_of(heard.usage, card),
        first_token_ms=heard.first_token_ms,
        attempts=tries,
    )
