"""What prompt caches are told, from a conversation to the wire, through each vendor's own SDK."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from talking import Desk
from wire import WireServer
from wires.anthropic import MESSAGES
from wires.google import GoogleWire

ROUTE = {
    "instructions": ["Be brief.", "Be kind."],
    "shots": {
        "items": [{"user": "Who are you?", "assistant": "A shop."}, {"user": "Where?", "assistant": "In Paris."}]
    },
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk


def talk(desk: Desk, kind: str, url: str, monkeypatch: pytest.MonkeyPatch, id: str = "c-1") -> None:
    """Three turns of a user with a profile."""
    monkeypatch.setenv("CACHE_KEY", "sk-test")
    provider = {"kind": kind, "base_url": url, "key_env": "CACHE_KEY"}
    assistant = desk.open(providers={"suite": provider}, routes={"default": {"target": "suite:m", **ROUTE}})
    ada = assistant.user("ada")
    ada.remember("vegetarian", kind="preference")
    chat = ada.conversation(id=id, create=True)
    for text in ("first", "second", "third"):
        chat.send(text)


def marked(body: Any) -> list[str]:
    """The last line of each block that is marked, in the order of the wire."""
    blocks = [*body.get("system", ())]
    for message in body["messages"]:
        blocks += message["content"] if isinstance(message["content"], list) else []
    return [block["text"].splitlines()[-1] for block in blocks if "cache_control" in block]


def test_the_end_of_every_stable_section_is_marked_and_no_more_than_four(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WireServer(MESSAGES) as server:
        for said in ("One.", "Two.", "Three."):
            server.reply(said)
        talk(desk, "anthropic", server.origin, monkeypatch)
    # the profile is a system message, and stands with the instructions on this wire
    fixed = ["Be kind.", "</profile>", "In Paris."]
    assert [marked(body) for body in server.bodies] == [fixed, [*fixed, "One."], [*fixed, "Two."]]


@pytest.mark.parametrize("id", ["c-1", "c" * 100], ids=["short", "long"])
def test_the_requests_of_a_conversation_share_one_key_that_the_vendor_takes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, id: str
) -> None:
    resolve = socket.getaddrinfo

    def here(host: Any, *rest: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if host in ("api.openai.com", b"api.openai.com") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", here)  # only at the vendor's own name its own options are sent
    with WireServer() as server:
        talk(desk, "openai", f"http://api.openai.com:{server.port}/v1", monkeypatch, id)
    keys = [body["prompt_cache_key"] for body in server.bodies]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert 0 < len(keys[0]) <= 64


def test_a_vendor_that_caches_by_itself_is_told_nothing_and_repeats_what_it_was_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = GoogleWire()
    with WireServer(wire.dialect) as server:
        talk(desk, "google", server.origin, monkeypatch)
    assert len(server.bodies) == 3
    assert all("cachedContent" not in body for body in server.bodies)
    system = [body["systemInstruction"] for body in server.bodies]
    assert system[0] == system[1] == system[2]
    for before, after in zip(server.bodies, server.bodies[1:], strict=False):
        shared = len(before["contents"]) - 1  # all but its input, which had that turn's context
        assert before["contents"][:shared] == after["contents"][:shared]
