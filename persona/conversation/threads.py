"""Runs a tool's function in a thread of its own, which nobody has to wait for.

Not the event loop's executor: a few tools that hang would fill it, and closing it would wait for them.
"""

import asyncio
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """What `work` returns or raises. Cancelled, it leaves the thread behind, which dies with the process."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()
    context = copy_context()

    def run() -> None:
        try:
            value = context.run(work)
        except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
            failure = _raisable(error)
            _hand_over(loop, lambda: None if result.done() else result.set_exception(failure))
        else:
            _hand_over(loop, lambda: None if result.done() else result.set_result(value))

    threading.Thread(target=run, name="persona-tool", daemon=True).start()
    return await result


def _hand_over(loop: asyncio.AbstractEventLoop, deliver: Callable[[], object]) -> None:
    if not loop.is_closed():  # closed, nobody waits any more
        loop.call_soon_threadsafe(deliver)


def _raisable(error: BaseException) -> BaseException:
    """A future takes no StopIteration, and a loop that is handed SystemExit stops."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")
