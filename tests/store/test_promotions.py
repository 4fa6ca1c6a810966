"""Steps, what canaries are judged by, and what advice and lineage are made of, on every database."""

from dataclasses import replace
from decimal import Decimal

from stored import ADA, BOB, NOW, TARGET, advance, after, exchange, opening, start

from persona.store import (
    advice,
    canaries,
    datasets,
    evaluations,
    exchanges,
    feedback,
    holds,
    lineage,
    promotions,
    turns,
)
from persona.store.engine import Database
from persona.store.holds import Hold
from persona.store.transaction import Transaction
from persona.values.comparison import Comparison
from persona.values.dataset import DatasetEntry
from persona.values.owner import Owner
from persona.values.promotion import Evidence, Lived, Promotion, Serving
from persona.values.request import Target
from persona.values.turn import Cost

STEP = Promotion(
    *("prm_1", "support", "tuned", "canary", "acme:tuned", "grace", "", Serving({"base": 1.0}, "tuned"), NOW),
    *(("it was not compared",), "evl_1", "dst_1", "job_1"),
)


def talk(database: Database, owner: Owner, arm: str, target: Target = TARGET, outcome: str = "answered") -> str:
    """One turn in a new conversation that was assigned to an arm."""
    wanted = replace(opening(owner=owner, id=f"c-{owner.name}-{arm}"), new_arm=arm)
    opened = start(database, wanted)
    reply = after(opened.message)
    made = replace(exchange(opened, reply.id), arm=arm, target=target, outcome=outcome, attempts=())  # type: ignore[arg-type]

    def close(tx: Transaction) -> None:
        turns.close_turn(tx, advance(opened, reply), "answered", reply.id)
        exchanges.log(tx, made)
        feedback.give(tx, opened.owner.key, opened.before.key, reply.id, "rating", NOW, rating=4.0)
        feedback.give(tx, opened.owner.key, opened.before.key, reply.id, "correction", NOW, text="À neuf heures.")

    database.run_now(close)
    return reply.id


def test_steps_are_kept_whole_and_listed_with_the_newest_first(database: Database) -> None:
    later = replace(STEP, id="prm_2", step="promoted", at_us=NOW + 1, refused=())
    for step in (STEP, later, replace(STEP, id="prm_3", route="another")):
        database.run_now(lambda tx, step=step: promotions.add(tx, step))
    assert database.run_now(lambda tx: promotions.of_route(tx, "support"), write=False) == [later, STEP]
    assert len(database.run_now(promotions.all_of_them, write=False)) == 3


def test_the_newest_comparison_of_two_arms_is_the_evidence(database: Database) -> None:
    first = Comparison(
        *("evl_1", "support", ("base", "tuned"), ("a:1", "a:2"), "d", "", "", "exact", 0.05, "not worse", "…"),
        *(9, 9, 4, 0, ()),
        costs={"base": "0.5", "tuned": ""},
        created_us=1,
    )
    for one in (first, replace(first, id="evl_2", created_us=2)):
        database.run_now(lambda tx, one=one: evaluations.add(tx, one))
    found = database.run_now(lambda tx: evaluations.of_arms(tx, "support", "base", "tuned"), write=False)
    assert found is not None
    told = Evidence.of(found)
    assert told == Evidence("evl_2", "not worse", "…", ("a:1", "a:2"), (Decimal("0.5"), None), "d", 9, 2)
    assert told.cheaper is None
    assert database.run_now(lambda tx: evaluations.of_arms(tx, "support", "tuned", "base"), write=False) is None
    assert [one.id for one in database.run_now(lineage.comparisons, write=False)] == ["evl_1", "evl_2"]


def test_users_are_counted_by_the_arm_that_they_were_assigned_to(database: Database) -> None:
    talk(database, ADA, "base")
    talk(database, BOB, "tuned", Target("acme", "fallback"))
    both = Owner("acme", "eve")
    talk(database, both, "base")
    talk(database, both, "tuned", outcome="failed")
    targets = {"base": str(TARGET), "tuned": "acme:tuned"}
    found = database.run_now(lambda tx: canaries.tally(tx, "support", targets, NOW), write=False)
    assert found == {"base": [Lived(1, 0, 1, 4.0, 0.0003)], "tuned": [Lived(1, 1, 1, 4.0, 0.0003)]}
    later = database.run_now(lambda tx: canaries.tally(tx, "support", targets, NOW + 1), write=False)
    assert later == {"base": [], "tuned": []}


def test_the_last_release_is_found(database: Database) -> None:
    assert database.run_now(lambda tx: canaries.released_us(tx, "support"), write=False) == 0
    database.run_now(lambda tx: holds.put(tx, Hold("support", "base", "grace", "", NOW)))
    database.run_now(lambda tx: holds.release(tx, "support", "grace", "", NOW + 5))
    assert database.run_now(lambda tx: canaries.released_us(tx, "support"), write=False) == NOW + 5


def test_advice_reads_totals_feedback_and_what_may_be_trained_on(database: Database) -> None:
    talk(database, ADA, "base")
    found = database.run_now(lambda tx: advice.totals(tx, "support", 0), write=False)
    assert (found.turns, found.planned, found.output) == (1, 700.0, 60.0)
    assert len(database.run_now(lambda tx: advice.plans(tx, "support", 0), write=False)) == 1
    kinds = {one.kind for one in database.run_now(lambda tx: advice.feedback(tx, "support", 0), write=False)}
    assert kinds == {"rating", "correction"}
    assert database.run_now(lambda tx: advice.malformed(tx, "support", 0), write=False) == 0
    assert database.run_now(lambda tx: advice.usable(tx, "support", 0, 3.0), write=False) == (0, 0, 0)  # nobody agreed


def test_the_examples_of_a_user_are_found_by_key(database: Database) -> None:
    talk(database, ADA, "base")
    key = database.run_now(lambda tx: lineage.key_of(tx, "acme", "ada"), write=False)
    assert key
    assert database.run_now(lambda tx: lineage.key_of(tx, "", "ada"), write=False) is None
    datasets.register(database, DatasetEntry("dst_1", "support", "d", 3, "", 1, 1), [(key, 3)])
    assert database.run_now(lineage.examples_of_owners, write=False) == [(key, "dst_1", 3)]


def test_an_unknown_price_is_none(database: Database) -> None:
    opened = start(database, opening(owner=ADA, id="c-9"))
    made = replace(exchange(opened, ""), cost=Cost(), attempts=())
    database.run_now(lambda tx: exchanges.log(tx, made))
    targets = {"base": str(TARGET), "tuned": "acme:tuned"}
    found = database.run_now(lambda tx: canaries.tally(tx, "support", targets, NOW), write=False)
    assert found["base"] == [Lived(1)]
