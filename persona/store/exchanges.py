"""The log of model calls: what was sent and why (the plan), to whom, what it used, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from sqlalchemy import and_, select

from persona.store.codec import PlanText, decode_plan, encode_parts
from persona.store.owners import IS_OWNER, identity
from persona.store.statements import insert_unless_there, param, table
from persona.store.tables import AttemptRow, ConversationRow, ExchangeRow, MessageRow, OwnerRow, PromptRow
from persona.store.transaction import Statement, Transaction
from persona.values.message import Part
from persona.values.owner import Owner
from persona.values.plan import Plan
from persona.values.request import StopReason, Target, Usage
from persona.values.turn import Cost

Outcome = Literal["answered", "failed", "cut", "cancelled"]
Purpose = Literal["turn", "learn", "summarise", "shadow"]

_e, _m = table(ExchangeRow).c, table(MessageRow).c
_o, _v = table(OwnerRow).c, table(ConversationRow).c
_INSERT = insert_unless_there(ExchangeRow)
_INSERT_ATTEMPT = insert_unless_there(AttemptRow)
_INSERT_PROMPT = insert_unless_there(PromptRow)
_PLAN = Statement(select(_e.plan).where(_e.id == param("id")))
_PLANS = Statement(
    select(_e.plan)
    .join(table(OwnerRow), table(OwnerRow).c.key == _e.owner_key)
    .where(*IS_OWNER, _e.reply_id == param("reply_id"))
    .order_by(_e.number.desc())
)
_WHOSE = Statement(
    select(_o.tenant, _o.name, _v.id)
    .select_from(table(MessageRow))  # found by its key; exchanges are indexed by their owner first
    .join(table(ExchangeRow), and_(_e.owner_key == _m.owner_key, _e.reply_id == _m.id))
    .join(table(OwnerRow), _o.key == _m.owner_key)
    .join(table(ConversationRow), _v.key == _m.conversation_key)
    .where(_m.id == param("reply_id"))
    .limit(1)
)
_OF_TURN = Statement(
    select(
        *(_e.provider, _e.model, _e.stop, _e.input_tokens, _e.output_tokens, _e.cache_read_tokens),
        *(_e.cache_write_tokens, _e.reasoning_tokens, _e.cost_usd, _e.cost_source, _e.plan, _e.outcome),
    )
    .join(table(MessageRow), _m.turn_id == _e.turn_id)
    .where(_m.id == param("reply_id"), _e.purpose == "turn")
    .order_by(_e.started_us, _e.number)
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at an exchange; `outcome` is `answered` or the name of the error."""

    target: Target
    outcome: str
    status: int | None
    started_us: int
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """One model call. `number` counts within its turn; `partial` is what a cut stream had brought, `said` what
    a shadow said: no message holds either.

    `purpose` says what it was for: the turn's reply, or background work that the turn caused.
    """

    id: str
    turn_id: str
    conversation_key: int
    owner_key: int
    number: int
    route: str
    arm: str
    target: Target
    plan: PlanText
    outcome: Outcome
    started_us: int
    latency_ms: float
    consent: bool | None
    reply_id: str = ""
    stop: StopReason | Literal[""] = ""
    error: str = ""
    partial: str = ""
    said: tuple[Part, ...] = ()
    served_model: str = ""
    request_id: str = ""
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    first_token_ms: float | None = None
    attempts: tuple[Attempt, ...] = ()
    purpose: Purpose = "turn"


@dataclass(frozen=True, slots=True)
class Call:
    """What a stored reply's exchange says about usage, cost and plan."""

    target: Target
    stop: str
    usage: Usage
    cost: Cost
    plan: Plan
    outcome: str


def log(tx: Transaction, exchange: Exchange) -> bool:
    """Writes an exchange and its attempts, once: the answer to an earlier COMMIT may have been lost on its way.

    False when it was there.
    """
    written = tx.run(_INSERT, _row(exchange))
    _log_attempts(tx, exchange)
    return bool(written)


def log_new(tx: Transaction, exchange: Exchange) -> None:
    """The same for one that is known not to be there, without asking."""
    tx.put(_INSERT, _row(exchange))
    _log_attempts(tx, exchange)


def _row(exchange: Exchange) -> dict[str, object]:
    usage, cost = exchange.usage, exchange.cost
    return {
        "id": exchange.id,
        "owner_key": exchange.owner_key,
        "conversation_key": exchange.conversation_key,
        "turn_id": exchange.turn_id,
        "number": exchange.number,
        "purpose": exchange.purpose,
        "reply_id": exchange.reply_id,
        "route": exchange.route,
        "arm": exchange.arm,
        "provider": exchange.target.provider,
        "model": exchange.target.model,
        "served_model": exchange.served_model,
        "request_id": exchange.request_id,
        "plan": exchange.plan.text,
        "planned_tokens": exchange.plan.total,
        "prefix_tokens": exchange.plan.prefix_tokens,
        "outcome": exchange.outcome,
        "stop": exchange.stop,
        "error": exchange.error,
        "partial": exchange.partial,
        "said": encode_parts(exchange.said) if exchange.said else "",
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_usd": "" if cost.amount is None else str(cost.amount),
        "cost_source": cost.source,
        "consent": exchange.consent,
        "started_us": exchange.started_us,
        "first_token_ms": exchange.first_token_ms,
        "latency_ms": exchange.latency_ms,
    }


def _log_attempts(tx: Transaction, exchange: Exchange) -> None:
    for number, attempt in enumerate(exchange.attempts):
        tx.put(
            _INSERT_ATTEMPT,
            {
                "exchange_id": exchange.id,
                "number": number,
                "provider": attempt.target.provider,
                "model": attempt.target.model,
                "outcome": attempt.outcome,
                "status": attempt.status,
                "started_us": attempt.started_us,
                "latency_ms": attempt.latency_ms,
            },
        )


def keep_prompt(tx: Transaction, digest: str, text: str) -> None:
    """Keeps the words behind a digest in a plan, once."""
    tx.put(_INSERT_PROMPT, {"digest": digest, "text": text})


def plan(tx: Transaction, exchange_id: str) -> Plan | None:
    """The plan of one exchange."""
    row = tx.one(_PLAN, {"id": exchange_id}) if exchange_id else None
    return decode_plan(row[0]) if row else None


def plans_of_reply(tx: Transaction, owner: Owner, reply_id: str) -> list[Plan]:
    """The plans that led to one of this owner's replies, the last call first."""
    return [decode_plan(row[0]) for row in tx.all(_PLANS, {**identity(owner), "reply_id": reply_id})]


def owner_of_reply(tx: Transaction, reply_id: str) -> tuple[Owner, str] | None:
    """The user a reply was for, and their conversation's id: for the operator, who looks across owners."""
    row = tx.one(_WHOSE, {"reply_id": reply_id})
    return (Owner(row[0], row[1]), str(row[2])) if row else None


def calls_of_reply(tx: Transaction, reply_id: str) -> Sequence[Call]:
    """Every call of the turn that ended in this reply, in order."""
    calls = []
    for provider, model, stop, *counts, cost, cost_source, raw, outcome in tx.all(_OF_TURN, {"reply_id": reply_id}):
        paid = Cost(Decimal(cost) if cost else None, cost_source)
        calls.append(Call(Target(provider, model), stop, Usage(*counts), paid, decode_plan(raw), outcome))
    return calls
