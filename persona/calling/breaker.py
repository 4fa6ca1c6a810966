"""Which targets are left alone for a while, because they failed again and again.

    closed     calls go through; so many failures in a row open it
    open       nobody calls until its rest is over
    half-open  one call may try: it closes the breaker, or opens it again

In this process and for as long as it lives: another worker finds out by itself.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from persona.errors import BadRequest, ContextTooLong, ProviderError, RateLimited, Refused
from persona.values.request import Target

State = Literal["closed", "open", "half-open"]

NOT_ITS_FAULT = (BadRequest, ContextTooLong, Refused)
"""What a target that works well says to a request that is wrong."""


@dataclass(slots=True)
class _Health:
    """Failures in a row, until when the target rests, and whether somebody is trying it."""

    failures: int = 0
    rests_until: float = 0.0
    tried: bool = False


class Breaker:
    """The breakers of all targets. `failures` in a row open one for `rest_s` seconds, or as long as the target asks."""

    def __init__(self, failures: int, rest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._rest_s = rest_s
        self._clock = clock
        self._health: dict[Target, _Health] = {}

    def state(self, target: Target) -> State:
        """How it stands with a target."""
        health = self._health.get(target)
        if health is None or not health.rests_until:
            return "closed"
        return "open" if self._clock() < health.rests_until else "half-open"

    def lets_through(self, target: Target) -> bool:
        """Whether the target may be called now. A yes in half-open is for this one caller, who says how it ended."""
        state = self.state(target)
        if state == "half-open":
            health = self._health[target]
            if health.tried:
                return False
            health.tried = True
        return state != "open"

    @contextmanager
    def watched(self, target: Target, tried: Callable[[], object]) -> Iterator[None]:
        """Hears how a call ends that is made in the block; one that was not `tried` says nothing of the target."""
        try:
            yield
        except ProviderError as error:
            if tried():
                self.failed(target, error)
            else:  # a cap of ours kept it from being asked
                self.gave_up(target)
            raise
        except BaseException:
            self.gave_up(target)
            raise
        self.answered(target)

    def answered(self, target: Target) -> None:
        """The target answered."""
        self._health.pop(target, None)

    def failed(self, target: Target, error: ProviderError) -> None:
        """The target did not answer."""
        if isinstance(error, NOT_ITS_FAULT):
            self.answered(target)
            return
        health = self._health.setdefault(target, _Health())
        health.failures += 1
        if health.failures >= self._most or health.tried:
            asked = (error.retry_after_s if isinstance(error, RateLimited) else None) or 0.0
            health.rests_until = self._clock() + max(self._rest_s, asked)
        health.tried = False

    def gave_up(self, target: Target) -> None:
        """The caller went away before the target had answered: the next one may try."""
        if health := self._health.get(target):
            health.tried = False
