"""The timeline of a slot, and what counts as the same fact: by the time it was said, not the time it was stored."""

import random
from collections.abc import Sequence

import pytest
from stored import ADA, NOW

from persona.store import facts, memories, owners, tasks
from persona.store.engine import Database
from persona.values.memory import Fact, MemoryRow, Origin

MONTH = 30 * 86_400_000_000


@pytest.fixture
def ada(database: Database) -> int:
    return database.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW)).key


def city(name: str, month: int, origin: Origin = "learnt", now: int = NOW + 100 * MONTH) -> Fact:
    """Said in this month after NOW, and stored much later."""
    since = NOW + month * MONTH
    return Fact(f"fct_{name}_{month}", f"city: {name}", "fact", origin, now, since, slot="city", value=name)


def told(database: Database, key: int, *said: Fact, many: bool = False) -> list[str]:
    """The ids of the facts that say what was told; empty for what is not news."""
    kept = database.run_now(lambda tx: [facts.add(tx, key, one, many=many) for one in said])
    return [one.id if one else "" for one in kept]


def lived(database: Database, key: int) -> list[tuple[object, float, float]]:
    """What the slot held, from which month to which; 0 for now."""
    entries = database.run_now(lambda tx: facts.history(tx, key), write=False)
    ends = [(one.valid_to_us - NOW) / MONTH if one.valid_to_us else 0 for one in entries]
    return [(one.value, (one.valid_from_us - NOW) / MONTH, end) for one, end in zip(entries, ends, strict=True)]


def in_month(database: Database, key: int, month: float) -> list[object]:
    at_us = NOW + int(month * MONTH)
    return [one.value for one in database.run_now(lambda tx: facts.at(tx, key, at_us), write=False)]


def test_new_value_ends_the_old_one_where_it_begins(database: Database, ada: int) -> None:
    told(database, ada, city("Brest", 1), city("Lyon", 3))
    assert lived(database, ada) == [("Brest", 1, 3), ("Lyon", 3, 0)]
    assert [in_month(database, ada, month) for month in (0, 1, 2.9, 3, 9)] == [
        [],
        ["Brest"],
        ["Brest"],
        ["Lyon"],
        ["Lyon"],
    ]


def test_older_message_learnt_later_takes_its_place_in_the_past(database: Database, ada: int) -> None:
    told(database, ada, city("Brest", 1), city("Lyon", 5))
    assert told(database, ada, city("Nice", 3)) == ["fct_Nice_3"]
    assert lived(database, ada) == [("Brest", 1, 3), ("Nice", 3, 5), ("Lyon", 5, 0)]
    assert told(database, ada, city("Oslo", 0)) == ["fct_Oslo_0"]
    assert lived(database, ada)[0] == ("Oslo", 0, 1)


def test_same_value_from_an_older_message_began_earlier(database: Database, ada: int) -> None:
    told(database, ada, city("Brest", 1), city("Lyon", 5))
    assert told(database, ada, city("Lyon", 3)) == ["fct_Lyon_5"]
    assert lived(database, ada) == [("Brest", 1, 3), ("Lyon", 3, 0)]


def test_value_that_was_told_again_holds_again_after_what_was_said_before_that(database: Database, ada: int) -> None:
    told(database, ada, city("Brest", 1), city("Brest", 5, "app"))
    assert told(database, ada, city("Lyon", 3)) == ["fct_Lyon_3"]
    assert lived(database, ada) == [("Brest", 1, 3), ("Lyon", 3, 5), ("Brest", 5, 0)]
    told(database, ada, city("Nice", 2))
    assert lived(database, ada) == [("Brest", 1, 2), ("Nice", 2, 3), ("Lyon", 3, 5), ("Brest", 5, 0)]


def test_learnt_value_ends_a_told_one_only_when_it_is_newer(database: Database, ada: int) -> None:
    told(database, ada, city("Brest", 3, "app"))
    assert told(database, ada, city("Lyon", 3)) == [""]
    assert told(database, ada, city("Lyon", 4)) == ["fct_Lyon_4"]
    assert told(database, ada, city("Nice", 4, "user")) == ["fct_Nice_4"]
    assert in_month(database, ada, 5) == ["Nice"]


def test_told_now_ends_even_what_another_clock_stored_ahead(database: Database, ada: int) -> None:
    told(database, ada, city("Brest", 3, "app"))
    now = NOW + 3 * MONTH - 1
    assert told(database, ada, Fact("fct_1", "city: Lyon", "fact", "app", now, now, slot="city", value="Lyon"))
    assert in_month(database, ada, 4) == ["Lyon"]
    database.run_now(lambda tx: facts.end(tx, ada, "fct_1", NOW + 5 * MONTH))
    assert told(database, ada, Fact("fct_2", "city: Nice", "fact", "app", now, now, slot="city", value="Nice"))
    assert [one.value for one in database.run_now(lambda tx: facts.holding(tx, ada), write=False)] == ["Nice"]


