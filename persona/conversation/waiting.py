"""Turns that wait for a conversation, and are told when a turn of this process lets it go."""

import asyncio

from persona.values.owner import Owner

Place = tuple[Owner, str]
"""A conversation: whose it is, and its id."""


class Waiting:
    """Who waits for which conversation. Serves one event loop; of other processes it knows nothing."""

    def __init__(self) -> None:
        self._waiting: dict[Place, set[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    async def until_free(self, place: Place, longest_s: float) -> None:
        """Waits until a turn lets the conversation go, and at most `longest_s` seconds."""
        told = asyncio.get_running_loop().create_future()
        others = self._waiting.setdefault(place, set())
        others.add(told)
        try:
            await asyncio.wait([told], timeout=longest_s)
        finally:
            others.discard(told)
            if not others and self._waiting.get(place) is others:
                del self._waiting[place]

    def free(self, place: Place) -> None:
        """Tells all who wait for this conversation: one of them will get it."""
        for told in self._waiting.pop(place, ()):
            if not told.done():
                told.set_result(None)
