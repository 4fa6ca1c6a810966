"""Sums over the log of model calls: by any dimension, of any days, and a price that is not known is never 0."""

from dataclasses import replace
from decimal import Decimal

import pytest
from stored import ADA, BOB, NOW, PLAN, exchange, opening, start

from persona.store import exchanges
from persona.store.codec import written
from persona.store.costs import DIMENSIONS, Spent, spent
from persona.store.engine import Database
from persona.values.owner import Owner
from persona.values.request import Target, Usage
from persona.values.turn import Cost

DAY_US = 86_400_000_000
CHEAP, DEAR = Target("one", "cheap"), Target("two", "dear")
USED = Usage(100, 10, 60)


@pytest.fixture
def calls(database: Database) -> None:
    """Three calls of Ada's over two days, one of them without a price, and a failed one of Bob's."""
    price = Cost(Decimal("0.0000123"), "a list")
    log(database, ADA, "c-1", NOW, target=CHEAP, cost=price)
    log(database, ADA, "c-1", NOW + 5, target=DEAR, cost=Cost())
    log(database, ADA, "c-1", NOW + DAY_US, target=CHEAP, cost=price, purpose="learn")
    log(database, BOB, "c-2", NOW, target=CHEAP, cost=Cost(), stop="", outcome="failed", usage=Usage())


def log(database: Database, owner: Owner, conversation: str, at_us: int, **changes: object) -> None:
    opened = start(database, opening(owner=owner, id=f"{conversation}-{at_us}"))
    made = replace(exchange(opened, ""), attempts=(), started_us=at_us, usage=USED, stop="end")
    database.run_now(lambda tx: exchanges.log(tx, replace(made, **changes)))  # type: ignore[arg-type]


def asked(database: Database, *by: str, since: int = 0, until: int = 2**60) -> list[Spent]:
    return database.run_now(lambda tx: spent(tx, by, since, until), write=False)  # type: ignore[arg-type]


@pytest.mark.usefixtures("calls")
def test_a_sum_tells_apart_what_is_priced_what_is_not_and_what_failed(database: Database) -> None:
    (everything,) = asked(database)
    assert everything == Spent((), 4, 1, 1, 300, 180, 30, Decimal("0.000025"), 0.6, 0.0)


@pytest.mark.usefixtures("calls")
def test_it_is_told_by_whatever_is_asked_for(database: Database) -> None:
    assert [(one.of, one.calls) for one in asked(database, "target")] == [(("one:cheap",), 3), (("two:dear",), 1)]
    assert [(one.of, one.unpriced) for one in asked(database, "user", "target")] == [
        (("ada", "one:cheap"), 0),
        (("ada", "two:dear"), 1),
        (("bob", "one:cheap"), 0),
    ]
    assert [(one.of, one.calls) for one in asked(database, "purpose")] == [(("learn",), 1), (("turn",), 3)]
    days = [one.of[0] for one in asked(database, "day")]
    assert len(days) == 2
    assert days == sorted(days)
    for name in DIMENSIONS:
        assert sum(one.calls for one in asked(database, name)) == 4


def test_what_the_caches_brought_stands_beside_what_the_plans_had_as_repeated(database: Database) -> None:
    first = written(replace(PLAN, total=200, prefix_tokens=0))
    second = written(replace(PLAN, total=200, prefix_tokens=150))
    log(database, ADA, "c-1", NOW, target=CHEAP, plan=first, usage=Usage(220, 10, 0))
    log(database, ADA, "c-1", NOW + 1, target=CHEAP, plan=second, usage=Usage(220, 10, 110))
    log(database, ADA, "c-1", NOW + 2, target=CHEAP, plan=second, usage=Usage(), stop="", outcome="failed")
    log(database, ADA, "c-2", NOW, target=DEAR, plan=second, usage=Usage(220, 10))
    log(database, BOB, "c-3", NOW, target=CHEAP, arm="tuned", plan=first, usage=Usage(), stop="", outcome="failed")
    shares = [(*one.of, one.cache_share, one.prefix_share) for one in asked(database, "arm", "target")]
    assert shares == [
        ("base", "one:cheap", 110 / 440, 150 / 400),
        ("base", "two:dear", None, 0.75),
        ("tuned", "one:cheap", None, None),
    ]


def test_a_provider_that_is_silent_where_it_cached_nothing_is_not_taken_for_better(database: Database) -> None:
    for number, cached in enumerate((None, 90)):
        log(database, ADA, "c-1", NOW + number, target=CHEAP, usage=Usage(100, 10, cached))
    (only,) = asked(database)
    assert only.cache_share == 0.45


@pytest.mark.usefixtures("calls")
def test_only_the_days_asked_for_count(database: Database) -> None:
    assert [one.calls for one in asked(database, since=NOW, until=NOW + DAY_US)] == [3]
    assert asked(database, "day", since=NOW + 2 * DAY_US) == []
