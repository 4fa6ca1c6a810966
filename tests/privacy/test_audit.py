"""What an audit of a profile finds, and what it leaves alone."""

from itertools import combinations
from random import Random

import pytest

from persona.privacy.audit import audit
from persona.values.memory import Fact, Origin
from persona.values.privacy import Finding

DAY = 86_400_000_000
NOW = 1_760_000_000_000_000


def fact(
    text: str,
    *,
    slot: str = "",
    value: object = None,
    days: int = 1,
    ended: int = 0,
    origin: Origin = "app",
    message: str = "",
) -> Fact:
    since, until = NOW - days * DAY, NOW - ended * DAY if ended else 0
    return Fact(f"fct_{text}", text, "fact", origin, since, since, until, message, slot, value)


def found(*facts: Fact, many: tuple[str, ...] = (), stored: tuple[str, ...] = ()) -> list[tuple[str, list[str]]]:
    return [(one.kind, [fact.text for fact in one.facts]) for one in audit(facts, stored, many, NOW, 365)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lives in Lyon", "Lives in  Lyon."),
        ("is allergic to peanuts and shellfish", "allergic to shellfish and peanuts"),
        ("travaille comme infirmière à Lyon", "elle travaille à Lyon comme infirmière"),
    ],
)
def test_what_is_said_twice_is_a_duplicate(one: str, other: str) -> None:
    assert found(fact(one), fact(other)) == [("duplicate", [one, other])]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("has 2 cats", "has 3 cats"),
        ("drinks coffee after lunch", "does not drink coffee after lunch"),
        ("mange de la viande le soir", "ne mange pas de viande le soir"),
        ("never eats fish on Fridays", "eats fish on Fridays"),
    ],
)
def test_a_number_or_a_denial_makes_a_contradiction(one: str, other: str) -> None:
    assert found(fact(one), fact(other)) == [("contradiction", [one, other])]


@pytest.mark.parametrize(
    ("one", "other"),
    [("lives in Lyon", "works in Lyon"), ("likes tea", "likes coffee"), ("has 2 cats", "has 3 dogs"), ("1", "2")],
)
def test_what_speaks_of_something_else_is_left_alone(one: str, other: str) -> None:
    assert found(fact(one), fact(other)) == []


def test_two_values_of_a_slot_contradict_unless_it_holds_several() -> None:
    lyon, nice = fact("Lyon", slot="city", value="Lyon"), fact("Nice", slot="city", value="Nice")
    assert found(lyon, nice) == [("contradiction", ["Lyon", "Nice"])]
    assert found(lyon, nice, many=("city",)) == []
    assert found(lyon, fact("lyon", slot="city", value="Lyon"), many=("city",))[0][0] == "duplicate"
    assert found(lyon, fact("Lyon", slot="birthplace", value="Lyon")) == []


def test_what_ended_contradicts_nothing() -> None:
    assert found(fact("has 2 cats", days=9, ended=3), fact("has 3 cats")) == []


def test_what_a_model_learnt_needs_a_message_that_is_there() -> None:
    learnt = fact("vegetarian", origin="learnt", message="msg_1")
    assert found(learnt, stored=("msg_1",)) == []
    assert found(learnt) == [("no source", ["vegetarian"])]
    assert found(fact("vegetarian", origin="learnt")) == [("no source", ["vegetarian"])]
    assert found(fact("vegetarian")) == []


def test_what_is_old_or_changes_all_the_time_is_stale() -> None:
    assert found(fact("has a trial account", days=366)) == [("stale", ["has a trial account"])]
    changes = [fact(f"city {n}", slot="city", value=n, days=40 - n, ended=39 - n) for n in range(3)]
    assert found(*changes, fact("Nice", slot="city", value="Nice")) == [("stale", ["city 0", "city 1", "city 2"])]
    assert found(*changes[:2], fact("Nice", slot="city", value="Nice")) == []


def test_a_finding_says_why() -> None:
    (one,) = audit([fact("has 2 cats"), fact("has 3 cats")], (), (), NOW, 365)
    assert isinstance(one, Finding)
    assert one.reason == "they differ in a number"


def test_every_pair_that_is_alike_is_found_among_many() -> None:
    chance = Random(7)
    words = [f"{letter}k{letter}" for letter in "bcdfghjklmnpqrtvwxz"]  # of no language, so that none is stemmed
    known = [fact(" ".join(chance.sample(words, chance.randint(1, 6)))) for _ in range(300)]
    pairs = {
        frozenset((one.text, other.text))
        for one, other in combinations(known, 2)
        if _share(one.text, other.text) >= 0.75
    }
    assert len(pairs) > 20
    assert {frozenset(texts) for _, texts in found(*known)} == pairs


def _share(one: str, other: str) -> float:
    mine, yours = set(one.split()), set(other.split())
    return len(mine & yours) / len(mine | yours)
