"""Correcting a counter by what the provider reports, and the margin that is kept."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.settings.window import Window
from persona.window.calibration import Calibration
from persona.window.rules import rules_of


def learnt(*seen: float, start: Calibration | None = None) -> Calibration:
    """The calibration after reports of these ratios."""
    calibration = start or Calibration()
    for ratio in seen:
        calibration = calibration.after(10_000, round(10_000 * ratio))
    return calibration


@given(st.floats(0.6, 4.0), st.floats(0.6, 4.0))
def test_ratio_converges_to_what_the_provider_reports(wrong: float, right: float) -> None:
    calibration = learnt(wrong, *[right] * 60)
    assert calibration.ratio == pytest.approx(right, rel=1e-3)
    assert calibration.scale(exact=False) == pytest.approx(right, rel=1e-2)


@given(st.floats(0.6, 4.0))
def test_margin_fades_when_reports_agree(ratio: float) -> None:
    scales = [learnt(*[ratio] * number).scale(exact=False) for number in range(1, 20)]
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(scales))
    assert scales[-1] >= ratio - 1e-3


def test_margin_grows_with_the_observed_error() -> None:
    steady, noisy = learnt(*[1.1] * 20), learnt(*[1.0, 1.2] * 10)
    assert noisy.scale(exact=False) - noisy.ratio > steady.scale(exact=False) - steady.ratio


def test_limit_shrinks_with_the_observed_error() -> None:
    steady, noisy = learnt(*[1.1] * 20), learnt(*[1.0, 1.2] * 10)
    limits = [rules_of(Window(), None, one.scale(exact=False)).limit for one in (steady, noisy)]
    assert limits[1] < limits[0]


def test_noisy_reports_stay_within_the_margin() -> None:
    calibration = learnt(*[0.9, 1.0, 1.1] * 20)
    assert 1.1 <= calibration.scale(exact=False) <= 1.3


def test_first_report_does_not_take_the_margin_away() -> None:
    assert learnt(1.0).scale(exact=False) == pytest.approx(1.05)


def test_exact_counter_needs_no_margin() -> None:
    assert Calibration().scale(exact=True) == 1.0
    assert Calibration().scale(exact=False) > 1.0


@given(st.lists(st.floats(0.6, 3.0), max_size=5), st.booleans())
def test_widening_always_leaves_more_room(seen: list[float], exact: bool) -> None:
    calibration = learnt(*seen)
    once = calibration.widened()
    assert calibration.scale(exact) < once.scale(exact) < once.widened().scale(exact)


def test_exact_counter_that_was_widened_finds_its_way_back() -> None:
    widened = Calibration().widened()
    assert widened.scale(exact=True) > 1.1
    assert learnt(*[1.0] * 40, start=widened).scale(exact=True) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("counted", "reported"), [(100, None), (100, 0), (0, 100), (-1, 100)])
def test_what_was_not_reported_teaches_nothing(counted: int, reported: int | None) -> None:
    assert Calibration().after(counted, reported) == Calibration()


def test_report_that_leaves_out_the_cache_does_not_blow_the_limit_up() -> None:
    calibration = learnt(0.01, 0.01, 0.01)
    assert calibration.scale(exact=False) >= 0.5
