"""The caps of a target: nobody goes past them, everybody who can is served, and the rest hear of it in time."""

import asyncio

import pytest

from persona.calling.capacity import Capacity
from persona.calling.providers import Providers
from persona.errors import RateLimited
from persona.settings import Settings
from persona.testing import ScriptedModel
from persona.values.request import Target, Usage

TARGET = Target("one", "a")


def within(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_no_more_calls_run_at_once_than_are_allowed_and_all_are_served() -> None:
    capacity, running, most = Capacity(TARGET, calls=3), 0, 0

    async def call() -> None:
        nonlocal running, most
        async with capacity.place(10, within(5)):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(call() for _ in range(20)))
    assert (running, most) == (0, 3)


async def test_who_gets_no_place_in_time_is_told_which_setting_to_raise() -> None:
    capacity = Capacity(TARGET, calls=1)
    async with capacity.place(1, within(5)):
        with pytest.raises(RateLimited, match="max_concurrency of the provider one") as raised:
            async with capacity.place(1, within(0.01)):
                pass
        assert raised.value.target == "one:a"
    async with capacity.place(1, within(0.01)):
        pass


async def test_a_caller_who_fails_or_leaves_gives_the_place_back() -> None:
    capacity = Capacity(TARGET, calls=1)
    with pytest.raises(ZeroDivisionError):
        async with capacity.place(1, within(5)):
            raise ZeroDivisionError
    async with capacity.place(1, within(5)):
        waiting = asyncio.ensure_future(capacity.place(1, within(5)).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    async with capacity.place(1, within(0.01)):
        pass


async def test_tokens_of_a_minute_are_used_up_refused_at_once_and_given_back() -> None:
    capacity = Capacity(TARGET, tokens_per_minute=600)  # ten a second
    async with capacity.place(600, within(1)):
        pass
    capacity.give_back(600, Usage())  # nobody told what was used
    begun = within(0)
    with pytest.raises(RateLimited, match="tokens_per_minute"):
        async with capacity.place(600, within(20)):
            pass
    assert within(0) - begun < 5  # it is not waited for what cannot come
    capacity.give_back(600, Usage(60, 40))
    async with capacity.place(500, within(0.5)):
        pass


async def test_tokens_are_waited_for_when_they_come_in_time() -> None:
    capacity = Capacity(TARGET, tokens_per_minute=60_000)  # a thousand a second
    async with capacity.place(60_000, within(1)):
        pass
    async with capacity.place(50, within(5)):
        pass


async def test_a_request_larger_than_a_minute_goes_when_the_bucket_is_full() -> None:
    capacity = Capacity(TARGET, tokens_per_minute=100)
    async with capacity.place(5_000, within(0.1)):
        pass
    with pytest.raises(RateLimited):
        async with capacity.place(1, within(0.1)):
            pass


async def test_nothing_is_free_while_a_place_or_tokens_are_waited_for() -> None:
    calls, tokens = Capacity(TARGET, calls=1), Capacity(TARGET, tokens_per_minute=100)
    assert calls.free(10**9)
    assert tokens.free(10**9)  # a larger one goes alone
    async with calls.place(1, within(5)):
        assert not calls.free(1)
        waiting = asyncio.ensure_future(calls.place(1, within(5)).__aenter__())
        await asyncio.sleep(0)
    assert not calls.free(1)
    await waiting
    async with tokens.place(60, within(5)):
        assert tokens.free(30)
        assert not tokens.free(60)
        waiting = asyncio.ensure_future(tokens.place(90, within(60)).__aenter__())
        await asyncio.sleep(0)
        assert not tokens.free(1)
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_without_caps_everybody_goes() -> None:
    capacity = Capacity(TARGET)
    async with capacity.place(10**9, within(0.01)), capacity.place(10**9, within(0.01)):
        pass


async def test_an_edit_of_the_settings_gives_nobody_a_second_place() -> None:
    def settings(calls: int, timeout_s: float) -> Settings:
        caps = {"one": {"kind": "scripted", "max_concurrency": calls}}
        return Settings.model_validate({"providers": caps, "turn": {"timeout_s": timeout_s}})

    before = Providers(settings(1, 60), {}, [ScriptedModel().adapter])
    async with before.capacity(TARGET).place(10, within(1)):
        same, more = before.following(settings(1, 30)), before.following(settings(2, 60))
        with pytest.raises(RateLimited):
            async with same.capacity(TARGET).place(10, within(0.01)):
                pass
        async with more.capacity(TARGET).place(10, within(0.01)):
            pass
