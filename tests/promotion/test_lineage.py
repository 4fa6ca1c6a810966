"""Where a model comes from, and what was made of a user's words."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from persona import NotFound
from persona.assistant import promoting
from persona.assistant.database import prepared
from persona.assistant.lineages import lineage_of, lineage_of_user
from persona.assistant.people import erasures
from persona.cli.app import app
from persona.promotion.lineage import Link, Node, lineage
from persona.settings import load
from persona.store import datasets, jobs
from persona.values.dataset import DatasetEntry
from persona.values.owner import Owner
from persona.values.tuning import Estimate, Job, Progress, Training

from .conftest import Shop

ADA, BOB = Node("user", "1"), Node("user", "2")
SET, OTHER = Node("dataset", "dst_1"), Node("dataset", "dst_2")
MODEL = Node("model", "acme:tuned")
LINKS = [Link(ADA, SET, "3 examples"), Link(BOB, SET), Link(BOB, OTHER), Link(SET, MODEL)]


def test_a_model_leads_back_to_its_users_and_not_to_others_datasets() -> None:
    found = lineage(LINKS, "tuned")
    assert (found.of, found.later) == ((MODEL,), ())
    assert found.earlier == (Link(ADA, SET, "3 examples"), Link(BOB, SET), Link(SET, MODEL))


def test_a_user_leads_to_the_models_that_learnt_from_them() -> None:
    assert lineage(LINKS, "1", "user").later == (Link(ADA, SET, "3 examples"), Link(SET, MODEL))
    with pytest.raises(NotFound, match="nothing is known of 'nobody'"):
        lineage(LINKS, "nobody")


def test_a_circle_is_walked_once() -> None:
    circle = [Link(SET, MODEL), Link(MODEL, SET)]
    assert set(lineage(circle, "tuned").later) == set(circle)


def test_four_times_the_users_take_four_times_as_long() -> None:
    def seconds(users: int) -> float:
        links = [Link(Node("user", str(key)), SET) for key in range(users)]
        begun = time.thread_time()
        assert len(lineage([*links, Link(SET, MODEL)], "tuned").earlier) == users + 1
        return time.thread_time() - begun

    few, many = (min(seconds(users) for _ in range(3)) for users in (1_000, 4_000))
    assert many < 10 * few  # with every link looked at for every user it is sixteen times


def kept(shop: Shop) -> None:
    """One user with examples in the dataset that the arms were compared on, and two steps."""
    shop.desk.model.then("hello")
    shop.open().user("ada").conversation().send("hello")
    with prepared(load(shop.path)) as database:
        entry = DatasetEntry("dst_1", "support", "datasets/dst_1", 3, "", 1, 1)
        datasets.register(database, entry, [(1, 3)])
    shop.compared(dataset="datasets/dst_1/test")
    promoting.promote(shop.path, "support", "tuned", "grace", to="canary", job="job_7")


def test_the_route_leads_back_to_the_comparison_its_dataset_and_the_keys_of_the_users(shop: Shop) -> None:
    kept(shop)
    found = lineage_of(load(shop.path), "support")
    earlier = {(link.earlier.kind, link.earlier.id) for link in found.earlier}
    assert earlier > {("user", "1"), ("dataset", "dst_1"), ("evaluation", "evl_1"), ("job", "job_7")}
    assert ("model", "scripted:tuned") in earlier


def test_a_job_is_not_said_to_have_made_the_model_that_its_own_replaced(shop: Shop) -> None:
    shop.compared()
    promoting.promote(shop.path, "support", "tuned", "grace", to="promoted", force=True, why="a drill", job="job_7")
    led_to = lineage_of(load(shop.path), "job_7").later
    assert [one.later for one in led_to if one.earlier.kind == "job"] == [Node("model", "scripted:tuned")]


def test_a_user_is_asked_for_by_name_and_printed_by_key(shop: Shop) -> None:
    kept(shop)
    led_to = lineage_of_user(load(shop.path), Owner("", "ada")).later
    assert Node("route", "support") in {link.later for link in led_to}
    with pytest.raises(NotFound, match="no user 'eve'"):
        lineage_of_user(load(shop.path), Owner("", "eve"))
    said = CliRunner().invoke(app, ["lineage", "--user", "ada"], catch_exceptions=False).stdout
    assert said.startswith("user 1\nled to\n  user 1 -> dataset dst_1 (3 examples)\n")
    assert "ada" not in said
    told = json.loads(CliRunner().invoke(app, ["lineage", "tuned", "--json"]).stdout)
    assert told["of"] == [{"kind": "model", "id": "scripted:tuned"}]
    assert told["came_from"] == [
        {"earlier": {"kind": "job", "id": "job_7"}, "later": told["of"][0], "words": "trained it"}
    ]


def test_a_command_without_anything_to_look_for_says_what_it_takes(shop: Shop) -> None:
    for arguments in ([], ["support", "--user", "ada"]):
        result = CliRunner().invoke(app, ["lineage", *arguments])
        assert (result.exit_code, "--user" in result.stderr) == (2, True)


SMALL = DatasetEntry("dst_1", "support", "datasets/dst_1", 3, "", 1, 1)


def tuned(shop: Shop) -> None:
    """A dataset with examples of one user, a finished job on it, and another user who is in none."""
    training = Training("job_9", "small", "sft", Path("train.jsonl"), None, Path("job_9"))
    estimate = Estimate(10, "exact", None, None, None)
    done = Job("job_9", "scripted", training, "datasets/dst_1", "", "d", "trl", estimate, "grace", 1)
    for user in ("ada", "bob"):
        shop.desk.model.then("hello")
        shop.open().user(user).conversation().send("hello")
    with prepared(load(shop.path)) as database:
        datasets.register(database, SMALL, [(1, 3)])
        database.run_now(lambda tx: jobs.add(tx, done, 5))
        database.run_now(lambda tx: jobs.start(tx, "job_9", "run_1"))
        database.run_now(lambda tx: jobs.follow(tx, done, Progress("succeeded", tuned_model="tuned"), 9))


def test_a_job_leads_from_its_dataset_to_its_model_and_is_recorded_with_the_steps_of_that(shop: Shop) -> None:
    tuned(shop)
    shop.compared(dataset="held-out.jsonl")
    promoting.promote(shop.path, "support", "tuned", "grace")
    assert promoting.steps(load(shop.path))[0].job == "job_9"
    led_to = lineage_of_user(load(shop.path), Owner("", "ada")).later
    assert [one.later.kind for one in led_to] == [
        "dataset",
        "job",
        "model",
        "evaluation",
        "promotion",
        "promotion",
        "route",
    ]


def test_an_erasure_names_the_models_and_the_comparisons_of_datasets_with_rows_of_the_user(shop: Shop) -> None:
    tuned(shop)
    shop.compared(report="compared/evl_1/report.html")
    with prepared(load(shop.path)) as database:
        kept_by = replace(SMALL, id="dst_2", path="datasets/dst_2")
        datasets.register(database, kept_by, [(1, 2)])  # the model learnt from what this one replaced
        database.run_now(lambda tx: datasets.replaced(tx, "dst_1", "dst_2"))
        datasets.register(database, replace(SMALL, id="dst_3", path="datasets/dst_3"), [(2, 2)])
    led_to = lineage_of_user(load(shop.path), Owner("", "ada")).later
    assert Link(ADA, SET, "at least 2 examples") in led_to
    assert Link(Node("job", "job_9"), Node("model", "scripted:tuned"), "trained it") in led_to
    assistant = shop.open()
    assert assistant.user("bob").erase().models == ()
    receipt = assistant.user("ada").erase()
    assert (receipt.datasets, receipt.models) == (("dst_2",), ("scripted:tuned",))
    assert receipt.reports == ("compared/evl_1/report.html",)
    assert sum("scripted:tuned" in one or "compared/evl_1" in one for one in receipt.remains) == 2
    assert erasures(load(shop.path), 1) == [receipt]
