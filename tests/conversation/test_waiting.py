"""Turns that wait for a conversation hear of it when it is free."""

import asyncio

from persona.conversation.waiting import Waiting
from persona.values.owner import Owner

HERE, THERE = (Owner("", "ada", "user"), "c-1"), (Owner("", "bob", "user"), "c-1")


async def test_who_waits_for_a_conversation_is_told_at_once_and_nobody_else() -> None:
    waiting = Waiting()
    first, second = (asyncio.ensure_future(waiting.until_free(HERE, 60)) for _ in range(2))
    other = asyncio.ensure_future(waiting.until_free(THERE, 60))
    await asyncio.sleep(0)
    waiting.free(HERE)
    await asyncio.wait_for(asyncio.gather(first, second), 5)
    assert not other.done()
    waiting.free(THERE)
    await asyncio.wait_for(other, 5)
    assert len(waiting) == 0


async def test_waiting_ends_by_itself_and_leaves_nothing_behind() -> None:
    waiting = Waiting()
    await waiting.until_free(HERE, 0.01)
    gone = asyncio.ensure_future(waiting.until_free(HERE, 60))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    assert gone.cancelled()
    assert len(waiting) == 0
    waiting.free(HERE)
