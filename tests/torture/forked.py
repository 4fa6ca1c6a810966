"""A process that opens an assistant, forks, and goes on in both, as servers do that load an application first."""

import asyncio
import os
from dataclasses import dataclass

from torture.channel import Channel
from torture.model import adapter, settings

from persona import Assistant, AsyncAssistant, MisuseError


@dataclass(frozen=True, slots=True)
class Wish:
    """The database, and which kind of assistant is opened before the fork."""

    url: str
    style: str


def run(channel: Channel, wish: Wish) -> None:
    """Talks before the fork, in the worker, and in the master; says what came of it."""
    (_with_threads if wish.style == "threads" else _with_tasks)(channel, wish.url)
    channel.tell(done=True)


def _open(url: str) -> Assistant:
    return Assistant.open(settings(url, run_tasks=True), adapters=[adapter()])


def _with_threads(channel: Channel, url: str) -> None:
    opened = _open(url)
    _say(channel, opened, "hello before")
    closed, done = os.pipe(), os.pipe()
    if os.fork() == 0:
        channel.tell(refused=_refusal(lambda: opened.user("ada").conversation("c").send("hello across")))
        opened.close()
        _work(channel, url, closed, done)
    os.close(done[1])
    _say(channel, opened, "hello master")  # the fork took nothing from it
    os.read(done[0], 1)
    opened.close()
    os.write(closed[1], b".")
    os.read(done[0], 1)


def _with_tasks(channel: Channel, url: str) -> None:
    opened = AsyncAssistant.open(settings(url), adapters=[adapter()])
    loop = asyncio.new_event_loop()
    send = opened.user("ada").conversation("c", create=True).send
    _told(channel, "hello before", loop.run_until_complete(send("hello before")))
    closed, done = os.pipe(), os.pipe()
    if os.fork() == 0:
        channel.tell(refused=_refusal(lambda: asyncio.run(send("hello across"))))
        asyncio.run(opened.close())
        _work(channel, url, closed, done)
    os.close(done[1])
    _told(channel, "hello master", loop.run_until_complete(send("hello master")))
    os.read(done[0], 1)
    loop.run_until_complete(opened.close())
    os.write(closed[1], b".")
    os.read(done[0], 1)
    loop.close()


def _work(channel: Channel, url: str, closed: tuple[int, int], done: tuple[int, int]) -> None:
    """The worker: an assistant of its own, used before and after the master closed its own."""
    with _open(url) as mine:
        _say(channel, mine, "hello worker")
        os.write(done[1], b".")
        os.read(closed[0], 1)
        _say(channel, mine, "hello alone")
    os._exit(0)  # which ends `done` for the master


def _refusal(use: object) -> str:
    try:
        use()  # type: ignore[operator]
    except MisuseError as error:
        return str(error)
    return ""


def _say(channel: Channel, assistant: Assistant, said: str) -> None:
    _told(channel, said, assistant.user("ada").conversation("c", create=True).send(said))


def _told(channel: Channel, said: str, reply: object) -> None:
    channel.tell(replied=said, id=reply.id, text=reply.text, conversation="c")  # type: ignore[attr-defined]
