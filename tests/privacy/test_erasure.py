"""Promise 4: what was erased is nowhere, and what belongs to others is as it was."""

from collections.abc import Iterator

import pytest
from privacy.life import Life, live
from privacy.traces import NOBODYS, everything, in_files, in_rows, naming
from talking import Desk, said_in

from persona import Assistant, NotFound, Receipt
from persona.store.engine import Database
from persona.store.tables import Table

BELONGING = {
    *("attempts", "consents", "conversations", "exchanges", "facts", "feedback", "memories", "messages", "owners"),
    *("origins", "summaries", "tasks", "turns"),
}


@pytest.fixture
def assistant(desk: Desk, url: str) -> Assistant:
    return desk.open(store={"url": url})


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url, busy_timeout_s=5)
    yield database
    database.close()


@pytest.fixture
def ada(desk: Desk, url: str, assistant: Assistant) -> Life:
    return live(url, assistant, desk.model, "ada", 1)


@pytest.fixture
def bob(desk: Desk, url: str, assistant: Assistant) -> Life:
    return live(url, assistant, desk.model, "bob", 2)


def of_bob(database: Database, bob: Life) -> dict[str, list[tuple[object, ...]]]:
    """Every row that is not ada's, receipts and what background work learnt of counters aside."""
    rows = everything(database)
    key = next(row[0] for row in rows["persona_owners"] if bob.owner.name in row)
    return {
        name: [row for row in found if (name == "persona_owners" and row[0] == key) or key in row[1:3]]
        for name, found in rows.items()
        if "owner_key" in Table.metadata.tables[name].c or name == "persona_owners"
    }


def test_the_life_of_a_user_leaves_marks_everywhere(ada: Life, database: Database, desk: Desk, url: str) -> None:
    found = in_rows(database, *ada.all())
    assert {name.removeprefix("persona_") for name in found} == {
        *("conversations", "exchanges", "facts", "feedback", "memories", "messages", "origins", "owners"),
        "summaries",
    }
    for one in ada.all():
        assert in_rows(database, one), "a mark that is nowhere proves nothing"
        if url.startswith("sqlite"):
            assert in_files(desk.folder, one)


def test_nothing_of_an_erased_user_is_in_any_row_or_file(
    desk: Desk, url: str, assistant: Assistant, ada: Life, bob: Life, database: Database
) -> None:
    before = of_bob(database, bob)
    receipt = assistant.user("ada").erase()
    assert in_rows(database, *ada.all()) == {}
    assert naming(database, ada.conversation, ada.message, ada.reply, "key-ada") == {}
    assert in_files(desk.folder, *ada.all()) == {}
    assert of_bob(database, bob) == before
    assert {*receipt.counts} == BELONGING - {"tasks"}
    assert receipt.indexes == {"memory": receipt.counts["memories"]}
    assert bool(receipt.scrubbed_us) == url.startswith("sqlite")
    assert assistant.user("ada").facts() == ()
    assert assistant.user("ada").consents() == ()


def test_nothing_of_an_erased_conversation_is_left_and_the_rest_of_the_user_is(
    desk: Desk, assistant: Assistant, ada: Life, database: Database
) -> None:
    desk.model.then("ok")
    other = assistant.user("ada").conversation()
    other.send("something else")
    assistant.user("ada").conversation(ada.conversation).erase()
    gone = [one for kind, one in ada.marks.items() if kind not in ("name", "fact")]
    assert in_rows(database, *gone) == {}
    assert naming(database, ada.conversation, ada.message, ada.reply) == {"persona_memories": 1}, "an empty tombstone"
    assert in_files(desk.folder, *gone) == {}
    assert [fact.text for fact in assistant.user("ada").facts()] == [ada.marks["fact"]]
    assert [one.id for one in assistant.user("ada").conversations()] == [other.id]
    with pytest.raises(NotFound):
        assistant.user("ada").conversation(ada.conversation).messages()


def test_nothing_of_an_erased_message_is_left_and_the_conversation_goes_on(
    desk: Desk, assistant: Assistant, ada: Life, database: Database
) -> None:
    chat = assistant.user("ada").conversation(ada.conversation)
    before = chat.messages()
    receipt = assistant.user("ada").erase_message(ada.message)
    gone = ada.all("said", "replied", "corrected", "learnt", "summary")
    assert naming(database, ada.message, ada.reply) == {"persona_memories": 1}, "an empty tombstone"
    assert in_rows(database, *gone) == {}
    assert in_files(desk.folder, *gone) == {}
    assert [one.id for one in chat.messages()] == [one.id for one in before[2:]]
    assert receipt.counts["messages"] == 2
    (entry,) = assistant.user("ada").conversations()
    assert entry.title.startswith("look it up")
    assert entry.messages == len(in_messages(database))
    desk.model.then("still here")
    assert chat.send("are you there?").text == "still here"
    shown = said_in(desk.model.requests[-1])
    assert ada.marks["edited"] in shown
    assert not [one for one in gone if one in shown]


def in_messages(database: Database) -> list[tuple[object, ...]]:
    return everything(database)["persona_messages"]


