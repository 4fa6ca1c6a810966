"""A conversation that brings its tenant's own key: it reaches the wire, and nothing else."""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from talking import Desk, settings
from wire import WireServer

from persona import AdapterMissing, Assistant, AsyncAssistant, AuthenticationFailed, InvalidInput, PersonaError

OURS, THEIRS = "sk-OURS-0123456789", "sk-THEIRS-0123456789"


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


def tables(server: WireServer, **more: Any) -> dict[str, Any]:
    wired = {"kind": "openai", "base_url": server.url, "key_env": "THE_KEY"}
    return {
        "providers": {"wired": wired, "spare": wired},
        "routes": {"default": {"target": "wired:m"}},
        "turn": {"retries": 0},
        **more,
    }


def opened(desk: Desk, server: WireServer, **more: Any) -> Assistant:
    chosen = settings(desk.folder, **tables(server, **more))
    return desk.stack.enter_context(Assistant.open(chosen, environment={"THE_KEY": OURS}))


def sent(server: WireServer) -> list[str]:
    return [request.headers["authorization"].removeprefix("Bearer ") for request in server.requests]


def test_the_key_is_sent_with_every_kind_of_turn_and_with_no_one_elses(desk: Desk, server: WireServer) -> None:
    assistant = opened(desk, server)
    chat = assistant.user("ada").conversation(keys={"wired": THEIRS})
    reply = chat.send("one")
    with chat.stream("two") as turn:
        for _ in turn:
            pass
    chat.edit(chat.messages()[0].id, "three")
    chat.regenerate(chat.send("four").id)
    assert sent(server) == [THEIRS] * 5
    assistant.user("bob").conversation().send("five")
    assistant.user("ada").conversation(reply.conversation_id).send("six")
    assert sent(server)[5:] == [OURS] * 2


async def test_the_keys_of_tenants_who_talk_at_once_never_cross(desk: Desk, server: WireServer) -> None:
    chosen = settings(desk.folder, **tables(server))
    tenants = [f"tenant-{number}" for number in range(6)]

    async def talk(assistant: AsyncAssistant, tenant: str, user: int) -> None:
        own = {} if tenant == "tenant-0" else {"wired": f"sk-of-{tenant}"}
        chat = assistant.user(f"u{user}", tenant).conversation(keys=own)
        for _ in range(3):
            await chat.send(f"I am of {tenant}.")

    async with AsyncAssistant.open(chosen, environment={"THE_KEY": "sk-of-tenant-0"}) as assistant:
        await asyncio.gather(*(talk(assistant, tenant, user) for tenant in tenants for user in range(3)))
    assert len(server.requests) == 6 * 3 * 3
    for request, key in zip(server.requests, sent(server), strict=True):
        assert {tenant for tenant in tenants if f"I am of {tenant}." in request.raw.decode()} == {key[6:]}


@pytest.mark.parametrize(
    "answer",
    [
        lambda server: server.tool_call("look", {}).reply("ok"),
        lambda server: server.fail(401, message=f"Incorrect API key provided: {THEIRS}"),
        lambda server: server.fail(429, message=f"{THEIRS} is over its quota"),
        lambda server: server.reset(),
    ],
    ids=["answered", "401", "429", "reset"],
)
def test_the_key_is_nowhere_but_on_the_wire(
    desk: Desk, server: WireServer, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    caplog.set_level(logging.INFO)
    answer(server)
    chat = opened(desk, server).user("ada").conversation(keys={"wired": THEIRS})
    told = [repr(chat), str(vars(chat)), str(vars(chat._conversation))]

    def look() -> str:
        """Looks."""
        return "seen"

    try:
        chat.send("hello", tools=[look])
    except PersonaError as error:
        told += traceback.format_exception(error)
        told.append(str(vars(error)))
    assert set(sent(server)) == {THEIRS}
    told += [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]
    assert not [text for text in told if THEIRS in text]
    kept = [path for path in desk.folder.iterdir() if THEIRS.encode() in path.read_bytes()]
    assert (kept, desk.log.path.exists()) == ([], True)


def test_a_fallback_of_another_provider_uses_the_configured_key(desk: Desk, server: WireServer) -> None:
    assistant = opened(desk, server, routes={"default": {"target": "wired:m", "fallback": ["spare:m"]}})
    server.fail(401).reply("from the spare one")
    assert assistant.user("ada").conversation(keys={"wired": THEIRS}).send("hello").target == "spare:m"
    assert sent(server) == [THEIRS, OURS]


def test_one_tenants_bad_key_does_not_keep_others_from_a_target(desk: Desk, server: WireServer) -> None:
    routes = {"default": {"target": "wired:m", "fallback": ["spare:m"]}}
    assistant = opened(desk, server, routes=routes, turn={"retries": 0, "rest_after": 1})
    server.fail(401)
    chat = assistant.user("ada", "acme").conversation(keys={"wired": THEIRS})
    assert chat.send("hello").target == "spare:m"
    assert assistant.user("bob").conversation().send("hello").target == "wired:m"
    assert chat.send("hello").target == "spare:m"
    assert sent(server) == [THEIRS, OURS, OURS, OURS], "a key that was refused rests"


def test_a_refused_key_is_not_blamed_on_the_environment(desk: Desk, server: WireServer) -> None:
    server.fail(401)
    with pytest.raises(AuthenticationFailed) as raised:
        opened(desk, server).user("ada").conversation(keys={"wired": THEIRS}).send("hello")
    assert "THE_KEY" not in str(raised.value)


def test_background_work_uses_the_configured_key(desk: Desk, server: WireServer) -> None:
    assistant = opened(desk, server, memory={"learn": "default"})
    assistant.user("ada").conversation(keys={"wired": THEIRS}).send("I live in Lyon.")
    server.reply('{"facts": []}')
    assistant.drain()
    assert sent(server) == [THEIRS, OURS]


@pytest.mark.parametrize("key", ["", " ", "sk-a b", "sk-a\n", "clé", None])
def test_what_can_be_no_key_is_refused_and_not_shown(desk: Desk, server: WireServer, key: Any) -> None:
    with pytest.raises(InvalidInput) as raised:
        opened(desk, server).user("ada").conversation(keys={"wired": key})
    assert not key or key.strip() == "" or key not in str(raised.value)


def test_a_key_for_a_provider_that_is_not_there_is_refused_before_the_message_is_kept(
    desk: Desk, server: WireServer
) -> None:
    with pytest.raises(AdapterMissing, match="no adapter named 'wird'"):
        opened(desk, server).user("ada").conversation(keys={"wird": THEIRS}).send("hello")
    assert (desk.log.messages, server.requests) == ([], [])
