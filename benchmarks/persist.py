"""Keeping a turn: the transaction that opens it, and the one that closes it with reply, exchange and task."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import cycle

from benchmarks.figures import Table, Timing, cpu_us, cpu_us_async, ratio_row, row
from benchmarks.peers import NOT_INSTALLED, ask, peer_row
from benchmarks.persist_raw import raw_turns
from benchmarks.texts import messages
from benchmarks.window import History
from persona.store import exchanges, tasks, turns
from persona.store.codec import written
from persona.store.engine import Database
from persona.store.exchanges import Attempt, Exchange
from persona.store.ids import new_id
from persona.store.opening import Opened, Opening, open_turn
from persona.store.schema import prepare
from persona.store.transaction import Transaction
from persona.store.turns import Advance
from persona.values.message import Message, Text
from persona.values.owner import Owner
from persona.values.plan import Plan
from persona.values.request import Target, Usage

_REACH_US, _REACH_HOPS_US, _REACH_RATIO = 350.0, 650.0, 1.3
_SHORT, _LONG = 20, 10_000  # messages
_TARGET = Target("bench", "model")
_COUNTS = {"o200k_base": 50}


def run(quick: bool) -> list[Table]:
    """Ours, the limit and the peer, in one thread and with the hops of the async path."""
    return asyncio.run(_run(200 if quick else 2_000, 1_000 if quick else _LONG))


async def _run(rounds: int, long: int) -> list[Table]:
    with _opened() as turn:
        turn.until(_SHORT)
        short = cpu_us(turn.now, rounds // 4)
        turn.until(long)
        inline = cpu_us(turn.now, rounds)
    with _opened() as turn:
        hopping = await cpu_us_async(turn.hopping, rounds)
    with _opened() as turn, raw_turns(turn) as raw:
        raw_inline = cpu_us(raw.now, rounds)
    raw_hopping = await raw_hops(rounds)
    session = ask("peer_session", str(rounds))
    peer = peer_row("openai-agents SQLiteSession: the two messages, and nothing else", session, "turn")
    rows = [
        row("persona, with the hops of the async path", hopping, reach=_REACH_HOPS_US),
        row(f"persona, in one thread, after {long:,} messages", inline, reach=_REACH_US),
        row("raw sqlite3: the same two transactions, with the hops", raw_hopping, "limit"),
        row("raw sqlite3: the same two transactions, in one thread", raw_inline, "limit"),
    ]
    notes = () if session else (NOT_INSTALLED,)
    tables = [Table("a persisted turn, both transactions", "µs of CPU", (*rows, *peer), notes)]
    return [*tables, _flat(inline, short, long)]


async def raw_hops(rounds: int) -> Timing:
    """The limit: the two transactions on sqlite3 itself, each in a thread beside the loop."""
    with _opened() as turn, raw_turns(turn) as raw:
        return await cpu_us_async(raw.hopping, rounds)


def _flat(inline: Timing, short: Timing, long: int) -> Table:
    what = f"persona, after {long:,} messages against {_SHORT}"
    return Table("a persisted turn: flat in the length", "times", (ratio_row(what, inline, short, _REACH_RATIO),))


@dataclass(slots=True)
class Turns:
    """Turns of one conversation, kept as `persona.conversation` keeps them, without what is between."""

    database: Database
    plan: Plan
    texts: Iterator[str]
    at_us: int = 1_760_000_000_000_000
    kept: int = 0

    def until(self, messages_kept: int) -> None:
        """Makes the conversation that long."""
        while self.kept < messages_kept:
            self.now()

    def now(self) -> None:
        """One turn, in this thread."""
        opened = self.database.run_now(self._open)
        assert isinstance(opened, Opened)
        self.database.run_now(self._closing(opened))

    async def hopping(self) -> None:
        """One turn, in the store's thread."""
        opened = await self.database.run(self._open)
        assert isinstance(opened, Opened)
        await self.database.run(self._closing(opened))

    def _open(self, tx: Transaction) -> object:
        self.at_us += 1_000_000
        parts = (Text(next(self.texts)),)
        return open_turn(tx, replace(_OPENING, turn_id=new_id("trn"), parts=parts, now_us=self.at_us))

    def _closing(self, opened: Opened) -> Callable[[Transaction], None]:
        def close(tx: Transaction) -> None:
            asked = opened.message
            said = (Text(next(self.texts)),)
            reply = Message("assistant", said, new_id("msg"), asked.id, opened.turn_id, asked.depth + 1, self.at_us)
            exchange = _exchange(opened, reply, self.plan, self.at_us)
            owner = opened.owner.key
            advance = Advance(
                turn_id=opened.turn_id,
                held_until_us=opened.held_until_us,
                conversation_key=opened.before.key,
                owner_key=owner,
                head=reply,
                added=[(reply, _COUNTS)],
                anchor='[0,0,[],[],"",0]',
                last_exchange_id=exchange.id,
                now_us=self.at_us,
            )
            turns.close_turn(tx, advance, "answered", reply.id)
            exchanges.log(tx, exchange)
            tasks.put(tx, "index", owner, asked.id, self.at_us)
            self.kept += 2

        return close


_OPENING = Opening(
    turn_id="",
    owner=Owner("bench", "ada"),
    conversation_id="c-1",
    parts=(),
    now_us=0,
    lease_us=90_000_000,
    tokens=lambda conversation, message: _COUNTS,
    new_route="default",
    new_arm="base",
)


def _exchange(opened: Opened, reply: Message, plan: Plan, at_us: int) -> Exchange:
    return Exchange(
        id=new_id("exc"),
        turn_id=opened.turn_id,
        conversation_key=opened.before.key,
        owner_key=opened.owner.key,
        number=0,
        route="default",
        arm="base",
        target=_TARGET,
        plan=written(plan),
        outcome="answered",
        started_us=at_us,
        latency_ms=400.0,
        consent=None,
        reply_id=reply.id,
        stop="end",
        served_model="model",
        usage=Usage(6_000, 50),
        attempts=(Attempt(_TARGET, "answered", None, at_us, 400.0),),
    )


@contextmanager
def _opened() -> Iterator[Turns]:
    plan = replace(History(100).plan, prefix_tokens=0)  # with 40 candidates
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/bench.db")
        prepare(database)
        with closing(database):
            yield Turns(database, plan, cycle(messages(500)))
