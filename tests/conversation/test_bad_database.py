"""A database that is locked, read only, full or broken: a typed error that says what to do, and nothing half-done."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from talking import Desk, settings
from wire import WireServer

from persona import (
    Assistant,
    AsyncAssistant,
    EmbedderMismatch,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from persona.testing import ScriptedModel
from persona.values.request import Request


def test_a_locked_database_is_busy_and_works_again_once_it_is_free(desk: Desk) -> None:
    chat = desk.chat(store={"busy_timeout_s": 0.02})
    desk.model.then("before")
    chat.send("before")
    with closing(sqlite3.connect(desk.log.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match=r"try again, or raise store\.busy_timeout_s") as busy:
            chat.send("hello")
        assert busy.value.retryable
        other.execute("ROLLBACK")
    assert [message.text for message in chat.messages()] == ["before", "before"]
    desk.model.then("back")
    assert chat.send("hello").text == "back"


def test_a_lock_that_comes_while_the_model_speaks_is_waited_out_for_the_reply(desk: Desk) -> None:
    chat = desk.chat(store={"busy_timeout_s": 0.01})
    with closing(sqlite3.connect(desk.log.path, isolation_level=None, check_same_thread=False)) as other:
        letting_go = threading.Timer(0.1, other.execute, ["ROLLBACK"])

        def lock(request: Request) -> str:
            other.execute("BEGIN IMMEDIATE")
            letting_go.start()
            return "stored all the same"

        desk.model.then(lock)
        assert chat.send("hello").text == "stored all the same"
        letting_go.join()
    assert [message.text for message in chat.messages()] == ["hello", "stored all the same"]


def _copy(desk: Desk, folder: Path) -> Path:
    folder.mkdir()
    desk.log.copy(folder / "persona.db")
    return folder / "persona.db"


def test_a_read_only_database_shows_conversations_and_takes_no_message(desk: Desk, tmp_path: Path) -> None:
    desk.model.then("hello")
    desk.open().user("ada").conversation(id="c", create=True).send("hi")
    path = _copy(desk, tmp_path / "copy")
    model = ScriptedModel()
    chosen = settings(tmp_path / "copy", store={"url": f"sqlite:///file:{path}?mode=ro&uri=true"})
    assistant = Assistant.open(chosen, adapters=[model.adapter])
    chat = assistant.user("ada").conversation(id="c")
    assert [message.text for message in chat.messages()] == ["hi", "hello"]
    with pytest.raises(StoreReadOnly, match="make the file and its folder writable"):
        chat.send("more")
    assert not model.requests
    assistant.close()


ONE_CONNECTION = {"durability": "full"}  # the limit is a connection's, and brief work has one of its own


async def _allow(assistant: AsyncAssistant, pages: int) -> None:
    """Lets the database file have so many pages, and no fewer than it has."""
    database = (await assistant.services()).database

    def limit() -> None:
        with database.connection() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    await database.thread(limit)


async def test_a_full_database_takes_no_message_and_says_so(desk: Desk) -> None:
    desk.model.then("before", "back")
    async with desk.open_async(store=ONE_CONNECTION) as assistant:
        chat = assistant.user("ada").conversation()
        await chat.send("before")
        await _allow(assistant, 1)
        with pytest.raises(StoreFull, match="free some disk space"):
            await chat.send("hello " * 10_000)
        await _allow(assistant, 1 << 30)
        assert [message.text for message in await chat.messages()] == ["before", "before"]
        assert (await chat.send("hello")).text == "back"


async def test_a_database_that_fills_up_while_the_model_speaks_keeps_the_message(desk: Desk) -> None:
    async def fill(request: Request) -> str:
        await _allow(assistant, 1)
        return "too much " * 10_000

    desk.model.then(fill, "back")
    async with desk.open_async(store=ONE_CONNECTION) as assistant:
        chat = assistant.user("ada").conversation()
        with pytest.raises(StoreFull):
            await chat.send("hello", idempotency_key="m1")
        await _allow(assistant, 1 << 30)
        assert [message.text for message in await chat.messages()] == ["hello"]
        assert (desk.log.turns[0]["state"], desk.log.turns[0]["error"]) == ("failed", "StoreFull")
        assert desk.log.outcomes() == [("failed", "StoreFull")]
        assert (await chat.send("hello", idempotency_key="m1")).text == "back"


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"this is no database at all" * 100, StoreCorrupt), (None, StoreUnavailable)],
    ids=["another file", "a folder"],
)
def test_a_file_that_is_no_database_is_named_on_first_use(
    tmp_path: Path, content: bytes | None, error: type[StoreError]
) -> None:
    path = tmp_path / "persona.db"
    path.write_bytes(content) if content else path.mkdir()
    assistant = Assistant.open(settings(tmp_path), adapters=[ScriptedModel().adapter])
    with pytest.raises(error) as broken:
        assistant.user("ada").conversation().send("hello")
    assert broken.value.hint
    assistant.close()
    assert path.is_dir() or path.read_bytes() == content


def test_a_damaged_database_is_said_to_be_damaged(desk: Desk, tmp_path: Path) -> None:
    desk.model.then("hello")
    desk.open().user("ada").conversation(id="c", create=True).send("hi")
    path = _copy(desk, tmp_path / "copy")
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xa5" * (len(raw) - 4096)
    path.write_bytes(raw)
    assistant = Assistant.open(settings(tmp_path / "copy"), adapters=[ScriptedModel().adapter])
    with pytest.raises(StoreCorrupt, match="restore the file from a backup"):
        assistant.user("ada").conversation(id="c").messages()
    assistant.close()


def _embedding(server: WireServer) -> dict[str, object]:
    provider = {"kind": "openai", "base_url": server.url}
    return {"providers": {"wired": provider}, "memory": {"embedder": "wired:small@8"}}


def test_an_embedder_that_is_down_leaves_recall_by_words_and_the_plan_says_so(desk: Desk) -> None:
    with WireServer() as server:
        assistant = desk.open(**_embedding(server))
        ada = assistant.user("ada")
        desk.model.then("noted", "oat milk")
        ada.conversation().send("My coffee is always made with oat milk.")
        assistant.drain()
        server.fail(401)
        chat = ada.conversation()
        reply = chat.send("What milk goes into my coffee?")
        plan = chat.why(reply.id)
        assert plan.notes == ("recall went by words alone: the embedder failed with AuthenticationFailed",)
        assert "oat milk" in desk.model.requests[-1].messages[-1].text
        assert chat.why(reply.id).section("recall").candidates[0].included


async def test_the_message_is_durable_before_a_remote_embedder_has_answered(desk: Desk) -> None:
    with WireServer() as server:
        server.hang()
        desk.model.then("ok")
        async with desk.open_async(**_embedding(server)) as assistant:
            turn = asyncio.create_task(assistant.user("ada").conversation().send("hello"))
            await asyncio.to_thread(server.wait_for_requests)
            assert [row["role"] for row in desk.log.messages] == ["user"]
            server.release()
            assert (await turn).text == "ok"


def test_vectors_of_another_dimension_are_a_mismatch_that_says_what_to_do(desk: Desk) -> None:
    with WireServer() as server:
        chat = desk.chat(**_embedding(server))
        server.body(b'{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[1.0,0.0]}]}')
        with pytest.raises(EmbedderMismatch) as mismatch:
            chat.send("hello")
        assert mismatch.value.hint
        desk.assert_nothing_was_lost(chat, "hello", "failed", "EmbedderMismatch")
