"""One request to one target: streamed, timed, retried while nothing has been shown yet."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import stamina

from persona.adapter import ChatModel
from persona.errors import PersonaError, ProviderError, RateLimited, StreamCut, TimedOut
from persona.telemetry.watching import Outgoing, Telemetry
from persona.values.message import ToolCall
from persona.values.request import Finish, Request, TextDelta, Usage

_LONGEST_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Try:
    """One try: `outcome` is `answered` or the error's name."""

    outcome: str
    status: int | None
    started_us: int
    latency_ms: float


@dataclass(slots=True)
class Heard:
    """What one call brought so far. Only a call with a `finish` is complete."""

    text: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    finish: Finish | None = None
    first_token_ms: float | None = None
    tries: list[Try] = field(default_factory=list)

    @property
    def usage(self) -> Usage:
        """What the provider reported; nothing before the end."""
        return self.finish.usage if self.finish else Usage()

    @property
    def shown(self) -> bool:
        """Whether somebody may have seen a part of it, so that it cannot be tried again unnoticed."""
        return bool(self.text)


async def ask(
    model: ChatModel,
    outgoing: Outgoing,
    heard: Heard,
    telemetry: Telemetry,
    *,
    retries: int,
    first_by: float,
    deadline: float,
    show: Callable[[TextDelta], None],
) -> None:
    """Sends the request until it is answered, into `heard`.

    Tries again, `retries` times at most, on errors that may pass and before any text was shown, waiting as long as
    the provider asks. Times are on the loop's clock: something must come `first_by`, and the end by `deadline`.
    Raises the ProviderError of the last try.
    """

    def again(error: Exception) -> bool | float:
        if not isinstance(error, ProviderError) or not error.retryable or heard.shown:
            return False
        wait = error.retry_after_s if isinstance(error, RateLimited) else None
        left = first_by - asyncio.get_running_loop().time()
        if wait is None:
            return left > 0
        return max(wait, 0.001) if wait <= min(left, _LONGEST_WAIT_S) else False

    failed: ProviderError | None = None
    try:
        await _once(model, outgoing, heard, telemetry, first_by, deadline, show)
    except ProviderError as error:
        failed = error
    else:
        return
    waits = stamina.retry_context(  # 50 µs, and only needed once a try has failed: that one counts as its first
        on=again, attempts=retries + 1, timeout=None, wait_initial=0.2, wait_max=5.0, wait_jitter=0.2
    )
    async for attempt in waits:
        with attempt:
            if failed:
                first, failed = failed, None
                raise first
            await _once(model, outgoing, heard, telemetry, first_by, deadline, show)


async def _once(
    model: ChatModel,
    outgoing: Outgoing,
    heard: Heard,
    telemetry: Telemetry,
    first_by: float,
    deadline: float,
    show: Callable[[TextDelta], None],
) -> None:
    heard.calls.clear()
    heard.finish = heard.first_token_ms = None  # what the try before it brought does not end this one
    with telemetry.call(outgoing, len(heard.tries) + 1) as span:
        finish = await _whole(model, outgoing, heard, first_by, deadline, show)
        span.answered(finish, heard.first_token_ms, heard.text, heard.calls)


async def _whole(
    model: ChatModel,
    outgoing: Outgoing,
    heard: Heard,
    first_by: float,
    deadline: float,
    show: Callable[[TextDelta], None],
) -> Finish:
    target, started_us, clock = outgoing.target, time.time_ns() // 1000, time.perf_counter()
    outcome, status = "cancelled", None
    try:
        async with asyncio.timeout_at(first_by) as limit:
            begun = (lambda: limit.reschedule(deadline)) if deadline != first_by else None
            await _listen(model, outgoing.request, heard, clock, begun, show)
        if heard.finish is None:
            raise StreamCut(
                f"{target} ended its stream without a stop reason",
                hint="the partial text is on this error; ask again",
                target=str(target),
                text="".join(heard.text),
            )
        outcome = "answered"
        return heard.finish
    except TimeoutError as error:
        outcome = "TimedOut"
        raise TimedOut(
            f"{target} did not finish in time", hint="raise turn.timeout_s, or ask for less", target=str(target)
        ) from error
    except PersonaError as error:
        outcome, status = type(error).__name__, getattr(error, "status", None)
        raise
    finally:
        latency_ms = (time.perf_counter() - clock) * 1000
        heard.tries.append(Try(outcome, status, started_us, latency_ms))


async def _listen(
    model: ChatModel,
    request: Request,
    heard: Heard,
    clock: float,
    begun: Callable[[], None] | None,
    show: Callable[[TextDelta], None],
) -> None:
    async with aclosing(model.call(request)) as deltas:  # type: ignore[type-var]  # adapters are async generators
        async for delta in deltas:
            if begun:
                begun()
                begun = None
            if isinstance(delta, TextDelta):
                if heard.first_token_ms is None:
                    heard.first_token_ms = (time.perf_counter() - clock) * 1000
                if delta.text:
                    heard.text.append(delta.text)
                    show(delta)
            elif isinstance(delta, Finish):
                heard.finish = delta
            else:
                heard.calls.append(delta)
