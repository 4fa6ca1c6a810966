"""The oracle and the search for marks see what they are there to see."""

import json
import socket
from pathlib import Path

import pytest
from sqlalchemy import text
from torture.channel import Channel
from torture.marks import Search, mark_of
from torture.oracle import Fact
from torture.survivor import Survivor

from persona.store.transaction import Statement

_DAMAGE = {
    "UPDATE persona_messages SET parts = '[{\"text\":\"You\"}]' WHERE role = 'assistant'": "its reply is 'You'",
    "UPDATE persona_turns SET state = 'running'": "is running and has a reply",
    "UPDATE persona_turns SET state = 'running', reply_id = ''": "is a reply that no turn has",
    "UPDATE persona_conversations SET head_id = ''": "was acknowledged and is there 0 times",
    "UPDATE persona_messages SET parent_id = '' WHERE role = 'assistant'": "hangs in the air",
    "UPDATE persona_conversations SET messages = 3": "miscounts its messages",
    "DELETE FROM persona_tasks": "is no memory, and no task makes it one",
    "DELETE FROM persona_facts": "the fact 'likes tea' was acknowledged and is not there",
    "UPDATE persona_exchanges SET reply_id = 'msg_0'": "claims a reply that is not there",
}


@pytest.mark.parametrize("damage", _DAMAGE)
async def test_the_oracle_sees_damage(tmp_path: Path, damage: str) -> None:
    opened = Survivor(f"sqlite:///{tmp_path / 'app.db'}")
    fact = await opened.assistant.user("ada").remember("likes tea")
    facts: list[Fact] = [{"remembered": fact.id, "text": fact.text}]
    facts += [await opened.say("c", "hello 1"), await opened.say("c", "hello 2")]
    assert not await opened.broken(facts)
    database = (await opened.assistant.services()).database
    await database.run(lambda tx: tx.run(Statement(text(damage.replace(":", r"\:"))), {}))
    assert any(_DAMAGE[damage] in complaint for complaint in await opened.broken(facts))
    await opened.assistant.close()


async def test_the_oracle_sees_an_order_that_was_changed(tmp_path: Path) -> None:
    opened = Survivor(f"sqlite:///{tmp_path / 'app.db'}")
    for said in ("hello 1", "hello 2"):
        await opened.say("c", said)
    began = [{"durable": said, "conversation": "c"} for said in ("hello 2", "hello 1")]
    assert await opened.broken(began) == ["conversation 'c' has another order than its acknowledgements"]
    await opened.assistant.close()


async def test_an_index_that_disagrees_with_the_store_is_seen(tmp_path: Path) -> None:
    opened = Survivor(f"sqlite:///{tmp_path / 'app.db'}")
    assert not await opened.go_on([("c", "hello 1")], [])
    database = (await opened.assistant.services()).database
    await database.run(lambda tx: tx.run(Statement(text("DELETE FROM persona_memories")), {}))
    assert any("the index holds" in complaint for complaint in await opened.go_on([], []))
    await opened.assistant.close()


def test_a_foreign_mark_is_told() -> None:
    here, there = socket.socketpair()
    with here, there:
        search = Search(Channel(there))
        search.look(mark_of("acme", "ada"), "a window", f"{mark_of('acme', 'ada')} and {mark_of('', 'ada')}")
        told = json.loads(here.recv(1000))
    assert told["foreign"] == [mark_of("", "ada")]
