"""The newest turns of open conversations, in memory: a cache, validated by the revision read from the store.

They are kept as bytes, a third of what they take as values, and nothing in them is looked at by the garbage
collector: values that stay, a few dozen for each turn, are what makes it look through the whole process again.
"""

import marshal
from collections import OrderedDict
from dataclasses import dataclass, fields
from operator import attrgetter
from threading import Lock
from typing import Any

from persona.store.codec import decode_parts, encode_parts
from persona.values.message import Message, Part, Text
from persona.values.plan import Outline
from persona.window.materials import PastTurn

_ENTRY_BYTES, _TURN_BYTES = 600, 41  # what Python takes beside the bytes themselves
_OUTLINE = attrgetter(*(field.name for field in fields(Outline)))


@dataclass(frozen=True, slots=True)
class Tail:
    """What the last turn left: the turns from the anchor on, counted by `counter`, and the last request's plan.

    `anchor` is written as in the conversation's row. Of a message that comes back only what a window goes by is there:
    its role and parts, its id and depth.
    """

    revision: int
    counter: str
    head_id: str
    anchor: str
    turns: tuple[PastTurn, ...]
    plan: Outline | None


_Kept = tuple[int, str, str, str, bytes, tuple[bytes, ...], int]
"""A tail: revision, counter, head, anchor, plan, turns, and how many bytes all that is."""


class Tails:
    """The tails of the conversations used most recently, within `max_bytes`. Safe to use from several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._tails: OrderedDict[int, _Kept] = OrderedDict()
        self._nbytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._tails)

    @property
    def nbytes(self) -> int:
        """About how many bytes they take."""
        return self._nbytes

    def get(self, conversation_key: int, revision: int, counter: str, head_id: str, anchor: str) -> Tail | None:
        """The tail, if it is the one of this revision, counter, head and anchor."""
        with self._lock:
            kept = self._tails.get(conversation_key)
            if kept is None or kept[:4] != (revision, counter, head_id, anchor):
                return None
            self._tails.move_to_end(conversation_key)
        return Tail(revision, counter, head_id, anchor, tuple(map(_turn, kept[5])), _plan(kept[4]))

    def put(self, conversation_key: int, tail: Tail) -> None:
        """Keeps a tail, and lets go of those used longest ago."""
        with self._lock:
            before = self._tails.get(conversation_key)
        packed = _packed(tail, before)
        with self._lock:
            self._drop(conversation_key)
            self._tails[conversation_key] = packed
            self._nbytes += packed[-1]
            while self._nbytes > self._max_bytes:
                self._drop(next(iter(self._tails)))

    def clear(self) -> None:
        """Lets go of all of them."""
        with self._lock:
            self._tails.clear()
            self._nbytes = 0

    def _drop(self, conversation_key: int) -> None:
        if kept := self._tails.pop(conversation_key, None):
            self._nbytes -= kept[-1]


def _packed(tail: Tail, before: _Kept | None) -> _Kept:
    """The tail as it is kept. What the one before it kept of the same turns is not written anew."""
    older: tuple[PastTurn, ...] = tail.turns[:-1]
    known: tuple[bytes, ...] = ()
    if older and before and (before[1], before[2]) == (tail.counter, older[-1].messages[-1].id):
        known = before[5][-len(older) :]  # a head has one path, and messages never change
    turns = (*known, *map(_written, tail.turns[-1:])) if len(known) == len(older) else tuple(map(_written, tail.turns))
    plan = _dense(_OUTLINE(tail.plan)) if tail.plan else b""
    nbytes = _ENTRY_BYTES + len(tail.anchor) + len(plan) + sum(map(len, turns)) + _TURN_BYTES * len(turns)
    return tail.revision, tail.counter, tail.head_id, tail.anchor, plan, turns, nbytes


def _written(turn: PastTurn) -> bytes:
    rows = [(one.role, _said(one.parts), one.id, one.depth) for one in turn.messages]
    return _dense((turn.tokens, rows))


def _dense(value: Any) -> bytes:
    """The value as bytes that are where they fit: those that marshal cuts off its buffer leave a hole behind them."""
    return memoryview(marshal.dumps(value)).tobytes()


def _turn(raw: bytes) -> PastTurn:
    tokens, rows = marshal.loads(raw)  # noqa: S302 - written here, and never out of this process
    return PastTurn(tuple([Message(role, _parts(said), id, depth=depth) for role, said, id, depth in rows]), tokens)


def _said(parts: tuple[Part, ...]) -> str | bytes:
    """Plain words as they are, as nearly all messages are, and anything else as it is stored."""
    if len(parts) == 1 and isinstance(only := parts[0], Text):
        return only.text
    return encode_parts(parts).encode()


def _parts(said: str | bytes) -> tuple[Part, ...]:
    return (Text(said),) if isinstance(said, str) else decode_parts(said.decode())


def _plan(raw: bytes) -> Outline | None:
    return Outline(*marshal.loads(raw)) if raw else None  # noqa: S302 - as above
