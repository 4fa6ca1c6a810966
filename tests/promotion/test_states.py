"""States, steps and gates: values in, values out."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from persona import InvalidInput, NotFound
from persona.promotion.gates import Case, reasons
from persona.promotion.states import after, ahead, before, in_toml, state
from persona.values.promotion import ALARM, Evidence, Promotion, Serving

BASE = Serving({"base": 1.0})
EVIDENCE = Evidence(
    *("evl_1", "better", "tuned is better than base", ("acme:base", "acme:tuned")),
    *((Decimal("0.02"), Decimal("0.01")), "datasets/dst_1", 60, 1),
)
CASE = Case("support", "base", "tuned", "canary", ("acme:base", "acme:tuned"), EVIDENCE)


def taken(step: Any, served: Serving, arm: str = "tuned", who: str = "grace") -> Promotion:
    return Promotion(f"prm_{step}", "support", arm, step, f"acme:{arm}", who, "", served, 1)


def test_an_arm_is_where_the_settings_have_it() -> None:
    assert state(BASE, "tuned") == "candidate"
    assert state(Serving({"base": 1.0}, "tuned"), "tuned") == "shadow"
    assert state(Serving({"base": 0.9, "tuned": 0.1}), "tuned") == "canary"
    assert state(Serving({"base": 0.9, "tuned": 0.1}), "base") == "promoted"
    assert state(Serving({"base": 0.3, "tuned": 0.7}), "tuned", [taken("canary", BASE)]) == "canary"
    assert state(Serving({"tuned": 1.0}), "tuned") == "promoted"
    assert state(Serving({"tuned": 1.0}), "base", [taken("retired", BASE, "base")]) == "retired"
    assert state(BASE, "tuned", [taken("rolled back", BASE)]) == "retired"


def test_an_arm_goes_one_step_on_or_as_many_as_are_asked_for() -> None:
    assert ahead("candidate") == ("shadow",)
    assert ahead("shadow", "promoted") == ("canary", "promoted")
    assert ahead("retired", "canary") == ("shadow", "canary")
    for now, to in (("promoted", ""), ("canary", "shadow"), ("candidate", "retired"), ("canary", "canary")):
        with pytest.raises(InvalidInput):
            ahead(now, to)  # type: ignore[arg-type]


def test_a_canary_takes_its_share_from_the_arm_that_serves_most() -> None:
    one = after(Serving({"base": 0.7, "v2": 0.3}, "tuned"), "tuned", "canary", 0.1)
    assert one == Serving({"base": 0.6, "v2": 0.3, "tuned": 0.1}, "")
    assert after(one, "tuned", "promoted", 0.1) == Serving({"tuned": 1.0}, "")
    assert after(BASE, "tuned", "shadow", 0.1) == Serving({"base": 1.0}, "tuned")
    with pytest.raises(InvalidInput, match=r"no share of 0\.5"):
        after(Serving({"base": 0.5, "v2": 0.5}), "tuned", "canary", 0.5)


def test_shares_are_written_as_the_settings_file_has_them() -> None:
    assert in_toml({"base": 1.0}) == '"base"'
    assert in_toml({"base": 0.9, "v 2": 0.1}) == '{ base = 0.9, "v 2" = 0.1 }'


def test_a_rollback_goes_behind_the_whole_promotion_of_the_newest_arm() -> None:
    split = Serving({"base": 0.9, "tuned": 0.1})
    steps = [taken("retired", split, "base"), taken("promoted", split), taken("canary", BASE), taken("shadow", BASE)]
    assert before(steps, Serving({"tuned": 1.0})).before == BASE
    noticed = [taken("rolled back", split, who=ALARM), *steps[2:]]
    assert before(noticed, split).before == BASE
    for nothing in ([], [taken("rolled back", split), *steps], steps[3:]):
        with pytest.raises(NotFound, match="nothing was promoted"):
            before(nothing, split)


def test_a_win_passes_and_so_does_no_worse_for_less() -> None:
    assert reasons(CASE) == ()
    assert reasons(replace(CASE, evidence=replace(EVIDENCE, verdict="not worse"))) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"evidence": None}, "was not compared with 'base'.*persona compare support --arms base,tuned --on"),
        ({"evidence": replace(EVIDENCE, verdict="worse", words="tuned is worse")}, "evl_1: tuned is worse"),
        ({"evidence": replace(EVIDENCE, verdict="cannot tell", words="9 examples cannot tell")}, "cannot tell"),
        (
            {"evidence": replace(EVIDENCE, verdict="not worse", costs=(Decimal("0.01"), Decimal("0.02")))},
            r"not cheaper \(\$0.02 instead of \$0.01",
        ),
        ({"evidence": replace(EVIDENCE, verdict="not worse", costs=(None, Decimal(1)))}, "cheaper is unknown"),
        ({"targets": ("acme:base", "acme:other")}, "compare them again"),
        ({"held": "base"}, "held on 'base'"),
        ({"retired": "2026-01-01"}, "acme:tuned was shut down on 2026-01-01"),
        ({"step": "promoted", "users": 3, "needed": 30}, "served 3 users, and 30 are needed"),
        ({"step": "promoted", "alarm": "9 of 9 users had a turn …"}, "as a canary 9 of 9 users"),
    ],
)
def test_whatever_stands_against_a_step_is_said_in_words(change: dict[str, Any], reason: str) -> None:
    (said,) = reasons(replace(CASE, **change))
    assert re.search(reason, said)
