"""How much may be asked of one target at a time: calls at once, and tokens a minute."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from persona.errors import RateLimited
from persona.values.request import Target, Usage

_MINUTE_S = 60.0
_UNLIMITED = nullcontext()


class Capacity:
    """The caps of one target, waited for in the order in which callers came. 0 stands for no cap. Serves one loop.

    Tokens refill evenly, up to a minute's worth (a token bucket): what a request may use at most is taken when it
    starts, and what it did not use is given back when its usage is known.
    """

    def __init__(self, target: Target, calls: int = 0, tokens_per_minute: int = 0) -> None:
        self._target = target
        self._calls = asyncio.Semaphore(calls) if calls else None
        self._rate = tokens_per_minute / _MINUTE_S
        self._most = float(tokens_per_minute)
        self._tokens = self._most
        self._filled_at = 0.0
        self._line = asyncio.Lock()

    def place(self, tokens: int, until: float) -> AbstractAsyncContextManager[None]:
        """A place for one request of at most so many tokens. Raises RateLimited when there is none by `until`.

        `until` is a time on the loop's clock.
        """
        return self._place(tokens, until) if self._calls or self._rate else _UNLIMITED

    def free(self, tokens: int) -> bool:
        """Whether `place` would begin at once, and nobody waits for one: for those who let others go first."""
        begins = not (self._calls and self._calls.locked()) and not self._line.locked()
        return begins and (not self._rate or min(float(tokens), self._most) <= self._filled())

    @asynccontextmanager
    async def _place(self, tokens: int, until: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(until):
                if self._calls:
                    await self._calls.acquire()
        except TimeoutError:
            raise self._none("calls at once", "max_concurrency") from None
        try:
            if self._rate:
                await self._take(tokens, until)
            yield
        finally:
            if self._calls:
                self._calls.release()

    def give_back(self, taken: int, used: Usage) -> None:
        """What a request took and did not use, if its provider has told; what it used beyond is taken too."""
        if used.input_tokens is not None and used.output_tokens is not None:
            self._tokens = min(self._most, self._tokens + taken - used.input_tokens - used.output_tokens)

    async def _take(self, tokens: int, until: float) -> None:
        wanted = min(float(tokens), self._most)  # a larger request goes alone, with a full bucket
        try:
            async with asyncio.timeout_at(until), self._line:
                while (missing := wanted - self._filled()) > 0:
                    left = until - asyncio.get_running_loop().time()
                    if missing / self._rate > left:
                        raise TimeoutError  # it is known already that the time is too short
                    await asyncio.sleep(missing / self._rate)
                self._tokens -= tokens
        except TimeoutError:
            raise self._none("tokens a minute", "tokens_per_minute") from None

    def _filled(self) -> float:
        now = asyncio.get_running_loop().time()
        if self._filled_at:
            self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return self._tokens

    def _none(self, what: str, setting: str) -> RateLimited:
        return RateLimited(
            f"the settings allow no more {what} of {self._target}, and none became free in time; it was not called",
            hint=f"raise {setting} of the provider {self._target.provider}, or turn.timeout_s",
            target=str(self._target),
        )
