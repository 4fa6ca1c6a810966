"""A target that fails again and again is left alone, tried by one, and taken back."""

import pytest

from persona.calling.breaker import Breaker
from persona.errors import BadRequest, ContextTooLong, Overloaded, ProviderError, ProviderUnavailable, Refused
from persona.values.request import Target

A, B = Target("one", "a"), Target("one", "b")
DOWN = ProviderUnavailable("down")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(3, 30.0, clock)


def fail(breaker: Breaker, times: int, error: ProviderError = DOWN) -> None:
    for _ in range(times):
        breaker.failed(A, error)


def test_it_opens_after_so_many_failures_in_a_row_and_for_that_target_alone(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert breaker.state(A) == "closed"
    fail(breaker, 1)
    assert (breaker.state(A), breaker.lets_through(A)) == ("open", False)
    assert (breaker.state(B), breaker.lets_through(B)) == ("closed", True)


def test_an_answer_in_between_starts_the_count_again(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.answered(A)
    fail(breaker, 2)
    assert breaker.state(A) == "closed"


@pytest.mark.parametrize("error", [BadRequest("no"), ContextTooLong("no"), Refused("no")])
def test_what_is_wrong_with_the_request_is_an_answer(breaker: Breaker, error: ProviderError) -> None:
    fail(breaker, 2)
    fail(breaker, 5, error)
    fail(breaker, 2)
    assert breaker.state(A) == "closed"


def test_after_its_rest_one_may_try_and_an_answer_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 30
    assert breaker.state(A) == "half-open"
    assert [breaker.lets_through(A) for _ in range(3)] == [True, False, False]
    breaker.answered(A)
    assert (breaker.state(A), breaker.lets_through(A)) == ("closed", True)


def test_a_try_that_fails_opens_it_again_at_once(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 30
    assert breaker.lets_through(A)
    fail(breaker, 1)
    assert breaker.state(A) == "open"
    clock.now += 30
    assert breaker.lets_through(A)


def test_a_try_that_was_given_up_leaves_its_place_to_the_next(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 30
    assert breaker.lets_through(A)
    breaker.gave_up(A)
    assert breaker.lets_through(A)


def test_it_rests_as_long_as_the_target_asks(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3, Overloaded("later", retry_after_s=120))
    clock.now += 119
    assert breaker.state(A) == "open"
    clock.now += 1
    assert breaker.state(A) == "half-open"


@pytest.mark.parametrize(("tried", "error"), [(False, DOWN), (True, KeyboardInterrupt()), (True, Refused("no"))])
def test_a_call_that_says_nothing_of_its_target_leaves_it_to_the_next_one(
    breaker: Breaker, clock: Clock, tried: bool, error: BaseException
) -> None:
    fail(breaker, 3)
    clock.now += 31
    assert breaker.lets_through(A)
    with pytest.raises(type(error)), breaker.watched(A, lambda: tried):
        raise error
    assert breaker.lets_through(A)


def test_a_call_that_is_watched_opens_and_closes_it(breaker: Breaker) -> None:
    for _ in range(3):
        with pytest.raises(ProviderUnavailable), breaker.watched(A, lambda: True):
            raise DOWN
    assert breaker.state(A) == "open"
    with breaker.watched(A, lambda: True):
        pass
    assert breaker.state(A) == "closed"
