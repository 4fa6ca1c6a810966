"""The newest turns of active conversations, in memory: a cache, validated by the revision read from the store."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from persona.values.plan import Plan
from persona.window.materials import Anchor, PastTurn

_CONVERSATIONS = 2_000


@dataclass(frozen=True, slots=True)
class Tail:
    """What the last turn left: the turns from the anchor on, counted by `counter`, and the last request's plan.

    Of the plan the outline is enough.
    """

    revision: int
    counter: str
    head_id: str
    turns: tuple[PastTurn, ...]
    anchor: Anchor
    plan: Plan | None


class Tails:
    """The tails of the conversations used most recently."""

    def __init__(self, most: int = _CONVERSATIONS) -> None:
        self._most = most
        self._tails: OrderedDict[int, Tail] = OrderedDict()
        self._lock = Lock()

    def get(self, conversation_key: int, revision: int, counter: str, head_id: str) -> Tail | None:
        """The tail, if it is the one of this revision, counter and head."""
        with self._lock:
            tail = self._tails.get(conversation_key)
            if tail is None or (tail.revision, tail.counter, tail.head_id) != (revision, counter, head_id):
                return None
            self._tails.move_to_end(conversation_key)
            return tail

    def put(self, conversation_key: int, tail: Tail) -> None:
        """Keeps a tail, and lets go of the one used longest ago."""
        with self._lock:
            self._tails[conversation_key] = tail
            self._tails.move_to_end(conversation_key)
            while len(self._tails) > self._most:
                self._tails.popitem(last=False)

    def clear(self) -> None:
        """Lets go of all of them."""
        with self._lock:
            self._tails.clear()
