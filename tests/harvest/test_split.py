"""The split: users stay on their side, and the audit finds whoever does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.errors import SettingsError, SplitLeaks
from persona.harvest.split import TEST, TRAIN, VALIDATION, audit, place, side_of
from persona.settings import Settings
from persona.settings.harvest import SplitSettings
from persona.values.owner import Owner

USUAL = SplitSettings()


def side(name: str, split: SplitSettings = USUAL, tenant: str = "") -> int:
    return side_of(place(split.seed, Owner(tenant, name)), split)


def test_the_shares_come_out_about_right() -> None:
    counts = np.bincount([side(f"user-{number}") for number in range(20_000)])
    assert counts / 20_000 == pytest.approx([0.9, 0.05, 0.05], abs=0.005)


def test_the_place_of_a_user_never_changes() -> None:
    assert place(0, Owner("acme", "ada")) == 17599909809577134419
    assert place(1, Owner("acme", "ada")) != place(0, Owner("acme", "ada")) != place(0, Owner("", "ada"))


@given(st.text(), st.floats(0, 0.2), st.floats(0, 0.2))
def test_a_larger_test_takes_from_the_others_and_gives_to_none(name: str, test: float, more: float) -> None:
    small = SplitSettings(train=1 - test, validation=0, test=test)
    large = SplitSettings(train=1 - test - more, validation=0, test=test + more)
    if side(name, small) == TEST:
        assert side(name, large) == TEST


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(SettingsError, match="sum to 1"):
        Settings.model_validate({"harvest": {"split": {"train": 0.5}}})


def test_no_share_is_empty_of_users() -> None:
    everything = SplitSettings(train=1.0, validation=0.0, test=0.0)
    assert {side(f"u{number}", everything) for number in range(500)} == {TRAIN}
    assert {side(f"u{number}") for number in range(500)} == {TRAIN, VALIDATION, TEST}


def test_the_audit_finds_a_user_on_two_sides() -> None:
    users = np.array([1, 2, 1, 3], np.uint64)
    audit(np.array([0, 1, 0, 2], np.int8), users)
    with pytest.raises(SplitLeaks, match="1 users"):
        audit(np.array([0, 1, 2, 2], np.int8), users)


def test_the_audit_finds_like_examples_on_two_sides() -> None:
    users = np.arange(4).astype(np.uint64)
    sides = np.array([0, 1, 2, 0], np.int8)
    audit(sides, users, np.array([5, 6, -1, 5]))
    with pytest.raises(SplitLeaks, match="clusters"):
        audit(sides, users, np.array([5, 5, -1, 7]))
