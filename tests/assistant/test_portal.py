"""The sync assistant: one loop in a thread of its own, from many threads, and never a deadlock."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from talking import Desk, settings

from persona import Assistant, AsyncAssistant, MisuseError, SettingsError, ToolCall
from persona.assistant.portal import Portal
from persona.testing import ScriptedModel
from persona.values.request import Request


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk
    desk.model.check()


def test_many_threads_may_talk_at_once(desk: Desk) -> None:
    desk.model.then(*["ok"] * 40)
    assistant = desk.open()

    def talk(number: int) -> list[str]:
        chat = assistant.user(f"user {number}").conversation()
        for turn in range(5):
            chat.send(f"{number}.{turn}")
        return [message.text for message in chat.messages()][::2]

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(talk, range(8)))
    assert said == [[f"{number}.{turn}" for turn in range(5)] for number in range(8)]


def test_a_plain_tool_may_use_the_assistant_that_runs_it(desk: Desk) -> None:
    ada = desk.open().user("ada")

    def remember(text: str) -> str:
        return ada.remember(text).text

    desk.model.then(ToolCall("1", "remember", '{"text": "likes tea"}'), "noted")
    assert ada.conversation().send("I like tea", tools=[remember]).text == "noted"
    assert [fact.text for fact in ada.facts()] == ["likes tea"]


def test_an_async_tool_that_calls_the_sync_assistant_is_told_instead_of_hanging(desk: Desk) -> None:
    ada = desk.open().user("ada")

    async def remember(text: str) -> str:
        return ada.remember(text).text

    desk.model.then(ToolCall("1", "remember", '{"text": "likes tea"}'), "sorry")
    chat = ada.conversation()
    assert chat.send("I like tea", tools=[remember]).text == "sorry"
    assert "use AsyncAssistant there" in str(desk.model.requests[-1].messages[-1].parts)


def test_closing_twice_is_fine_and_using_it_afterwards_says_what_is_wrong(desk: Desk) -> None:
    assistant = desk.open()
    chat = assistant.user("ada").conversation()
    desk.model.then("hello")
    reply = chat.send("hi")
    assistant.close()
    assistant.close()
    for call in (lambda: chat.send("hi"), lambda: chat.why(reply.id), assistant.drain, assistant.user("ada").facts):
        with pytest.raises(MisuseError, match="the assistant is closed; open another one"):
            call()


async def test_an_async_assistant_is_closed_for_good_too(desk: Desk) -> None:
    async with desk.open_async() as assistant:
        chat = assistant.user("ada").conversation()
    with pytest.raises(MisuseError, match="the assistant is closed"):
        await chat.send("hi")
    await assistant.close()


def test_an_assistant_serves_the_loop_it_was_opened_in(desk: Desk) -> None:
    assistant = desk.open_async()
    with asyncio.Runner() as its_loop:
        its_loop.run(assistant.services())  # type: ignore[arg-type]  # a coroutine is what it wants
        with pytest.raises(MisuseError, match="another event loop; open one in each loop"):
            asyncio.run(assistant.user("ada").conversation().send("hi"))  # type: ignore[arg-type]
        its_loop.run(assistant.close())  # type: ignore[arg-type]


def test_a_stream_that_was_not_entered_says_how_it_is_used(desk: Desk) -> None:
    stream = desk.chat().stream("hi")
    with pytest.raises(MisuseError, match="was not entered"):
        next(iter(stream))


def test_closing_waits_for_a_turn_in_another_thread(desk: Desk) -> None:
    begun, go = threading.Event(), threading.Event()

    async def slowly(request: Request) -> str:
        begun.set()
        await asyncio.to_thread(go.wait, 10)
        return "done"

    desk.model.then(slowly)
    assistant = desk.open()
    chat = assistant.user("ada").conversation()
    with ThreadPoolExecutor(2) as pool:
        reply = pool.submit(chat.send, "hi")
        assert begun.wait(10)
        closing = pool.submit(assistant.close)
        assert not closing.done()
        go.set()
        assert reply.result(10).text == "done"
        closing.result(10)


def test_settings_that_cannot_work_are_refused_without_a_thread_left_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    (tmp_path / "persona.toml").write_text(
        '[routes.default]\ntarget = "embedded:extractive-1"\ninstructions = "{{ x }}"\n'
    )
    for kind in (Assistant, AsyncAssistant):
        with pytest.raises(SettingsError, match="x"):
            kind.open(tmp_path / "persona.toml")
    assert threading.active_count() == before


def test_neither_opening_nor_naming_a_user_or_a_conversation_touches_the_disk(tmp_path: Path) -> None:
    assistant = Assistant.open(settings(tmp_path), adapters=[ScriptedModel().adapter])
    assistant.user("ada").conversation(id="c", create=True)
    assert list(tmp_path.iterdir()) == []
    assistant.close()


def test_who_still_waits_when_the_loop_is_stopped_is_told() -> None:
    portal, begun, told = Portal(), threading.Event(), list[str]()

    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    def wait() -> None:
        try:
            portal.call(forever())
        except MisuseError as error:
            told.append(str(error))

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert begun.wait(10)
    portal.close()
    waiting.join(10)
    assert told == ["the assistant is closed; open another one"]
