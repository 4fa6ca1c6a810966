"""Puts chats into a store as turns would have left them there, each exchange with the plan of a real rendering."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.harvest_chats import TURNS, Chat, Chats
from persona.calling.providers import Providers
from persona.render.past import Past
from persona.render.prepare import rules_for
from persona.routing.routes import Routes
from persona.settings import Settings
from persona.store import schema
from persona.store.codec import encode_parts, encode_plan, encode_tokens
from persona.store.engine import Database
from persona.store.statements import table
from persona.store.tables import ConversationRow, ExchangeRow, FactRow, FeedbackRow, MessageRow, OwnerRow, TurnRow
from persona.values.log import LoggedConversation, LoggedExchange
from persona.values.memory import Fact
from persona.values.message import Message, Text
from persona.values.owner import Owner, Traits
from persona.values.plan import NO_PLAN, Plan

_START_US, _SECOND = 1_750_000_000_000_000, 1_000_000
_AGREED, _RATED = 0.98, 0.06
_AT_ONCE = 1_000  # conversations
_SLOTS = ("full_name", "employer")
_DEPOTS = ("Rotterdam", "Leipzig", "Coventry", "Zaragoza", "Valence", "Saragosse")

Rows = dict[Any, list[dict[str, Any]]]


def settings_on(path: Path, processes: int = 1) -> Settings:
    """Settings on a store, with a profile that holds names, and declares the depots of the replies."""
    return Settings.model_validate(
        {
            "store": {"url": f"sqlite:///{path}"},
            "profile": {**{name: {} for name in _SLOTS}, "depot": {"type": "choice", "choices": _DEPOTS}},
            "harvest": {"processes": processes},
        }
    )


def exchange_id(key: int, turn: int) -> str:
    """The id of an exchange, from which its place can be read again."""
    return f"exc_{key:09}{turn:03}"


def place_of(exchange: str) -> tuple[int, int]:
    """The conversation and the turn of an exchange's id."""
    return int(exchange[4:13]), int(exchange[13:])


def fill(path: Path, chats: Chats) -> None:
    """Writes a new SQLite store with all the chats."""
    database = Database(f"sqlite:///{path}")
    try:
        schema.prepare(database)
        filler = _Filler(chats, settings_on(path))
        for rows in filler.pages():
            with database.connection() as connection:
                for one, some in rows.items():
                    connection.execute(insert(table(one)), some)
    finally:
        database.close()


