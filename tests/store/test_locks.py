"""What changes facts while their memories are made waits for it, and never the other way round."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import postgres
import pytest
from sqlalchemy import event
from stored import ADA, LEASE, NOW

from persona.memory import profile
from persona.memory.slots import slots_of
from persona.settings.profile import SlotSettings
from persona.store import facts, merging, owners, tasks
from persona.store.engine import Database
from persona.store.transaction import Transaction
from persona.values.memory import Fact
from persona.values.owner import Owner, Traits

VISITOR = Owner("acme", "visitor-81")
_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def state(tx: Transaction, who: Owner) -> owners.OwnerState:
    return owners.find_or_make(tx, who, NOW)


def city(name: str, at_us: int) -> Fact:
    return Fact(f"fct_{name}", f"city: {name}", "fact", "app", at_us, at_us, slot="city", value=name)


@pytest.mark.parametrize(
    "change",
    [
        lambda tx, key: facts.add(tx, key, city("Lyon", NOW + 1), many=False),
        lambda tx, key: facts.end(tx, key, "fct_Brest", NOW + 1),
        lambda tx, key: facts.end_of_slot(tx, key, "city", NOW + 1),
        lambda tx, key: facts.end_learnt(tx, key, "msg_1", NOW + 1),
        lambda tx, _: merging.merge(tx, state(tx, VISITOR), state(tx, ADA), (), NOW),
    ],
    ids=["superseded", "forgotten", "ended", "taken back", "merged"],
)
def test_a_fact_ends_while_its_memory_is_just_made_and_neither_is_begun_again(
    postgresql_url: str, opened: Callable[..., Database], change: Callable[[Transaction, int], object]
) -> None:
    database = opened(postgresql_url, busy_timeout_s=10)
    key, other = (database.run_now(lambda tx, who=who: state(tx, who)).key for who in (ADA, VISITOR))
    told = replace(city("Brest", NOW), origin="learnt", message_id="msg_1")
    database.run_now(lambda tx: facts.add(tx, key, replace(told, id="fct_tea", text="likes tea", slot="")))
    database.run_now(lambda tx: facts.add(tx, key, told, many=False))
    database.run_now(lambda tx: facts.add(tx, other, city("Nice", NOW + 1), many=False))
    claimed = database.run_now(lambda tx: tasks.claim(tx, NOW + 1, LEASE, 5))
    (task,) = (one for one in claimed if one.subject == "fct_Brest")
    begun: list[str] = []
    ending, may_go_on = threading.Event(), threading.Event()

    def make(tx: Transaction) -> None:
        begun.append("memory")
        assert tasks.done(tx, task)
        ending.set()
        assert may_go_on.wait(10)
        owners.touch(tx, key)

    def end(tx: Transaction) -> None:
        begun.append("fact")
        change(tx, key)

    with ThreadPoolExecutor(2) as threads:
        making = threads.submit(database.run_now, make)
        assert ending.wait(10)
        changing = threads.submit(database.run_now, end)
        while not postgres.administer(postgresql_url, _WAITS)[0][0]:
            assert not changing.done()
        may_go_on.set()
        making.result(10)
        changing.result(10)
    assert begun == ["memory", "fact"]
    held = database.run_now(lambda tx: facts.holding(tx, key), write=False)
    assert "fct_Brest" not in {fact.id for fact in held}


def test_what_two_say_at_once_of_how_to_address_a_user_is_kept_of_both(
    postgresql_url: str, opened: Callable[..., Database]
) -> None:
    database = opened(postgresql_url, busy_timeout_s=10)
    key = database.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW)).key
    told, may_go_on = threading.Event(), threading.Event()

    def tell(tx: Transaction) -> None:
        owners.set_traits(tx, key, Traits(locale="fr-FR"))
        told.set()
        assert may_go_on.wait(10)

    with ThreadPoolExecutor(2) as threads:
        telling = threads.submit(database.run_now, tell)
        assert told.wait(10)
        naming = threads.submit(asyncio.run, profile.address(database, ADA, "Ada", None, None, NOW))
        while not postgres.administer(postgresql_url, _WAITS)[0][0]:
            assert not naming.done()
        may_go_on.set()
        telling.result(10)
        naming.result(10)
    state = database.run_now(lambda tx: owners.find(tx, ADA), write=False)
    assert state
    assert (state.traits.display_name, state.traits.locale) == ("Ada", "fr-FR")


async def test_a_list_that_is_told_again_looks_once_for_memories_that_are_just_made(sqlite: Database) -> None:
    slots, likes = slots_of({"likes": SlotSettings(many=True)}), [f"thing {number}" for number in range(20)]
    await profile.fill(sqlite, slots, ADA, {"likes": likes}, NOW, None)
    done: list[str] = []
    event.listen(sqlite.engine, "checkout", lambda connection, *_: connection.set_trace_callback(done.append))
    await profile.fill(sqlite, slots, ADA, {"likes": likes}, NOW + 1, None)
    assert len(done) > len(likes)
    assert sum("FROM persona_tasks" in one for one in done) == 1
