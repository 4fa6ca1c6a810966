"""Whole turns on PostgreSQL: sent, streamed, with tools, repeated; what a user sees is what SQLite gives."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import postgres
import pytest
from wire import WireServer

from persona import Assistant, AsyncAssistant, Reply, Settings, TextDelta
from persona.errors import ConversationBusy, SchemaOutOfDate, StoreUnavailable, StreamCut, TurnInProgress
from persona.store import schema
from persona.store.engine import Database

Later = Callable[[Callable[[], Reply]], "Future[Reply]"]


def settings(url: str, **tables: Any) -> Settings:
    return Settings.model_validate({"store": {"url": url}, **tables})


def opening_hours(day: str) -> str:
    """Says when the post office is open on a day."""
    return f"Open on {day} from 9 to 17."


@pytest.fixture
def assistant(postgresql_url: str) -> Iterator[Assistant]:
    with Assistant.open(settings(postgresql_url)) as opened:
        yield opened


@pytest.fixture
def model() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


def on(url: str, model: WireServer, **turn: Any) -> Settings:
    """Settings whose route is served by the local wire server."""
    routes = {"default": {"target": "here:m"}}
    here = {"here": {"kind": "openai", "base_url": model.url}}
    return settings(url, providers=here, routes=routes, turn={"retries": 0, **turn})


@pytest.fixture
def later() -> Iterator[Later]:
    """Sends in a thread of its own."""
    with ThreadPoolExecutor(2) as threads:
        yield threads.submit


def counted(url: str) -> dict[str, int]:
    tables = ("owners", "conversations", "turns", "messages", "exchanges")
    return {name: postgres.administer(url, f"SELECT count(*) FROM persona_{name}")[0][0] for name in tables}


def test_database_that_was_not_upgraded_names_the_command(postgres_server: str) -> None:
    with postgres.fresh_database(postgres_server, "persona_never_upgraded", upgraded=False) as url:
        with pytest.raises(SchemaOutOfDate, match="persona db upgrade"), Assistant.open(settings(url)):
            pass
        database = Database(url)
        schema.upgrade(database)
        database.close()
        with Assistant.open(settings(url)) as assistant:
            assert assistant.user("ada").conversation().send("Bonjour").text


def test_what_was_said_is_remembered_in_the_next_conversation(assistant: Assistant) -> None:
    ada = assistant.user("ada", tenant="acme")
    ada.remember("vegetarian", kind="preference")
    ada.conversation().send("My parcels arrive in Brest.")
    assistant.drain()
    reply = ada.conversation().send("Where do my parcels arrive?")
    assert "Brest" in reply.text
    assert reply.sources
    assert assistant.user("bob", tenant="acme").conversation().send("Where do my parcels arrive?").sources == ()


def test_conversation_is_listed_read_corrected_and_told_again(assistant: Assistant) -> None:
    chat = assistant.user("ada").conversation()
    reply = chat.send("Bonjour, je m'appelle Ada.")
    chat.correct(reply.id, "Bonjour Ada.")
    other = chat.regenerate(reply.id)
    assert other.id != reply.id
    assert [message.role for message in chat.messages()] == ["user", "assistant"]
    assert [entry.id for entry in assistant.user("ada").conversations()] == [chat.id]
    assert chat.why(reply.id).total > 0


async def test_stream_ends_in_the_stored_reply(postgresql_url: str) -> None:
    async with AsyncAssistant.open(settings(postgresql_url)) as assistant:
        chat = assistant.user("ada").conversation()
        async with chat.stream("Bonjour") as turn:
            heard = "".join([event.text async for event in turn if isinstance(event, TextDelta)])
        messages = await chat.messages()
    assert heard == turn.reply.text == messages[-1].text


def test_tools_are_called_and_their_round_is_kept(postgresql_url: str, assistant: Assistant) -> None:
    chat = assistant.user("ada").conversation()
    reply = chat.send("What are the opening hours on Monday?", tools=[opening_hours])
    assert "9" in reply.text
    assert counted(postgresql_url) == {"owners": 1, "conversations": 1, "turns": 1, "messages": 4, "exchanges": 2}


def test_same_key_again_brings_the_same_reply(postgresql_url: str, assistant: Assistant) -> None:
    chat = assistant.user("ada").conversation()
    first = chat.send("Bonjour", idempotency_key="m1")
    assert chat.send("Bonjour", idempotency_key="m1").id == first.id
    assert counted(postgresql_url)["messages"] == 2


def test_same_key_at_once_is_answered_once(postgresql_url: str, assistant: Assistant) -> None:
    chat = assistant.user("ada").conversation()
    start, replies = threading.Barrier(6, timeout=10), []

    def send() -> None:
        start.wait()
        replies.append(chat.send("Bonjour", idempotency_key="m1").id)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(replies) == 6
    assert len(set(replies)) == 1
    assert counted(postgresql_url) == {"owners": 1, "conversations": 1, "turns": 1, "messages": 2, "exchanges": 1}


def test_second_worker_is_told_before_any_model_is_called(postgresql_url: str, model: WireServer, later: Later) -> None:
    model.hang()
    impatient = on(postgresql_url, model, wait_s=0)
    with Assistant.open(impatient) as one, Assistant.open(impatient) as two:
        first = later(lambda: one.user("ada").conversation(id="c-1", create=True).send("un"))
        model.wait_for_requests()
        with pytest.raises(ConversationBusy):
            two.user("ada").conversation(id="c-1", create=True).send("deux")
        assert len(model.requests) == 1
        model.release()
        assert first.result(timeout=30).text == "ok"
        assert two.user("ada").conversation(id="c-1").send("trois").text == "ok"
    assert counted(postgresql_url)["messages"] == 4


def test_second_worker_waits_for_its_turn(postgresql_url: str, model: WireServer, later: Later) -> None:
    model.hang()
    with Assistant.open(on(postgresql_url, model)) as one, Assistant.open(on(postgresql_url, model)) as two:
        first = later(lambda: one.user("ada").conversation(id="c-1", create=True).send("un"))
        model.wait_for_requests()
        second = later(lambda: two.user("ada").conversation(id="c-1", create=True).send("deux"))
        model.release()
        assert first.result(timeout=30).text == second.result(timeout=30).text == "ok"
        said = [message.text for message in one.user("ada").conversation(id="c-1").messages()]
    assert said == ["un", "ok", "deux", "ok"]


def test_cut_stream_with_what_no_database_takes_is_logged(postgresql_url: str, model: WireServer) -> None:
    model.stream(["half \0 a "], cut=True)
    with Assistant.open(on(postgresql_url, model)) as assistant:
        chat = assistant.user("ada").conversation()
        with pytest.raises(StreamCut), chat.stream("Bonjour") as turn:
            list(turn)
    assert postgres.administer(postgresql_url, "SELECT outcome, partial FROM persona_exchanges") == [
        ("cut", "half \ufffd a ")
    ]


@pytest.mark.timeout(40)  # a lock that is held while the server answers stops the loop for ever
async def test_turns_at_once_of_somebody_whose_memories_are_not_loaded_yet_all_end(postgresql_url: str) -> None:
    names = [f"user {number}" for number in range(6)]
    async with AsyncAssistant.open(settings(postgresql_url)) as before:
        for name in names:
            await before.user(name).remember("My parcels arrive in Brest.")
        await before.drain()
    async with AsyncAssistant.open(settings(postgresql_url)) as assistant:
        await assistant.user(names.pop()).conversation().send("Bonjour")  # from here on few memories load on the loop
        asked = [assistant.user(name).conversation().send("Where do my parcels arrive?") for name in names * 4]
        replies = await asyncio.gather(*asked)
    assert all(reply.text for reply in replies)
    assert counted(postgresql_url)["exchanges"] == 21


# the server goes away in the middle of a turn


def test_reply_outlives_a_server_that_is_killed_and_started_again(
    own_server: postgres.Server, mortal_url: str, model: WireServer, later: Later
) -> None:
    model.hang()
    with Assistant.open(on(mortal_url, model)) as assistant:
        chat = assistant.user("ada").conversation()
        sent = later(lambda: chat.send("Bonjour", idempotency_key="m1"))
        model.wait_for_requests()
        own_server.kill()
        model.release()
        own_server.start()
        reply = sent.result(timeout=30)
        assert chat.send("Bonjour", idempotency_key="m1").id == reply.id
        assert [message.text for message in chat.messages()] == ["Bonjour", "ok"]
    assert counted(mortal_url) == {"owners": 1, "conversations": 1, "turns": 1, "messages": 2, "exchanges": 1}


def test_server_that_is_gone_is_told_before_any_model_is_called_and_the_next_turn_works(
    own_server: postgres.Server, mortal_url: str, model: WireServer
) -> None:
    with Assistant.open(on(mortal_url, model)) as assistant:
        chat = assistant.user("ada").conversation()
        chat.send("un")
        own_server.kill()
        with pytest.raises(StoreUnavailable) as raised:
            chat.send("deux", idempotency_key="m2")
        assert raised.value.retryable
        assert len(model.requests) == 1
        own_server.start()
        assert chat.send("deux", idempotency_key="m2").text == "ok"
        assert [message.text for message in chat.messages()] == ["un", "ok", "deux", "ok"]


@pytest.fixture
def line(mortal_url: str) -> Iterator[postgres.Line]:
    line = postgres.Line(mortal_url)
    yield line
    line.close()


def test_reply_whose_commit_got_no_answer_is_kept_once(line: postgres.Line, mortal_url: str, model: WireServer) -> None:
    model.reply("la réponse")
    with Assistant.open(on(line.url, model)) as assistant:
        chat = assistant.user("ada").conversation()
        line.cut_after("la réponse".encode())
        reply = chat.send("Bonjour")
        assert not line.commits_to_cut
        assert [message.text for message in chat.messages()] == ["Bonjour", reply.text]
        assert chat.send("encore").text == "ok"
    assert counted(mortal_url) == {"owners": 1, "conversations": 1, "turns": 2, "messages": 4, "exchanges": 2}


def test_message_whose_commit_got_no_answer_is_not_doubled_by_the_same_key(
    line: postgres.Line, mortal_url: str, model: WireServer
) -> None:
    now = datetime(2031, 5, 4, 12)
    with Assistant.open(on(line.url, model, wait_s=0), clock=lambda: now) as assistant:
        chat = assistant.user("ada").conversation()
        line.cut_after(b"Bonjour")
        with pytest.raises(StoreUnavailable, match="same idempotency key"):
            chat.send("Bonjour", idempotency_key="m1")
        assert model.requests == []
        with pytest.raises(TurnInProgress):  # it was kept, and holds the conversation until its lease ends
            chat.send("Bonjour", idempotency_key="m1")
        now += timedelta(minutes=5)
        assert chat.send("Bonjour", idempotency_key="m1").text == "ok"
    assert counted(mortal_url) == {"owners": 1, "conversations": 1, "turns": 1, "messages": 2, "exchanges": 1}


def test_opening_whose_commit_got_no_answer_goes_on_where_it_was(
    line: postgres.Line, mortal_url: str, model: WireServer
) -> None:
    with Assistant.open(on(line.url, model)) as assistant:
        chat = assistant.user("ada").conversation()
        line.cut_after(b"Bonjour")
        assert chat.send("Bonjour").text == "ok"
        line.cut_after(b"Au revoir")
        assert chat.send("Au revoir").text == "ok"
        line.cut_after(b"Bonsoir")
        assert chat.edit(chat.messages()[2].id, "Bonsoir").text == "ok"
        line.cut_after(b"INSERT INTO persona_turns")
        assert chat.regenerate(chat.messages()[3].id).text == "ok"
        assert not line.commits_to_cut
        assert [message.text for message in chat.messages()] == ["Bonjour", "ok", "Bonsoir", "ok"]
    assert [len(sent["messages"]) for sent in model.bodies] == [2, 4, 4, 4]
    assert counted(mortal_url) == {"owners": 1, "conversations": 1, "turns": 4, "messages": 7, "exchanges": 4}


@pytest.mark.parametrize("said", [b"Monday", b"9 to 17"])
def test_tool_round_whose_commit_got_no_answer_is_kept_once(
    line: postgres.Line, mortal_url: str, model: WireServer, said: bytes
) -> None:
    asked = []

    def opening_hours(day: str) -> str:
        """Says when the post office is open on a day."""
        asked.append(day)
        return "Open from 9 to 17."

    model.tool_call("opening_hours", {"day": "Monday"})
    with Assistant.open(on(line.url, model)) as assistant:
        chat = assistant.user("ada").conversation()
        line.cut_after(said)
        assert chat.send("Bonjour", tools=[opening_hours]).text == "ok"
        assert not line.commits_to_cut
        assert [message.role for message in chat.messages()] == ["user", "assistant", "tool", "assistant"]
    assert asked == ["Monday"]
    assert counted(mortal_url) == {"owners": 1, "conversations": 1, "turns": 1, "messages": 4, "exchanges": 2}
