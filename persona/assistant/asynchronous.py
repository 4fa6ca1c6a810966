"""The assistant that a backend embeds."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel

from persona.adapter import Adapter
from persona.assistant.knowledge import AsyncKnowledge
from persona.assistant.running import Running, closed
from persona.assistant.user import AsyncUser, checked_name
from persona.assistant.watch import Watch
from persona.conversation.services import Services, utc_now_us
from persona.errors import InvalidInput, MisuseError
from persona.memory.slots import slots_of
from persona.settings import Settings, load
from persona.store import people, receipts
from persona.store.forks import Origin
from persona.values.owner import Owner
from persona.values.privacy import Receipt, UserEntry
from persona.values.time import to_us
from persona.wiring import Rooms, check, open_rooms

_LONGEST_LIST = 2**31 - 1


class AsyncAssistant:
    """A chat assistant that remembers each user. One instance serves one event loop.

    Use `open`, then `async with`, or call `close` at the end.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        adapters: Sequence[Adapter] = (),
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
        profile: type[BaseModel] | None = None,
        file: str | Path | None = None,
    ) -> None:
        self.settings = settings
        self.running = Running(settings.turn.on_disconnect)
        self._adapters = tuple(adapters)
        self._environment = os.environ if environment is None else environment
        self._now_us = utc_now_us if clock is None else lambda: to_us(clock())
        self._slots = slots_of(settings.profile, profile)
        self._opening = asyncio.Lock()
        self._rooms: Rooms | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._origin: Origin | None = None  # until the rooms are opened a fork may have it
        self._closed = False
        self._watch = Watch(Path(file), lambda: load(file, self._environment)) if file else None
        check(settings, self._environment, self._adapters)

    @classmethod
    def open(
        cls,
        source: str | Path | Settings | None = None,
        *,
        adapters: Sequence[Adapter] = (),
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] | None = None,
        profile: type[BaseModel] | None = None,
    ) -> Self:
        """An assistant on a settings file, on settings made in code, or on the embedded defaults.

        Everything that can be checked without I/O is: raises SettingsError and AdapterMissing. `adapters` are used
        beside the installed ones, `environment` instead of the process's own. `clock` says what time it is, for tests
        and demos; a naive datetime is UTC. `profile` is a pydantic model whose fields are the slots of every user's
        profile, instead of [profile] in the settings. The database is opened on first use.

        A settings file is watched: what changes in it serves from the next turn on, except for what is only read at
        the opening (the database, the embedder, knowledge, slots). A change that is refused is logged, and the
        settings before it stay.
        """
        settings = cls.settings_of(source, environment)
        file = None if isinstance(source, Settings) else source
        return cls(settings, adapters=adapters, environment=environment, clock=clock, profile=profile, file=file)

    @staticmethod
    def settings_of(source: str | Path | Settings | None, environment: Mapping[str, str] | None) -> Settings:
        """The settings in a file, or those made in code."""
        return source if isinstance(source, Settings) else load(source, environment)

    def user(self, name: str, tenant: str = "") -> AsyncUser:
        """One user. Does no I/O; nothing is stored before something is said or told."""
        return AsyncUser(self, Owner(checked_name(tenant, 0), checked_name(name)))

    def knowledge(self, name: str) -> AsyncKnowledge:
        """One knowledge base, by its name in the settings. Does no I/O."""
        return AsyncKnowledge(self.services, name)

    async def users(self, tenant: str = "", limit: int = 100, after: str = "") -> tuple[UserEntry, ...]:
        """The users of a tenant by name; those `after` a name are the next page. Raises InvalidInput."""
        most, whose = _at_least_one(limit), checked_name(tenant, 0)
        services = await self.services()
        found = await services.database.run(lambda tx: people.listing(tx, whose, most, after), write=False)
        return tuple(found)

    async def receipts(self, limit: int = 100) -> tuple[Receipt, ...]:
        """The receipts of what was erased and merged, the newest first. Raises InvalidInput."""
        most = _at_least_one(limit)
        services = await self.services()
        return tuple(await services.database.run(lambda tx: receipts.listing(tx, most), write=False))

    async def services(self) -> Services:
        """The rooms, opened on first use."""
        if self._closed:
            raise closed()
        if self._origin:
            self._origin.check()
        if self._rooms is None:
            async with self._opening:
                if self._rooms is None:
                    told = (self._environment, self._adapters, self._now_us, self._slots)
                    self._rooms = await open_rooms(self.settings, *told)
                    self._loop, self._origin = asyncio.get_running_loop(), Origin()
        if self._loop is not asyncio.get_running_loop():
            raise MisuseError(
                "the assistant belongs to another event loop", hint="open one in each loop, or use Assistant"
            )
        if self._watch:
            self._watch.look(self._change)
        return self._rooms.services

    def _change(self, settings: Settings) -> None:
        if self._rooms:
            self._rooms.change(settings)
            self.running.on_disconnect = settings.turn.on_disconnect

    async def drain(self) -> int:
        """Does the background work that is due (indexing, summaries) now, and returns how many tasks there were."""
        await self.services()
        return await self._rooms.worker.drain() if self._rooms else 0

    async def close(self) -> None:
        """Waits for running turns, drains background work within its time, and closes everything. Safe to repeat.

        New turns are refused from now on. In a forked process it only forgets what is its parent's.
        """
        if self._origin and not self._origin.here:
            self._closed = True
            return
        await self.running.close()
        rooms, self._rooms = self._rooms, None
        self._closed = True
        if rooms:
            await rooms.close()

    async def __aenter__(self) -> Self:
        await self.services()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _at_least_one(limit: int) -> int:
    if type(limit) is not int or not 1 <= limit <= _LONGEST_LIST:
        raise InvalidInput(f"a list of {limit!r} was asked for", hint="ask for 1 and more, in a whole number")
    return limit
