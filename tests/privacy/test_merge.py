"""A visitor who logs in: what was theirs is the account's, and they are gone."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from privacy.life import Life, live
from privacy.traces import everything
from sqlalchemy import UniqueConstraint
from talking import Desk, said_in

from persona import Assistant, ConversationBusy, InvalidInput, NotFound, User
from persona.privacy.merge import merge
from persona.store import merging, owners
from persona.store.belongings import OWNED
from persona.store.engine import Database
from persona.values.owner import Owner

PROFILE = {"city": {"type": "text"}, "likes": {"type": "text", "many": True}}


@pytest.fixture
def assistant(desk: Desk, url: str) -> Assistant:
    return desk.open(store={"url": url}, profile=PROFILE)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url, busy_timeout_s=5)
    yield database
    database.close()


@pytest.fixture
def visitor(assistant: Assistant) -> User:
    return assistant.user("visitor-81")


@pytest.fixture
def ada(assistant: Assistant) -> User:
    return assistant.user("ada")


def texts(user: User, *, history: bool = False) -> list[str]:
    return sorted(fact.text for fact in user.facts(history=history))


def test_everything_of_the_visitor_is_the_accounts(
    desk: Desk, url: str, assistant: Assistant, ada: User, database: Database
) -> None:
    life: Life = live(url, assistant, desk.model, "visitor-81", 1)
    before = {name: len(rows) for name, rows in everything(database).items()}
    shown = assistant.user("visitor-81").conversation(life.conversation).messages()
    merged = assistant.user("visitor-81").merge_into("ada")
    rows = everything(database)
    (owner,) = rows["persona_owners"]
    assert owner[3] == "ada"
    for one in OWNED:
        place = list(one.c.keys()).index("owner_key")
        assert {row[place] for row in rows[one.name]} <= {owner[0]}, one.name
    after = {name: len(found) for name, found in rows.items()}
    assert after == {**before, "persona_receipts": 1}
    assert merged.counts["messages"] == before["persona_messages"]
    assert ada.conversation(life.conversation).messages() == shown
    with pytest.raises(NotFound):
        assistant.user("visitor-81").conversation(life.conversation).messages()
    desk.model.then("yes")
    ada.conversation().send(f"what about {life.marks['said']}?")
    assert life.marks["said"] in said_in(desk.model.requests[-1])


def test_of_a_slot_the_newer_value_wins_and_the_older_stays_in_the_history(ada: User, visitor: User) -> None:
    ada.set({"city": "Lyon"}, since=datetime(2026, 1, 1, tzinfo=UTC))
    visitor.set({"city": "Nice"}, since=datetime(2026, 3, 1, tzinfo=UTC))
    assert visitor.merge_into("ada").superseded == 1
    assert ada.profile() == {"city": "Nice"}
    assert ada.profile(at=datetime(2026, 2, 1, tzinfo=UTC)) == {"city": "Lyon"}


def test_of_a_slot_the_accounts_newer_value_stays(ada: User, visitor: User) -> None:
    visitor.set({"city": "Nice"}, since=datetime(2026, 1, 1, tzinfo=UTC))
    ada.set({"city": "Lyon"}, since=datetime(2026, 3, 1, tzinfo=UTC))
    visitor.merge_into("ada")
    assert ada.profile() == {"city": "Lyon"}
    assert ada.profile(at=datetime(2026, 2, 1, tzinfo=UTC)) == {"city": "Nice"}


def test_of_a_slot_what_began_last_is_what_held_on_a_day_that_both_tell_of(ada: User, visitor: User) -> None:
    visitor.set({"city": "Nice"}, since=datetime(2026, 2, 1, tzinfo=UTC))
    visitor.set({"city": "Paris"}, since=datetime(2026, 3, 1, tzinfo=UTC))
    ada.set({"city": "Lyon"}, since=datetime(2026, 1, 1, tzinfo=UTC))  # told last
    visitor.merge_into("ada")
    lived = [ada.profile(at=datetime(2026, month, 15, tzinfo=UTC))["city"] for month in (1, 2, 3)]
    assert lived == ["Lyon", "Nice", "Paris"]


def test_several_values_stand_beside_each_other_and_the_same_fact_is_one(ada: User, visitor: User) -> None:
    for user, likes in ((ada, ["tea"]), (visitor, ["tea", "rain"])):
        user.set({"likes": likes})
        user.remember("vegetarian" if user is ada else "Vegetarian.")
    visitor.remember("left-handed")
    assert visitor.merge_into("ada").superseded == 2
    assert sorted(ada.profile()["likes"]) == ["rain", "tea"]  # type: ignore[call-overload]
    assert [text for text in texts(ada) if "egetarian" in text] == ["vegetarian"]
    assert "left-handed" in texts(ada)
    assert "Vegetarian." in texts(ada, history=True)


@pytest.mark.parametrize(
    ("account", "theirs", "joined"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, False),
        (True, None, True),
        (True, True, True),
        (True, False, False),
        (False, None, False),
        (False, True, False),
        (False, False, False),
    ],
)
def test_a_refusal_of_either_counts_and_a_yes_only_of_the_account(
    account: bool | None, theirs: bool | None, joined: bool | None, ada: User, visitor: User, database: Database
) -> None:
    for user, answer in ((ada, account), (visitor, theirs)):
        user.remember("is there")
        if answer is not None:
            user.consent(training=answer)
    visitor.merge_into("ada")
    state = database.run_now(lambda tx: owners.find(tx, Owner("", "ada")), write=False)
    assert state
    assert state.consent is joined


def test_learning_that_a_visitor_turned_off_stays_off(ada: User, visitor: User, database: Database) -> None:
    ada.remember("is there")
    visitor.learning(False)
    visitor.merge_into("ada")
    state = database.run_now(lambda tx: owners.find(tx, Owner("", "ada")), write=False)
    assert state
    assert state.learning is False


def test_names_and_keys_that_both_used_clash_with_nothing(
    desk: Desk, assistant: Assistant, ada: User, visitor: User
) -> None:
    desk.model.then("to ada", "to the visitor", "to the visitor again")
    ada.conversation("c-1", create=True).send("hello", idempotency_key="k")
    visitor.conversation("c-1", create=True).send("hello", idempotency_key="k")
    visitor.conversation("c-2", create=True).send("hi", idempotency_key="mine")
    merged = visitor.merge_into("ada")
    assert merged.dropped_keys == 1
    (new,) = merged.renamed.values()
    assert merged.renamed == {"c-1": new}
    assert new.startswith("c-1~")
    assert [one.text for one in ada.conversation("c-1").messages()] == ["hello", "to ada"]
    assert [one.text for one in ada.conversation(new).messages()] == ["hello", "to the visitor"]
    assert ada.conversation("c-1").send("hello", idempotency_key="k").text == "to ada"
    assert ada.conversation("c-2").send("hi", idempotency_key="mine").text == "to the visitor again"


def test_every_name_that_is_unique_within_an_owner_is_seen_to() -> None:
    """A new table with such a name needs its line in `store/merging.py`."""
    names = {
        (one.name, column.name)
        for one in OWNED
        for rule in one.constraints
        if isinstance(rule, UniqueConstraint) and "owner_key" in rule.columns
        for column in rule.columns
        if column.name != "owner_key"
    }
    assert names == {*merging.NAMED.items(), ("persona_turns", "idempotency_key")}


def test_an_account_that_is_new_is_made(ada: User, visitor: User) -> None:
    visitor.remember("vegetarian")
    visitor.address("Ada", locale="fr-FR")
    visitor.merge_into("ada")
    assert texts(ada) == ["vegetarian"]


def test_across_tenants_into_oneself_or_from_nobody_nothing_is_merged(
    assistant: Assistant, ada: User, visitor: User, database: Database
) -> None:
    visitor.remember("vegetarian")
    before = everything(database)
    with pytest.raises(InvalidInput, match="themselves"):
        visitor.merge_into("visitor-81")
    with pytest.raises(NotFound):
        assistant.user("nobody").merge_into("ada")
    other = Owner("acme", "ada")
    with pytest.raises(InvalidInput, match="different tenants"):
        asyncio.run(merge(database, None, Owner("", "visitor-81"), other, (), 1))  # type: ignore[arg-type]
    assert everything(database) == before


async def test_a_visitor_who_is_being_answered_is_not_merged_yet(desk: Desk, url: str) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def held(request: object) -> str:
        asked.set()
        await go.wait()
        return "at nine"

    async with desk.open_async(store={"url": url}) as assistant:
        visitor = assistant.user("visitor-81")
        desk.model.then(held)
        turn = asyncio.ensure_future(visitor.conversation("c-1", create=True).send("when?"))
        await asyncio.wait_for(asked.wait(), 10)
        with pytest.raises(ConversationBusy):
            await visitor.merge_into("ada")
        go.set()
        assert (await turn).text == "at nine"
        await visitor.merge_into("ada")
        said = await assistant.user("ada").conversation("c-1").messages()
        assert [one.text for one in said] == ["when?", "at nine"]


async def test_a_memory_that_is_just_being_made_becomes_the_accounts(desk: Desk, url: str) -> None:
    from shop import Between, Far

    from persona.adapter import Adapter

    between: list[Between] = []
    far = Adapter(name="far", embed=lambda provider, model: Far(between), needs_key=False)
    chosen = {"store": {"url": url}, "memory": {"embedder": "far:v"}}
    async with desk.open_async([far], **chosen) as worker, desk.open_async([far], **chosen) as other:
        await other.user("visitor-81").remember("vegetarian")
        between.append(lambda: other.user("visitor-81").merge_into("ada"))
        assert await worker.drain() == 1
        assert await worker.drain() == 1
        services = await worker.services()
        rows = everything(services.database)
        ((key, *_),) = rows["persona_owners"]
        assert [row[1] for row in rows["persona_memories"]] == [key]
