"""Meters: the same as the log says, whoever counts, and one row for each however long it is counted."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from stored import ADA, BOB, exchange, opening, start

from persona.store import exchanges, meters
from persona.store.engine import Database
from persona.store.meters import Meter, Running, Scope, Used
from persona.values.owner import Owner
from persona.values.request import Usage
from persona.values.time import to_us
from persona.values.turn import Cost

NOW = to_us(datetime.now(UTC))  # ids hold the real time
HOUR_US = 3_600_000_000
SINCE = NOW - 2 * HOUR_US
ALL = Meter(Scope("all", "day"), SINCE)
EVE = Owner("other", "eve")


def call(database: Database, owner: Owner, *counted: Meter, at_us: int = NOW, route: str = "support") -> int:
    """Logs a call of 110 tokens for 12.3 millionths of a dollar; returns the owner's key."""
    opened = start(database, opening(owner=owner, id=f"c-{at_us}-{route}"))
    used = {"usage": Usage(100, 10), "cost": Cost(Decimal("0.0000123"), "a list")}
    made = replace(exchange(opened, ""), attempts=(), started_us=at_us, route=route, **used)
    database.run_now(lambda tx: exchanges.log(tx, made) and meters.add(tx, counted, made))
    return opened.owner.key


def shown(database: Database, meter: Meter) -> Used:
    return database.run_now(lambda tx: meters.read(tx, meter))


def calls(number: int) -> Used:
    return Used(12_300 * number, 110 * number)


def test_a_new_meter_is_summed_up_from_the_log(database: Database) -> None:
    key = call(database, ADA)
    call(database, ADA, route="sales")
    call(database, BOB)
    call(database, EVE)
    call(database, ADA, at_us=SINCE - 1)
    for scope, owner_key, number in (
        (Scope("all", "day"), 0, 4),
        (Scope("tenant", "day", "acme"), 0, 3),
        (Scope("tenant", "day", "acme", "sales"), 0, 1),
        (Scope("route", "day", None, "support"), 0, 3),
        (Scope("user", "day"), key, 2),
        (Scope("user", "day", None, "support"), key, 1),
    ):
        assert shown(database, Meter(scope, SINCE, owner_key)) == calls(number)


def test_each_call_moves_its_meters_on_as_the_log_would_say(database: Database) -> None:
    key = call(database, ADA)
    hers = Meter(Scope("user", "day"), SINCE, key)
    for meter in (ALL, hers):
        shown(database, meter)
    call(database, ADA, ALL, hers, at_us=NOW + 1)
    call(database, BOB, ALL)
    assert (shown(database, ALL), shown(database, hers)) == (calls(3), calls(2))
    for meter in (ALL, hers):
        database.run_now(lambda tx, meter=meter: tx.run(meters._DROP, meters._key(meter)))
    assert (shown(database, ALL), shown(database, hers)) == (calls(3), calls(2))


def test_when_its_time_is_over_a_meter_begins_at_nothing_in_the_same_row(database: Database) -> None:
    call(database, ADA)
    shown(database, ALL)
    tomorrow = replace(ALL, since_us=NOW + 1)
    assert shown(database, tomorrow) == Used(0, 0)
    call(database, BOB, ALL)  # began before midnight, and ended after it
    assert shown(database, tomorrow) == Used(0, 0)
    assert database.run_now(lambda tx: meters.running(tx, 0)) == [Running(None, ALL.scope, NOW + 1, Used(0, 0))]


def test_a_call_that_is_logged_twice_counts_once(database: Database) -> None:
    opened = start(database, opening())
    made = replace(exchange(opened, ""), started_us=NOW)
    assert database.run_now(lambda tx: exchanges.log(tx, made))
    assert not database.run_now(lambda tx: exchanges.log(tx, made))


@pytest.mark.parametrize(("of_visitor", "of_account", "joined"), [(0, 0, 2), (1, 0, 1), (0, 1, 1)])
def test_joined_meters_show_what_both_used_in_the_newer_period(
    database: Database, of_visitor: int, of_account: int, joined: int
) -> None:
    keys = call(database, ADA), call(database, BOB)
    scope = Scope("user", "day")
    for key, later in zip(keys, (of_visitor, of_account), strict=True):
        shown(database, Meter(scope, SINCE, key))
        if later:
            shown(database, Meter(scope, SINCE + later, key))
            call(database, BOB if key == keys[1] else ADA, Meter(scope, SINCE + later, key), at_us=NOW + 7)
    database.run_now(lambda tx: meters.join(tx, *keys))
    (found,) = database.run_now(lambda tx: meters.running(tx, 0))
    assert (found.owner, found.used) == (BOB, calls(joined))
