"""Providers reached with a key that a conversation brought: each key has connections and a fate of its own.

What one tenant's key meets, a used-up quota or a wrong key, says nothing about another's: so a key has its own
breaker and its own caps, too.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

from persona.adapter import ChatModel
from persona.calling.breaker import Breaker
from persona.calling.capacity import Capacity
from persona.values.request import Target

_MOST = 64  # idle clients: 0.3 to 2 MB each, and 20 to 65 ms of CPU to make one


@dataclass(slots=True)
class Line:
    """One provider with one key. `users` counts the turns that may be using it."""

    model: ChatModel
    breaker: Breaker
    capacities: dict[Target, Capacity] = field(default_factory=dict)
    users: int = 0


class OwnKeys:
    """The lines in use and the last ones that were, the coldest first."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lines: dict[Hashable, Line] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def find(self, key: Hashable) -> Line | None:
        """The line of this key, if there is one; it is the warmest from now on."""
        if line := self._lines.pop(key, None):
            self._lines[key] = line
        return line

    def add(self, key: Hashable, line: Line) -> None:
        """Keeps a new line."""
        self._lines[key] = line

    async def trim(self) -> None:
        """Closes the coldest that nobody uses, while there are too many."""
        while len(self._lines) > self._most:
            coldest = next((key for key, line in self._lines.items() if not line.users), None)
            if coldest is None:
                return
            await self._lines.pop(coldest).model.close()

    async def close(self) -> None:
        """Closes all of them."""
        while self._lines:
            _, line = self._lines.popitem()
            await line.model.close()
