"""What is said of an interval, from the side on which a metric is better."""

import pytest

from persona import InvalidInput
from persona.evaluation.compare import chosen, in_words, measure, verdict
from persona.values.comparison import Better, Measured


def measured(better: Better, low: float | None, high: float | None) -> Measured:
    return Measured(
        *("exact", "", better, 20, 10, 0.5, 0.6, 0.1), low=low, high=high, p=0.2, corrected=0.2, detectable=0.25
    )


@pytest.mark.parametrize(
    ("better", "low", "high", "said"),
    [
        ("higher", 0.01, 0.2, "better"),
        ("higher", -0.04, 0.2, "not worse"),
        ("higher", -0.06, 0.2, "cannot tell"),
        ("higher", -0.2, -0.06, "worse"),
        ("higher", None, None, "cannot tell"),
        ("lower", -0.2, -0.01, "better"),
        ("lower", -0.2, 0.04, "not worse"),
        ("lower", -0.2, 0.06, "cannot tell"),
        ("lower", 0.06, 0.2, "worse"),
    ],
)
def test_the_interval_decides_what_is_said(better: Better, low: float | None, high: float | None, said: str) -> None:
    found = measured(better, low, high)
    assert verdict(found, 0.05) == said
    assert in_words(found, 0.05, ("base", "tuned")).startswith("20 examples" if said == "cannot tell" else "tuned is")


def test_what_cannot_be_told_is_told_with_what_would_show() -> None:
    words = in_words(measured("higher", -0.1, 0.3), 0.02, ("base", "tuned"))
    assert words == (
        "20 examples of 10 users cannot tell tuned from base: exact 0.5 -> 0.6, the difference is between "
        "-0.1 and +0.3 (95 %); differences from 0.25 on would show"
    )


def test_a_metric_that_is_unknown_for_some_examples_is_measured_on_the_others() -> None:
    values = [{"cost_usd": (0.2, 0.1)}, {"cost_usd": (float("nan"), 0.1)}, {"length": (3.0, 4.0)}]
    found = measure(values, ["ada", "bob", "zoe"], ["", "", ""], 0)
    assert [(one.metric, one.pairs, one.users) for one in found] == [("length", 1, 1), ("cost_usd", 1, 1)]
    assert chosen("", found).metric == "cost_usd"
    with pytest.raises(InvalidInput, match="no example was answered"):
        chosen("", ())