class _Filler:
    """Makes rows of chats, a page at a time."""

    def __init__(self, chats: Chats, settings: Settings) -> None:
        self._chats = chats
        arm = Routes(settings).arm("default", "base")
        target, providers = arm.targets[0], Providers(settings, {})
        self._counter = providers.counter(target)
        self._past = Past(arm, target, self._counter, rules_for(providers, arm, target))
        self._target = target
        self._dice = random.Random(3)
        self._agreed = [self._dice.random() < _AGREED for _ in range(chats.owners + 2)]

    def pages(self) -> Iterator[Rows]:
        """The rows of all tables, the owners' first."""
        owners = range(1, self._chats.owners + 1)
        yield {
            OwnerRow: [self._owner(key) for key in owners],
            FactRow: [one for key in owners for one in self._facts(key)],
        }
        for first in range(1, self._chats.conversations + 1, _AT_ONCE):
            rows: Rows = {one: [] for one in (ConversationRow, TurnRow, MessageRow, ExchangeRow, FeedbackRow)}
            for key in range(first, min(first + _AT_ONCE, self._chats.conversations + 1)):
                self._add(rows, self._chats.chat(key))
            yield {one: some for one, some in rows.items() if some}

    def _owner(self, key: int) -> dict[str, Any]:
        shown = self._chats.person(key).full if key % 3 else ""
        return {
            **{"key": key, "tenant": self._chats.tenant(key), "kind": "user", "name": f"user-{key}", "revision": 0},
            **{"consent": self._agreed[key], "consent_us": _START_US, "display_name": shown, "locale": ""},
            **{"time_zone": "", "created_us": _START_US},
        }

    def _known(self, key: int) -> tuple[Fact, ...]:
        """The facts of an owner: some only have a name that is shown, others a slot, most of them both."""
        who = self._chats.person(key)
        told = {"full_name": who.full, "employer": who.employer}
        return tuple(
            Fact(
                f"fct_{key:09}{at}",
                f"{slot}: {told[slot]}",
                "fact",
                "app",
                _START_US,
                _START_US,
                slot=slot,
                value=told[slot],
            )
            for at, slot in enumerate(_SLOTS)
            if slot != "full_name" or key % 3 == 0 or key % 5
        )

    def _facts(self, key: int) -> Iterator[dict[str, Any]]:
        for one in self._known(key):
            yield {
                **{"id": one.id, "owner_key": key, "kind": one.kind, "text": one.text, "digest": "", "slot": one.slot},
                **{"value": f'"{one.value}"', "origin": one.origin, "message_id": "", "valid_from_us": _START_US},
                **{"valid_to_us": 0, "told_us": _START_US, "created_us": _START_US},
            }

    def _add(self, rows: Rows, chat: Chat) -> None:
        key, owner, at_us = chat.key, chat.owner, _START_US + chat.key * 60 * _SECOND
        messages = _messages(chat, at_us)
        counts = tuple(encode_tokens({self._counter.name: self._counter.message(one)}) for one in messages)
        logged = self._logged(chat, messages, counts, at_us)
        for message, tokens in zip(messages, counts, strict=True):
            rows[MessageRow].append(
                {"id": message.id, "owner_key": owner, "conversation_key": key, "turn_id": message.turn_id}
                | {"parent_id": message.parent_id, "depth": message.depth, "role": message.role, "tokens": tokens}
                | {"parts": encode_parts(message.parts), "created_us": message.created_us}
            )
        for number in range(TURNS):
            asked, told = messages[2 * number : 2 * number + 2]
            exchange = self._exchange(chat, number, told)
            rendered = self._past.render(logged, exchange, {}, plan=NO_PLAN)
            rows[TurnRow].append(
                {"id": told.turn_id, "owner_key": owner, "conversation_key": key, "message_id": asked.id}
                | {"idempotency_key": None, "state": "answered", "reply_id": told.id, "error": ""}
                | {"started_us": asked.created_us, "ended_us": told.created_us}
            )
            rows[ExchangeRow].append(_row_of(exchange, chat, encode_plan(rendered.plan), rendered.plan))
            if self._dice.random() < _RATED:
                rows[FeedbackRow].append(
                    {"id": f"fbk_{key:09}{number}", "owner_key": owner, "conversation_key": key, "kind": "rating"}
                    | {"message_id": told.id, "rating": 1.0, "text": "", "created_us": told.created_us}
                )
        rows[ConversationRow].append(
            {"key": key, "owner_key": owner, "id": f"c-{key}", "route": "default", "arm": "base", "title": ""}
            | {"tags": "", "head_id": messages[-1].id, "depth": 2 * TURNS, "messages": 2 * TURNS, "revision": TURNS}
            | {"anchor": "", "last_exchange_id": exchange_id(key, TURNS - 1), "archived_us": 0, "created_us": at_us}
            | {"updated_us": messages[-1].created_us, "lease_turn_id": "", "lease_until_us": 0}
        )

    def _logged(
        self, chat: Chat, messages: tuple[Message, ...], counts: tuple[str, ...], at_us: int
    ) -> LoggedConversation:
        owner = Owner(self._chats.tenant(chat.owner), f"user-{chat.owner}")
        shown = self._chats.person(chat.owner).full if chat.owner % 3 else ""
        return LoggedConversation(
            *(chat.key, f"c-{chat.key}", owner, chat.owner, Traits(shown), "default", "base", (), at_us),
            *(messages[-1].id, self._agreed[chat.owner], messages, counts, (), (), self._known(chat.owner), ()),
        )

    def _exchange(self, chat: Chat, number: int, told: Message) -> LoggedExchange:
        target, at_us = self._target, told.created_us - _SECOND
        return LoggedExchange(
            *(exchange_id(chat.key, number), told.turn_id, 0, "turn", told.id, "default", "base"),
            *(target.provider, target.model, "", "answered", "end", "", self._agreed[chat.owner]),
            input_tokens=None,
            output_tokens=None,
            cache_read_tokens=None,
            cache_write_tokens=None,
            reasoning_tokens=None,
            cost_usd="",
            cost_source="",
            started_us=at_us,
            latency_ms=900.0,
            plan="",
        )


def _messages(chat: Chat, at_us: int) -> tuple[Message, ...]:
    made: list[Message] = []
    for number, turn in enumerate(chat.turns):
        for role, said in (("user", turn.asked), ("assistant", turn.told)):
            depth = len(made)
            id, parent = f"msg_{chat.key:09}{depth:03}", made[-1].id if made else ""
            turn_id, now_us = f"trn_{chat.key:09}{number:03}", at_us + depth * 20 * _SECOND
            made.append(Message(role, (Text(said.text),), id, parent, turn_id, depth, now_us))  # type: ignore[arg-type]
    return tuple(made)


def _row_of(one: LoggedExchange, chat: Chat, plan: str, made: Plan) -> dict[str, Any]:
    return {
        **{"id": one.id, "owner_key": chat.owner, "conversation_key": chat.key, "turn_id": one.turn_id, "number": 0},
        **{"purpose": one.purpose, "reply_id": one.reply_id, "route": one.route, "arm": one.arm, "partial": ""},
        **{"provider": one.provider, "model": one.model, "served_model": "", "request_id": "", "plan": plan},
        **{"planned_tokens": made.total, "prefix_tokens": made.prefix_tokens, "outcome": one.outcome, "said": ""},
        **{"stop": one.stop, "error": "", "input_tokens": made.total, "output_tokens": 60, "cache_read_tokens": None},
        **{"cache_write_tokens": None, "reasoning_tokens": None, "cost_usd": "", "cost_source": ""},
        **{"consent": one.consent, "started_us": one.started_us, "first_token_ms": 200.0, "latency_ms": 900.0},
    }
