"""Who is on which arm: always the same, in the shares that were asked for, and moved by nothing but a need to move."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.routing.shares import Shares, position
from persona.values.owner import Owner

USERS = [Owner(f"tenant-{number % 7}", f"user-{number}") for number in range(20_000)]


def arms(shares: dict[str, float], experiment: str = "support") -> list[str]:
    laid_out = Shares(experiment, shares)
    return [laid_out.arm(user) for user in USERS]


def moved(before: dict[str, float], after: dict[str, float]) -> set[tuple[str, str]]:
    return {(was, now) for was, now in zip(arms(before), arms(after), strict=True) if was != now}


def test_it_is_the_same_on_every_machine_for_ever() -> None:
    shares = Shares("support", {"base": 0.5, "tuned": 0.3, "v2": 0.2})
    names = ["ada", "bob", "zoé", "李", "x" * 100]
    assert [shares.arm(Owner("acme", name)) for name in names] == ["tuned", "base", "tuned", "tuned", "tuned"]


@pytest.mark.parametrize(
    "shares",
    [
        {"base": 1.0},
        {"base": 0.9, "tuned": 0.1},
        {"a": 0.1, "b": 0.8, "c": 0.1},
        {"a": 0.3, "b": 0.3, "c": 0.2, "d": 0.2},
    ],
)
def test_each_arm_has_its_share_of_the_users(shares: dict[str, float]) -> None:
    found = Counter(arms(shares))
    for arm, share in shares.items():
        assert found[arm] / len(USERS) == pytest.approx(share, abs=0.012)


def test_raising_a_share_moves_nobody_who_was_in() -> None:
    assert moved({"base": 0.9, "tuned": 0.1}, {"base": 0.8, "tuned": 0.2}) == {("base", "tuned")}
    assert moved({"base": 0.8, "tuned": 0.2}, {"tuned": 1.0}) == {("base", "tuned")}


def test_raising_one_of_several_takes_users_from_the_first_alone() -> None:
    now = {"base": 0.7, "tuned": 0.1, "v2": 0.2}
    assert moved(now, {"base": 0.5, "tuned": 0.3, "v2": 0.2}) == {("base", "tuned")}
    assert moved(now, {"base": 0.6, "tuned": 0.1, "v2": 0.3}) == {("base", "v2")}
    assert moved(now, {"base": 0.6, "tuned": 0.1, "v2": 0.2, "v3": 0.1}) == {("base", "v3")}


def test_lowering_a_share_gives_users_back_to_the_first_alone() -> None:
    assert moved({"base": 0.5, "tuned": 0.3, "v2": 0.2}, {"base": 0.7, "tuned": 0.1, "v2": 0.2}) == {("tuned", "base")}


def test_two_experiments_do_not_choose_the_same_users() -> None:
    both = Counter(zip(arms({"a": 0.5, "b": 0.5}, "one"), arms({"a": 0.5, "b": 0.5}, "two"), strict=True))
    for pair in product("ab", "ab"):
        assert both[pair] / len(USERS) == pytest.approx(0.25, abs=0.012)


def test_users_of_one_name_at_two_tenants_are_two_users() -> None:
    same = sum(
        abs(position("support", Owner("a", user.name)) - position("support", Owner("b", user.name))) < 0.001
        for user in USERS
    )
    assert same < 100


@given(st.lists(st.integers(1, 100), min_size=1, max_size=9))
def test_every_place_on_the_line_belongs_to_one_arm_and_each_has_what_it_asked_for(weights: list[int]) -> None:
    shares = {f"arm-{number}": weight / sum(weights) for number, weight in enumerate(weights)}
    laid_out = Shares("any", shares)
    edges = [0.0, *laid_out._ends, 1.0]
    lengths = Counter[str]()
    for start, end, arm in zip(edges[:-1], edges[1:], laid_out._arms, strict=True):
        assert end > start
        lengths[arm] += end - start
    assert dict(lengths) == pytest.approx(shares, abs=1e-9)
