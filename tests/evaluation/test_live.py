"""Two arms as they serve: by the arm that a conversation was assigned to, whoever answered in the end."""

import random
from typing import Any

import pytest
from talking import Desk, settings

from persona import Overloaded
from persona.assistant.evaluating import live
from persona.evaluation.live import live as compared
from persona.store.outcomes import Outcome
from persona.values.comparison import Live, LiveMetric

ROUTES: dict[str, Any] = {
    "default": {
        "arms": {"base": {"target": "scripted:any"}, "tuned": {"target": "scripted:tuned"}},
        "serve": {"base": 0.5, "tuned": 0.5},
        "fallback": ["scripted:spare"],
    }
}


def metric(found: Live, name: str) -> LiveMetric:
    return next(one for one in found.metrics if one.metric == name)


def served(turns: int, better: float, seed: int = 1) -> list[Outcome]:
    """A log of users who come back, in two arms; in the second so many more replies need no mending."""
    dice = random.Random(seed)
    found = []
    for number in range(turns):
        user = dice.randrange(turns // 4)
        arm = "tuned" if user % 2 else "base"
        mended = dice.random() < (0.4 - better if arm == "tuned" else 0.4)
        cost, late = (0.001, 900.0) if arm == "tuned" else (0.002, 1800.0)
        found.append(Outcome(user, arm, number, True, late * dice.uniform(0.5, 1.5), cost, None, mended))
    return found


def test_a_real_difference_is_found_and_since_when() -> None:
    found = compared("default", ("base", "tuned"), 0, served(2000, 0.25))
    mended = metric(found, "mended")
    assert mended.p < 0.001
    assert mended.high is not None
    assert mended.high < 0
    assert 0 < mended.since_us < 1999
    assert metric(found, "latency_ms").difference == pytest.approx(-900, rel=0.1)
    assert [one.metric for one in found.metrics] == ["mended", "failed", "cost_usd", "latency_ms"]  # nobody rated


def test_no_difference_is_found_where_there_is_none() -> None:
    found = compared("default", ("base", "tuned"), 0, served(2000, 0.0))
    assert (metric(found, "mended").since_us, metric(found, "failed").p) == (0, 1.0)


def test_too_few_users_say_nothing_and_a_third_arm_is_named() -> None:
    few = [*served(80, 0.4), Outcome(1, "old", 90, True, 1.0, None, None, False)]
    found = compared("default", ("base", "tuned"), 0, few)
    assert (metric(found, "mended").low, metric(found, "mended").p) == (None, 1.0)
    assert found.notes == ("turns of old are not compared",)
    unknown = compared("default", ("old", "tuned"), 0, few)
    assert "1 turns have no known price, and are not in the cost" in unknown.notes


def test_a_fallback_changes_the_target_and_not_the_arm(desk: Desk) -> None:
    assistant = desk.open(routes=ROUTES, turn={"retries": 0, "rest_after": 50})
    arms = {}
    for number in range(6):
        user = assistant.user(f"user {number}")
        desk.model.then(Overloaded("busy"), "from the spare one")  # its own target fails, the fallback answers
        chat = user.conversation()
        reply = chat.send("hello")
        chat.rate(reply.id, number)
        (row,) = desk.log.rows("SELECT arm FROM persona_conversations WHERE id = ?", chat.id)
        arms[number] = row["arm"]
    assert {*arms.values()} == {"base", "tuned"}
    found = live(settings(desk.folder, routes=ROUTES))
    assert sum(found.turns) == 6
    rating = metric(found, "rating")
    for place, arm in enumerate(("base", "tuned")):
        of_arm = [number for number, name in arms.items() if name == arm]
        assert (found.turns[place], rating.users[place]) == (len(of_arm), len(of_arm))
        assert (rating.base, rating.other)[place] == pytest.approx(sum(of_arm) / len(of_arm))
    assert metric(found, "failed").base == metric(found, "failed").other == 0.0


def test_feedback_and_failures_are_those_of_their_turns(desk: Desk) -> None:
    routes = {"default": {**ROUTES["default"], "serve": "base", "fallback": []}}
    assistant = desk.open(routes=routes, turn={"retries": 0})
    chat = assistant.user("ada").conversation()
    desk.model.then("one", "two", "three", Overloaded("busy"))
    first = chat.send("a")
    chat.rate(first.id, 1)
    chat.rate(first.id, 5)
    chat.correct(first.id, "ONE")
    chat.regenerate(chat.send("b").id)
    with pytest.raises(Overloaded):
        chat.send("c")
    found = live(settings(desk.folder, routes=routes))
    assert found.turns == (4, 0)
    assert metric(found, "rating").base == 5.0
    assert metric(found, "mended").base == pytest.approx(2 / 3)
    assert metric(found, "failed").base == 1 / 4
    later = live(settings(desk.folder, routes=routes), since_us=2**60)
    assert later.turns == (0, 0)
    assert later.metrics == ()
