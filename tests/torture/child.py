"""What a child does: strands of work side by side on an assistant of its own, every acknowledgement told at once.

A strand is a list of steps, in order: `["send", conversation, text]`, `["remember", text]` or `["drain"]`.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from torture.channel import Channel
from torture.late import committed_late
from torture.model import adapter, look, settings, words_of
from torture.statements import watched

from persona import Assistant, AsyncAssistant
from persona.values.request import Request
from persona.values.turn import Reply

Strand = list[list[str]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a parent wants of a child.

    `steps` stops it before every statement: from `birth`, the first use of the database, or once it is open.
    `late` breaks persona on purpose: what is said becomes durable after the call instead of before.
    """

    url: str
    strands: list[Strand]
    style: str = "tasks"
    user: str = "ada"
    steps: bool = False
    birth: bool = False
    late: bool = False
    run_tasks: bool = False


def run(channel: Channel, wish: Wish) -> None:
    """Does it all, and says so."""

    def seen(request: Request) -> None:
        channel.tell(durable=words_of(request), conversation=request.cache_key)

    with ExitStack() as stack:
        if wish.late:
            stack.enter_context(committed_late())
        elif wish.steps:
            stack.enter_context(watched(channel.step))
        channel.stepping = wish.birth
        chosen = settings(wish.url, run_tasks=wish.run_tasks)
        if wish.style == "threads":
            with Assistant.open(chosen, adapters=[adapter(seen)]) as assistant:
                _threads(channel, wish, assistant)
        else:
            asyncio.run(_tasks(channel, wish, AsyncAssistant.open(chosen, adapters=[adapter(seen)])))
    channel.tell(done=True)


def _opened(channel: Channel, wish: Wish) -> None:
    channel.tell(opened=True)
    channel.stepping = wish.steps


async def _tasks(channel: Channel, wish: Wish, assistant: AsyncAssistant) -> None:
    async with assistant:
        _opened(channel, wish)
        await asyncio.gather(*(_strand(channel, wish, assistant, strand) for strand in wish.strands))
        channel.stepping = False


async def _strand(channel: Channel, wish: Wish, assistant: AsyncAssistant, strand: Strand) -> None:
    user = assistant.user(wish.user)
    for step in strand:
        if step[0] == "send":
            chat, began = user.conversation(step[1], create=True), time.monotonic()
            reply = await chat.send(step[2], tools=[look], idempotency_key=step[2])
            _acknowledge_reply(channel, reply, step[2], began)
        elif step[0] == "remember":
            fact = await user.remember(step[1])
            _acknowledge(channel, remembered=fact.id, text=step[1])
        else:
            _acknowledge(channel, drained=await assistant.drain())


def _threads(channel: Channel, wish: Wish, assistant: Assistant) -> None:
    _opened(channel, wish)
    with ThreadPoolExecutor(len(wish.strands)) as pool:
        for done in [pool.submit(_thread, channel, wish, assistant, strand) for strand in wish.strands]:
            done.result()
    channel.stepping = False


def _thread(channel: Channel, wish: Wish, assistant: Assistant, strand: Strand) -> None:
    user = assistant.user(wish.user)
    for step in strand:
        if step[0] == "send":
            chat, began = user.conversation(step[1], create=True), time.monotonic()
            reply = chat.send(step[2], tools=[look], idempotency_key=step[2])
            _acknowledge_reply(channel, reply, step[2], began)
        elif step[0] == "remember":
            fact = user.remember(step[1])
            _acknowledge(channel, remembered=fact.id, text=step[1])
        else:
            _acknowledge(channel, drained=assistant.drain())


def _acknowledge_reply(channel: Channel, reply: Reply, said: str, began: float) -> None:
    times = {"began": began, "ended": time.monotonic()}  # a clock that all processes share
    _acknowledge(channel, replied=said, id=reply.id, text=reply.text, conversation=reply.conversation_id, **times)


def _acknowledge(channel: Channel, **fact: object) -> None:
    channel.step("acknowledge")
    channel.tell(**fact)
