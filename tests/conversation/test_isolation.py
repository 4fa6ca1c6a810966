"""No text of one user ever reaches another user's window, and knowledge only the routes that list it."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from talking import Desk
from wire import WireServer

from persona import Assistant, NotFound, User

OWNERS = tuple(product(("", "acme", "globex"), ("ada", "bob")))


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


def _wired(server: WireServer, folder: Path) -> dict[str, object]:
    (folder / "hours.md").write_text("# Opening hours\n\nThe parcel desk opens at KNOWN-HOURS o'clock.\n")
    return {
        "providers": {"wired": {"kind": "openai", "base_url": server.url}},
        "knowledge": {"shop": {"files": (str(folder / "hours.md"),)}},
        "routes": {
            "support": {"target": "wired:m", "knowledge": ["shop"]},
            "chat": {"target": "wired:m"},
        },
    }


def _mark(tenant: str, name: str) -> str:
    return f"mark-of-{tenant or 'nobody'}-{name}"


def _live(user: User, route: str) -> None:
    """A user tells things, in a conversation and as a fact, under the same ids as everybody else."""
    mark = _mark(user.tenant, user.name)
    user.remember(f"The parcel of {mark} is a drum.")
    user.address(mark)
    chat = user.conversation(id="c-1", route=route, create=True)
    chat.send(f"My parcel is called {mark}-said.", idempotency_key="m-1")


def _asked(server: WireServer, assistant: Assistant, route: str) -> dict[tuple[str, str], list[str]]:
    """Every request that asking about parcels causes, by the user who asked."""
    sent = {}
    for tenant, name in OWNERS:
        before = len(server.requests)
        user = assistant.user(name, tenant=tenant)
        user.conversation(id="c-2", route=route, create=True).send("What is my parcel, and when does the desk open?")
        user.conversation(id="c-1").send("And what was my parcel called?")
        sent[tenant, name] = [request.raw.decode() for request in server.requests[before:]]
    return sent


def test_users_of_the_same_name_id_and_key_never_see_each_other(desk: Desk, server: WireServer, tmp_path: Path) -> None:
    tables = _wired(server, tmp_path)
    assistant = desk.open(**tables)
    for tenant, name in OWNERS:
        _live(assistant.user(name, tenant=tenant), "chat")
    assistant.drain()
    for (tenant, name), bodies in _asked(server, assistant, "chat").items():
        own = _mark(tenant, name)
        others = [_mark(*owner) for owner in OWNERS if owner != (tenant, name)]
        for body in bodies:
            assert own in body
            assert not [mark for mark in others if mark in body]
            assert "KNOWN-HOURS" not in body


def test_knowledge_reaches_the_routes_that_list_it(desk: Desk, server: WireServer, tmp_path: Path) -> None:
    ada = desk.open(**_wired(server, tmp_path)).user("ada")
    for route, known in (("support", True), ("chat", False)):
        chat = ada.conversation(route=route)
        reply = chat.send("When does the parcel desk open?")
        assert ("KNOWN-HOURS" in server.requests[-1].raw.decode()) is known
        assert [source.title for source in reply.sources] == (["hours.md"] if known else [])


def test_another_users_facts_conversations_and_replies_cannot_be_reached_by_their_ids(desk: Desk) -> None:
    assistant = desk.open()
    desk.model.then("hello")
    ada, bob = assistant.user("ada"), assistant.user("bob")
    fact = ada.remember("vegetarian")
    chat = ada.conversation(id="c-1", create=True)
    reply = chat.send("hi")
    desk.model.then("hello bob")
    theirs = bob.conversation(id="c-1", create=True)
    theirs.send("hi")
    for call in (
        lambda: bob.forget(fact.id),
        lambda: theirs.why(reply.id),
        lambda: theirs.rate(reply.id, 1),
        lambda: theirs.regenerate(reply.id),
        lambda: theirs.edit(chat.messages()[0].id, "mine now"),
    ):
        with pytest.raises(NotFound):
            call()
    assert bob.facts() == ()
    assert [entry.messages for entry in bob.conversations()] == [2]
    assert [fact.text for fact in ada.facts()] == ["vegetarian"]


def test_a_user_of_a_tenant_is_nobody_without_it(desk: Desk) -> None:
    assistant = desk.open()
    assistant.user("ada", tenant="acme").remember("vegetarian")
    assert assistant.user("ada").facts() == ()
    assert assistant.user("acme", tenant="ada").facts() == ()
