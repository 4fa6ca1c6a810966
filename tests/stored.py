"""Steps that store tests share: a row kept and counted; a turn opened, answered and logged at a given time."""

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import text

from persona.store import exchanges, turns
from persona.store.codec import written
from persona.store.engine import Database
from persona.store.exchanges import Attempt, Exchange
from persona.store.ids import new_id
from persona.store.opening import Answered, Held, Opened, Opening, open_turn
from persona.store.statements import insert_into
from persona.store.tables import PromptRow
from persona.store.transaction import Statement, Transaction
from persona.store.turns import Advance
from persona.values.message import Message, Text
from persona.values.owner import Owner
from persona.values.plan import SECTIONS, Candidate, HistoryRange, Plan, SectionPlan
from persona.values.request import Target, Usage
from persona.values.turn import Cost

ADA, BOB = Owner("acme", "ada"), Owner("acme", "bob")
TARGET = Target("embedded", "small")
NOW, SECOND = 1_760_000_000_000_000, 1_000_000
LEASE = 90 * SECOND
PLAN = Plan(
    *(str(TARGET), "estimate", "estimate", 700, 4000, 500, 10, 0),
    tuple(SectionPlan(name, 100, 200, (Candidate("mem_1", 20, True, "kept", 0.5, "a title"),)) for name in SECTIONS),
    HistoryRange(0, 20, "msg_1", 10, 500, 0),
)
PRIVATE = "un secret bien gardé"
_KEEP = insert_into(PromptRow)
_COUNT = Statement(text("SELECT count(*) FROM persona_prompts"))


def sql(statement: str) -> Statement:
    """A statement as it stands."""
    return Statement(text(statement))


def keep(digest: str, words: str = PRIVATE) -> Callable[[Transaction], int]:
    """Work that writes one row."""
    return lambda tx: tx.run(_KEEP, {"digest": digest, "text": words})


def kept(database: Database) -> int:
    """How many such rows there are."""
    row = database.run_now(lambda tx: tx.one(_COUNT, {}), write=False)
    assert row
    return int(row[0])


def opening(
    said: str = "bonjour",
    *,
    owner: Owner = ADA,
    id: str = "c-1",
    now: int = NOW,
    route: str = "support",
    key: str = "",
    replaces: str = "",
    again: str = "",
) -> Opening:
    """A request to open a turn; `route` empty means that the conversation must be there."""
    counted = {"estimate": 7}
    return Opening(
        new_id("trn"),
        owner,
        id,
        (Text(said),),
        now,
        LEASE,
        lambda conversation, message: counted,
        new_route=route,
        new_arm="base" if route else "",
        idempotency_key=key,
        replaces=replaces,
        again=again,
    )


def start(database: Database, wanted: Opening) -> Opened:
    """Opens the turn, which nothing may keep from opening."""
    opened = attempt(database, wanted)
    assert isinstance(opened, Opened)
    return opened


def attempt(database: Database, wanted: Opening) -> Opened | Answered | Held:
    """Opens the turn, or says why not."""
    return database.run_now(lambda tx: open_turn(tx, wanted))


def advance(opened: Opened, *added: Message, head: Message | None = None, now: int = NOW) -> Advance:
    """The conversation moved on by these messages, which follow `head` or the user's message."""
    before = opened.before
    return Advance(
        opened.turn_id,
        opened.held_until_us,
        before.key,
        opened.owner.key,
        head or opened.message,
        [(message, {"estimate": 5}) for message in added],
        "[0]",
        "exc_1",
        now,
        keeps=before if opened.keeps_head else None,
    )


def after(parent: Message, text: str = "À 9 h.", now: int = NOW) -> Message:
    """A reply to `parent`."""
    turn = parent.turn_id
    return Message("assistant", (Text(text),), new_id("msg"), parent.id, turn, parent.depth + 1, now)


def answer(database: Database, opened: Opened, text: str = "À 9 h.", now: int = NOW) -> Message:
    """Closes the turn with a reply and its exchange."""
    reply = after(opened.message, text, now)

    def close(tx: Transaction) -> None:
        turns.close_turn(tx, advance(opened, reply, now=now), "answered", reply.id)
        exchanges.log(tx, exchange(opened, reply.id))

    database.run_now(close)
    return reply


def say(database: Database, text: str = "bonjour", *, now: int = NOW, id: str = "c-1") -> tuple[Message, Message]:
    """One whole turn of ada's: her message and the reply."""
    opened = start(database, opening(text, now=now, id=id))
    return opened.message, answer(database, opened, now=now)


def exchange(opened: Opened, reply_id: str) -> Exchange:
    """The model call behind a reply."""
    return Exchange(
        new_id("exc"),
        opened.turn_id,
        opened.before.key,
        opened.owner.key,
        0,
        "support",
        "base",
        TARGET,
        written(PLAN),
        "answered",
        NOW,
        12.0,
        None,
        reply_id=reply_id,
        stop="end",
        usage=Usage(700, 60, None),
        cost=Cost(Decimal("0.0003"), "catalog"),
        attempts=(Attempt(TARGET, "Overloaded", 529, NOW, 3.0), Attempt(TARGET, "answered", 200, NOW, 9.0)),
    )