def test_forgotten_slot_is_not_filled_again_by_an_older_message(database: Database, ada: int) -> None:
    told(database, ada, city("Brest", 1))
    database.run_now(lambda tx: facts.end(tx, ada, "fct_Brest_1", NOW + 5 * MONTH))
    told(database, ada, city("Brest", 2), city("Lyon", 3))
    assert lived(database, ada) == [("Brest", 1, 3), ("Lyon", 3, 5)]
    told(database, ada, city("Brest", 6))
    assert in_month(database, ada, 7) == ["Brest"]


@pytest.mark.parametrize("seed", range(3))
def test_in_whatever_order_messages_are_learnt_the_newest_holds(database: Database, ada: int, seed: int) -> None:
    dice = random.Random(seed)
    for round_ in range(10):
        said = [city(dice.choice("ABC"), month) for month in range(7)]
        for one in dice.sample(said, 7):
            told(database, ada, Fact(**{**_fields(one), "id": f"{round_}_{one.id}", "slot": f"city{round_}"}))
        entries = [
            one
            for one in database.run_now(lambda tx: facts.history(tx, ada), write=False)
            if one.slot == f"city{round_}" and one.valid_from_us != one.valid_to_us
        ]
        assert entries[-1].value == said[-1].value
        assert _do_not_overlap(entries)


def _fields(fact: Fact) -> dict[str, object]:
    return {name: getattr(fact, name) for name in Fact.__dataclass_fields__}


def _do_not_overlap(entries: Sequence[Fact]) -> bool:
    ends = [one.valid_to_us for one in entries]
    return ends == [*(one.valid_from_us for one in entries[1:]), 0]


@pytest.mark.parametrize("again", ["VÉGÉTARIENNE", " végétarienne. ", "Végétarienne!", "ve\u0301ge\u0301tarienne"])
def test_same_words_are_one_fact_whoever_says_them(database: Database, ada: int, again: str) -> None:
    first = Fact("fct_1", "végétarienne", "preference", "user", NOW, NOW)
    learnt = Fact("fct_2", again, "fact", "learnt", NOW, NOW)
    assert told(database, ada, first, learnt, many=True) == ["fct_1", "fct_1"]


def test_another_accent_is_another_fact(database: Database, ada: int) -> None:
    pair = [
        Fact(f"fct_{at}", text, "fact", "user", NOW, NOW) for at, text in enumerate(["aime la pêche", "aime la péché"])
    ]
    assert told(database, ada, *pair, many=True) == ["fct_0", "fct_1"]


def test_forgotten_fact_is_not_learnt_again_from_an_older_message(database: Database, ada: int) -> None:
    old, new = (Fact(f"fct_{at}", "Vegan.", "fact", "learnt", NOW + 9, NOW + at) for at in (2, 7))
    told(database, ada, Fact("fct_1", "vegan", "preference", "user", NOW, NOW), many=True)
    database.run_now(lambda tx: facts.end(tx, ada, "fct_1", NOW + 5))
    assert told(database, ada, old, many=True) == [""]
    assert told(database, ada, new, many=True) == ["fct_7"]


def test_slot_of_several_keeps_them_side_by_side(database: Database, ada: int) -> None:
    assert len(set(told(database, ada, city("Brest", 1), city("Lyon", 3), city("lyon", 4), many=True))) == 2
    assert in_month(database, ada, 5) == ["Brest", "Lyon"]


def test_superseded_fact_leaves_recall_and_no_worker_brings_it_back(database: Database, ada: int) -> None:
    told(database, ada, city("Brest", 1), city("Nice", 2))
    database.run_now(lambda tx: memories.add(tx, ada, [MemoryRow("fct_Nice_2", "fact", "city: Nice", 0)]))
    database.run_now(lambda tx: tasks.put(tx, "index", ada, "fct_Nice_2", NOW))
    (claimed,) = database.run_now(lambda tx: tasks.claim(tx, NOW, 60, 1))
    told(database, ada, city("Lyon", 3))
    assert not database.run_now(lambda tx: tasks.done(tx, claimed))
    (grave,) = database.run_now(lambda tx: memories.since(tx, ada, -1), write=False)
    assert (grave.deleted, grave.text) == (True, "")


def test_nothing_is_kept_of_somebody_who_is_gone(database: Database, ada: int) -> None:
    assert told(database, ada + 1, city("Brest", 1)) == [""]
    assert database.run_now(lambda tx: facts.history(tx, ada + 1), write=False) == []


def test_what_was_learnt_from_a_message_ends_with_it_and_nothing_else(database: Database, ada: int) -> None:
    said = [Fact(f"fct_{at}", f"fact {at}", "fact", "learnt", NOW, NOW, 0, f"msg_{at}") for at in range(2)]
    told(database, ada, *said, Fact("fct_9", "told", "fact", "user", NOW, NOW, 0, "msg_0"), many=True)
    database.run_now(lambda tx: facts.end_learnt(tx, ada, "msg_0", NOW + 1))
    assert [one.id for one in database.run_now(lambda tx: facts.holding(tx, ada), write=False)] == ["fct_1", "fct_9"]