def test_an_erased_answer_leaves_its_question(desk: Desk, assistant: Assistant, ada: Life, database: Database) -> None:
    chat = assistant.user("ada").conversation(ada.conversation)
    assistant.user("ada").erase_message(ada.reply)
    assert in_rows(database, *ada.all("replied", "corrected")) == {}
    assert in_files(desk.folder, *ada.all("replied", "corrected")) == {}
    assert chat.messages()[0].id == ada.message
    assert chat.messages()[1].parent_id == ada.message
    with pytest.raises(NotFound, match="no longer stored"):
        chat.send(f"{ada.marks['said']} is what I say", idempotency_key="key-ada")


def test_the_last_message_may_be_erased(desk: Desk, assistant: Assistant) -> None:
    chat = assistant.user("ada").conversation()
    desk.model.then("one", "two", "three")
    chat.send("first")
    chat.send("second")
    assistant.user("ada").erase_message(chat.messages()[2].id)
    assert [one.text for one in chat.messages()] == ["first", "one"]
    chat.send("third")
    assert [one.text for one in chat.messages()] == ["first", "one", "third", "three"]
    for message in chat.messages()[::2]:
        assistant.user("ada").erase_message(message.id)
    assert chat.messages() == ()
    desk.model.then("anew")
    chat.send("fourth")
    assert [one.text for one in chat.messages()] == ["fourth", "anew"]


def test_nothing_of_an_erased_fact_is_left_and_the_next_window_is_made_without_it(
    desk: Desk, assistant: Assistant, ada: Life, database: Database
) -> None:
    user = assistant.user("ada")
    chat = user.conversation(ada.conversation)
    desk.model.then("ok", "ok")
    chat.send("what do you know?")
    assert ada.marks["fact"].replace("&", "&amp;") in said_in(desk.model.requests[-1])
    (fact,) = [one for one in user.facts() if one.text == ada.marks["fact"]]
    receipt = user.erase_fact(fact.id)
    assert receipt.counts == {"facts": 1, "memories": 1}
    assert receipt.recalled > 0
    assert in_rows(database, ada.marks["fact"]) == {}
    assert in_files(desk.folder, ada.marks["fact"]) == {}
    assert list(naming(database, fact.id)) == ["persona_memories"], "an empty tombstone"
    chat.send("and now?")
    assert ada.marks["fact"] not in said_in(desk.model.requests[-1])


def test_what_was_forgotten_can_be_erased_too(assistant: Assistant, desk: Desk, database: Database) -> None:
    user = assistant.user("ada")
    fact = user.remember("a secret of long ago")
    user.forget(fact.id)
    assert in_rows(database, "a secret of long ago")
    user.erase_fact(fact.id)
    assert in_rows(database, "a secret of long ago") == {}


@pytest.mark.parametrize("what", ["user", "conversation", "message", "fact"])
def test_what_is_not_there_or_anothers_cannot_be_erased(
    what: str, assistant: Assistant, ada: Life, bob: Life, database: Database
) -> None:
    before = everything(database)
    thief = assistant.user("ada", tenant="acme")
    fact = assistant.user("ada").facts()[0].id
    with pytest.raises(NotFound):
        {
            "user": thief.erase,
            "conversation": assistant.user("bob").conversation(ada.conversation).erase,
            "message": lambda: assistant.user("bob").erase_message(ada.message),
            "fact": lambda: assistant.user("bob").erase_fact(fact),
        }[what]()
    assert everything(database) == before


def test_an_erased_user_who_comes_back_begins_from_nothing(desk: Desk, assistant: Assistant, ada: Life) -> None:
    assistant.user("ada").erase()
    desk.model.then("who are you?")
    chat = assistant.user("ada").conversation(ada.conversation, create=True)
    reply = chat.send(f"{ada.marks['said']} is what I say", idempotency_key="key-ada")
    assert reply.text == "who are you?"
    shown = said_in(desk.model.requests[-1])
    assert not [one for kind, one in ada.marks.items() if kind != "said" and one in shown]


def test_a_receipt_names_nobody_and_says_what_is_left(assistant: Assistant, ada: Life, url: str) -> None:
    receipt = assistant.user("ada").erase()
    said = str(receipt.to_dict())
    assert not [one for one in (*ada.all(), "ada", ada.conversation, ada.message) if one in said]
    assert any("backups" in one for one in receipt.remains)
    assert any("given for training" in one for one in receipt.remains)
    left = [one for one in receipt.remains if "VACUUM FULL persona_attempts, persona_consents" in one]
    assert len(left) == (0 if url.startswith("sqlite") else 1)
    assert isinstance(receipt, Receipt)


def test_no_table_is_forgotten_by_an_erasure(ada: Life, database: Database, assistant: Assistant) -> None:
    """A new table with somebody's rows is erased by its `owner_key`, or has to be named in `store/belongings.py`."""
    before = {name for name, rows in everything(database).items() if rows} - NOBODYS
    assistant.user("ada").erase()
    assert {name for name, rows in everything(database).items() if rows} <= NOBODYS
    assert before
