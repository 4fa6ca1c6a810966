"""A user who leaves something in every table, each word of it marked."""

import json
from contextlib import closing, suppress
from dataclasses import dataclass

from privacy.traces import mark
from talking import ask

from persona import Assistant, StreamCut
from persona.store import conversations, facts, owners, summaries
from persona.store.engine import Database
from persona.store.ids import new_id
from persona.store.statements import insert_into
from persona.store.tables import OriginRow
from persona.store.transaction import Transaction
from persona.testing import Cut, ScriptedModel
from persona.values.memory import Fact
from persona.values.owner import Owner
from persona.values.time import MICROSECONDS

KINDS = (
    *("name", "said", "replied", "fact", "learnt", "corrected", "tool", "result", "partial", "summary", "edited"),
    "origin",
)
_ORIGIN = insert_into(OriginRow)
NOW = 1_760_000_000 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Life:
    """What a user said and was told, by what it is; the ids of their conversation, first message and its reply."""

    owner: Owner
    marks: dict[str, str]
    conversation: str
    message: str
    reply: str

    def all(self, *kinds: str) -> list[str]:
        """The marks of these kinds, or of all."""
        return [self.marks[kind] for kind in kinds or KINDS]


def live(url: str, assistant: Assistant, model: ScriptedModel, name: str, seed: int, tenant: str = "") -> Life:
    """Is told, talks, corrects, calls a tool, edits, is cut; has memories, a learnt fact and a summary."""
    marks = {kind: mark(1000 * seed + at) for at, kind in enumerate(KINDS)}

    def look(word: str) -> str:
        """Looks a word up."""
        return marks["result"]

    user = assistant.user(name, tenant)
    user.address(name=marks["name"])
    user.consent(training=True)
    user.remember(marks["fact"])
    chat = user.conversation()
    model.then(f"you said {marks['replied']}")
    first = chat.send(f"{marks['said']} is what I say", idempotency_key=f"key-{name}")
    chat.correct(first.id, marks["corrected"])
    model.then(ask("look", json.dumps({"word": marks["tool"]})), "found")
    chat.send("look it up", tools=[look])
    model.then(Cut(f"half of {marks['partial']}"))
    with suppress(StreamCut):
        chat.send("this is cut")
    asked = chat.messages()
    model.then("an answer to the edited one")
    chat.edit(asked[2].id, f"{marks['edited']} is what I meant")
    life = Life(Owner(tenant, name), marks, chat.id, asked[0].id, first.id)
    with closing(Database(url, busy_timeout_s=5)) as database:
        database.run_now(lambda tx: _learn(tx, life))
    assistant.drain()
    return life


def _learn(tx: Transaction, life: Life) -> None:
    """What a model would have made of it."""
    owner, conversation = conversations.find(tx, life.owner, life.conversation)
    assert owner
    assert conversation
    learnt = Fact(new_id("fct"), life.marks["learnt"], "fact", "learnt", NOW, NOW, message_id=life.message)
    facts.add(tx, owner.key, learnt)
    owners.touch(tx, owner.key)
    upto = (conversation.head_id, conversation.depth - 1)
    origin = {"owner_key": owner.key, "conversation_key": conversation.key, "messages": 1, "import_id": "", "line": 1}
    tx.run(_ORIGIN, {**origin, "id": new_id("org"), "instructions": life.marks["origin"], "details": ""})
    summaries.add(tx, owner.key, conversation.key, upto, life.marks["summary"], NOW)
