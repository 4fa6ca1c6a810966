"""What the log holds of whole conversations, as harvest and replay read it."""

from decimal import Decimal

from persona.values.memory import Fact, MemoryKind
from persona.values.message import Message
from persona.values.owner import Owner, Traits
from persona.values.record import record
from persona.values.request import Target, Usage
from persona.values.turn import Cost


@record(frozen=True, slots=True)
class LoggedExchange:
    """One model call. `plan` and `said` are JSON that is read only where it is needed.

    `reply_id` is the message that it brought, empty where it brought none; a call for another `purpose` than `turn`
    never does, and what a shadow said is in `said` (`store.codec.decode_parts`). Times are UTC microseconds.
    """

    id: str
    turn_id: str
    number: int
    purpose: str
    reply_id: str
    route: str
    arm: str
    provider: str
    model: str
    served_model: str
    outcome: str
    stop: str
    error: str
    consent: bool | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: str
    cost_source: str
    started_us: int
    latency_ms: float
    plan: str
    said: str = ""

    @property
    def target(self) -> Target:
        """Who was asked."""
        return Target(self.provider, self.model)

    @property
    def usage(self) -> Usage:
        """Tokens as the provider reported them."""
        cached = (self.cache_read_tokens, self.cache_write_tokens)
        return Usage(self.input_tokens, self.output_tokens, *cached, self.reasoning_tokens)

    @property
    def cost(self) -> Cost:
        """What it cost, as far as that is known."""
        return Cost(Decimal(self.cost_usd) if self.cost_usd else None, self.cost_source)


@record(frozen=True, slots=True)
class LoggedFeedback:
    """A rating, a correction, a comment or a regeneration, on one reply."""

    id: str
    message_id: str
    kind: str
    rating: float | None
    text: str
    created_us: int


@record(frozen=True, slots=True)
class LoggedSummary:
    """What was said up to and including the message at `upto_depth`, and when that was written."""

    id: str
    text: str
    upto_depth: int
    created_us: int


@record(frozen=True, slots=True)
class LoggedMemory:
    """The words of a memory that a plan names by its id, and where they come from. `at_us` is when it was said."""

    id: str
    owner_key: int
    kind: MemoryKind
    text: str
    title: str
    heading: str
    fact_kind: str
    message_id: str
    page: int
    at_us: int


@record(frozen=True, slots=True)
class LoggedConversation:
    """One conversation with everything that hangs on it.

    `messages` are the whole tree, by depth and then by id, and `counts` their stored token counts as undecoded JSON
    by the counter's name, one for one. `exchanges` and `feedback` are in the order of time. `facts` are all that the
    user's profile ever held, each with the time that it was true; `traits` are those of today, and so are `consent`
    (None while they were never asked) and `head_id`, the newest message of the path that was continued.
    """

    key: int
    id: str
    owner: Owner
    owner_key: int
    traits: Traits
    route: str
    arm: str
    tags: tuple[str, ...]
    created_us: int
    head_id: str
    consent: bool | None
    messages: tuple[Message, ...]
    counts: tuple[str, ...]
    exchanges: tuple[LoggedExchange, ...]
    feedback: tuple[LoggedFeedback, ...]
    facts: tuple[Fact, ...]
    summaries: tuple[LoggedSummary, ...]
