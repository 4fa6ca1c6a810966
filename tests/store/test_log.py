"""Whole conversations read from the log: page by page, the same on every database, and only those that are wanted."""

from dataclasses import replace
from decimal import Decimal
from itertools import chain

import pytest
from stored import ADA, BOB, NOW, PLAN, SECOND, TARGET, answer, exchange, opening, say, start
from stored import PRIVATE as WORDS

from persona.store import conversations, exchanges, facts, feedback, log, memories, owners, summaries
from persona.store.codec import decode_plan, encode_plan
from persona.store.engine import Database
from persona.store.log import LogReader, Wanted
from persona.values.log import LoggedConversation
from persona.values.memory import Fact, MemoryRow
from persona.values.message import Text, ToolCall
from persona.values.owner import Owner, Traits
from persona.values.request import Usage
from persona.values.turn import Cost


def read(database: Database, page: int = 2, **wanted: object) -> list[LoggedConversation]:
    """Everything that is wanted."""
    reader = LogReader(Wanted(**wanted))  # type: ignore[arg-type]
    first, last = database.run_now(reader.span, write=False)
    return list(chain.from_iterable(reader.pages(database, first, last, page)))


def key_of(database: Database, id: str, owner: Owner = ADA) -> int:
    """The key of a conversation."""
    _, found = database.run_now(lambda tx: conversations.find(tx, owner, id), write=False)
    assert found
    return found.key


def owner_key(database: Database, owner: Owner = ADA) -> int:
    """The key of an owner who is there."""
    found = database.run_now(lambda tx: owners.find(tx, owner), write=False)
    assert found
    return found.key


def test_a_conversation_has_its_whole_tree_with_its_counts(database: Database) -> None:
    asked, first = say(database, "bonjour")
    again = start(database, opening("", again=asked.id, route=""))
    second = answer(database, again, "À 10 h.")
    (one,) = read(database)
    assert one.messages[0] == asked
    assert sorted(message.id for message in one.messages[1:]) == sorted([first.id, second.id])
    assert {message.parent_id for message in one.messages[1:]} == {asked.id}
    assert len(one.counts) == 3
    assert all('"estimate"' in raw for raw in one.counts)


def test_an_exchange_is_read_with_its_plan_undecoded(database: Database) -> None:
    opened = start(database, opening())
    reply = answer(database, opened)
    (one,) = read(database)
    (called,) = one.exchanges
    assert (called.turn_id, called.purpose, called.reply_id, called.outcome) == (
        opened.turn_id,
        "turn",
        reply.id,
        "answered",
    )
    assert (called.route, called.arm, called.target, called.stop) == ("support", "base", TARGET, "end")
    assert (called.usage, called.cost) == (Usage(700, 60, None), Cost(Decimal("0.0003"), "catalog"))
    assert called.plan == encode_plan(PLAN)
    assert decode_plan(called.plan) == PLAN
    assert called.consent is None


@pytest.mark.parametrize("agreed", [True, False])
def test_consent_is_a_yes_or_a_no(database: Database, agreed: bool) -> None:
    opened = start(database, opening())
    called = replace(exchange(opened, ""), consent=agreed, purpose="shadow", said=(Text("x"), ToolCall("1", "y", "{}")))
    database.run_now(lambda tx: exchanges.log(tx, called))
    ((found,),) = [one.exchanges for one in read(database)]
    assert found.consent is agreed
    assert (found.id, found.latency_ms, found.started_us) == (called.id, called.latency_ms, called.started_us)
    assert found.said == '[{"text":"x"},{"call":["1","y","{}"]}]'


def test_what_hangs_on_a_conversation_comes_with_it(database: Database) -> None:
    _, reply = say(database)
    say(database, id="c-2")
    ada, key = owner_key(database), key_of(database, "c-1")
    fact = Fact("fct_1", "vegetarian", "preference", "app", NOW, NOW - 5, NOW + 5, slot="diet", value=["none"])
    database.run_now(lambda tx: facts.add(tx, ada, fact))
    database.run_now(lambda tx: feedback.give(tx, ada, key, reply.id, "correction", NOW, "À 9 h 30."))
    database.run_now(lambda tx: summaries.add(tx, ada, key, (reply.id, 1), "They spoke.", NOW))
    database.run_now(lambda tx: conversations.tag(tx, key, ("refund", "urgent")))
    database.run_now(lambda tx: owners.set_traits(tx, ada, Traits("Ada", "fr-FR", "Europe/Paris")))
    one, other = read(database)
    assert [(given.message_id, given.kind, given.text, given.rating) for given in one.feedback] == [
        (reply.id, "correction", "À 9 h 30.", None)
    ]
    assert [(said.text, said.upto_depth, said.created_us) for said in one.summaries] == [("They spoke.", 1, NOW)]
    assert one.facts == other.facts == (fact,)
    assert (one.owner, one.owner_key, one.traits) == (ADA, ada, Traits("Ada", "fr-FR", "Europe/Paris"))
    assert (one.id, one.route, one.arm, one.tags, one.created_us) == (
        "c-1",
        "support",
        "base",
        ("refund", "urgent"),
        NOW,
    )
    assert (other.feedback, other.summaries, other.tags) == ((), (), ())


def test_facts_are_only_those_of_the_owner(database: Database) -> None:
    say(database)
    start(database, opening(owner=BOB, id="c-2"))
    bob = owner_key(database, BOB)
    database.run_now(lambda tx: facts.add(tx, bob, Fact("fct_1", "lives in Lyon", created_us=NOW, valid_from_us=NOW)))
    assert [(one.owner, len(one.facts)) for one in read(database)] == [(ADA, 0), (BOB, 1)]


def test_pages_of_any_size_bring_the_same(database: Database) -> None:
    for number in range(7):
        say(database, id=f"c-{number}")
        say(database, "et demain ?", id=f"c-{number}", now=NOW + SECOND)
    whole = read(database, page=100)
    assert [one.id for one in whole] == [f"c-{number}" for number in range(7)]
    assert all(len(one.messages) == 4 and len(one.exchanges) == 2 for one in whole)
    for page in (1, 2, 7):
        assert read(database, page) == whole


def test_a_page_has_at_most_so_many_messages_or_one_conversation(database: Database) -> None:
    for number in range(5):
        say(database, id=f"c-{number}")
    say(database, "et demain ?", id="c-1", now=NOW + SECOND)
    reader = LogReader()
    first, last = database.run_now(reader.span, write=False)
    for most, sizes in ((1, [1, 1, 1, 1, 1]), (5, [1, 1, 2, 1]), (6, [2, 3]), (11, [4, 1]), (12, [5])):
        assert [len(page) for page in reader.pages(database, first, last, most)] == sizes


def test_ranges_of_keys_part_the_log(database: Database) -> None:
    for number in range(5):
        say(database, id=f"c-{number}")
    reader, keys = LogReader(), [one.key for one in read(database)]
    parts = [
        list(chain.from_iterable(reader.pages(database, keys[a], keys[b], 2))) for a, b in ((0, 1), (2, 2), (3, 4))
    ]
    assert [one.key for part in parts for one in part] == keys


def test_only_what_is_wanted_is_read(database: Database) -> None:
    say(database, id="old", now=NOW)
    answer(database, start(database, opening(owner=BOB, id="bob's", now=NOW + SECOND)), now=NOW + SECOND)
    sales = start(database, opening(id="sales", route="sales", now=NOW + 2 * SECOND))
    answer(database, sales, now=NOW + 2 * SECOND)
    bob = owner_key(database, BOB)
    assert [one.id for one in read(database)] == ["old", "bob's", "sales"]
    assert [one.id for one in read(database, routes=("sales", "other"))] == ["sales"]
    assert [one.id for one in read(database, owner_keys=(bob,))] == ["bob's"]
    assert [one.id for one in read(database, since_us=NOW + 2 * SECOND)] == ["sales"]
    assert [one.id for one in read(database, until_us=NOW + SECOND)] == ["old"]
    assert read(database, routes=("nothing",)) == []
    (found,) = read(database, routes=("sales",))
    assert (len(found.messages), len(found.exchanges)) == (2, 1)


def test_one_turn_is_read_with_the_path_that_leads_to_it(database: Database) -> None:
    asked, _ = say(database)
    second, reply = say(database, "et demain ?", now=NOW + SECOND)
    say(database, "merci", now=NOW + 2 * SECOND)
    key = key_of(database, "c-1")
    found = database.run_now(lambda tx: LogReader().turn(tx, key, reply.id), write=False)
    assert found
    assert [one.id for one in found.messages][0::2] == [asked.id, second.id]
    assert [one.reply_id for one in found.exchanges] == [reply.id]
    assert database.run_now(lambda tx: LogReader().turn(tx, key, "msg_none"), write=False) is None


def test_memories_are_looked_up_by_their_ids_however_many(database: Database) -> None:
    say(database)
    ada = owner_key(database)
    rows = [MemoryRow(f"msg_{number}", "turn", f"text {number}", 0, at_us=NOW) for number in range(450)]
    database.run_now(lambda tx: memories.add(tx, ada, rows))
    database.run_now(lambda tx: memories.bury(tx, ada, ["msg_7"]))
    found = database.run_now(lambda tx: log.memories(tx, [row.id for row in rows]), write=False)
    assert len(found) == 449
    assert found["msg_449"].text == "text 449"
    assert (found["msg_449"].owner_key, found["msg_449"].at_us) == (ada, NOW)
    assert database.run_now(lambda tx: log.memories(tx, []), write=False) == {}


def test_the_words_of_prompts_are_looked_up_by_their_digests(database: Database) -> None:
    database.run_now(lambda tx: exchanges.keep_prompt(tx, "d1", WORDS))
    assert database.run_now(lambda tx: log.prompts(tx, ["d1", "d2"]), write=False) == {"d1": WORDS}


def test_tags_are_added_once_and_taken_away(database: Database) -> None:
    say(database)
    key = key_of(database, "c-1")
    assert database.run_now(lambda tx: conversations.tag(tx, key, ("refund", "déjà vu"))) == ("refund", "déjà vu")
    assert database.run_now(lambda tx: conversations.tag(tx, key, ("refund", "urgent"))) == (
        "refund",
        "déjà vu",
        "urgent",
    )
    assert database.run_now(lambda tx: conversations.tag(tx, key, (), ("refund", "none"))) == ("déjà vu", "urgent")
    listed = database.run_now(lambda tx: conversations.listing(tx, ADA, 1, "", False), write=False)
    assert listed.conversations[0].tags == ("déjà vu", "urgent")
