"""Connections of keys that conversations bring: kept up to a number, and never closed under a turn."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest

from persona.adapter import Adapter, Provider, Secret
from persona.calling.breaker import Breaker
from persona.calling.own_keys import Line, OwnKeys
from persona.calling.providers import Providers
from persona.errors import AdapterMissing, Overloaded
from persona.settings import Settings
from persona.values.request import Delta, Finish, Request, Target

TARGET, ELSEWHERE = Target("one", "a"), Target("two", "a")


class Model:
    """A chat model that says whose it is, and whether it was closed."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.closed = False

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        yield Finish("end")

    async def close(self) -> None:
        self.closed = True


def providers(**tables: Any) -> Providers:
    adapters = [Adapter(name, chat=Model) for name in ("one", "two")]
    chosen = Settings.model_validate({"routes": {"r": {"target": "one:a"}}, **tables})
    return Providers(chosen, {"ONE_API_KEY": "ours", "TWO_API_KEY": "ours"}, adapters)


def keys(**named: str) -> Mapping[str, Secret]:
    return {name: Secret(key) for name, key in named.items()}


def key_at(chosen: Providers, target: Target) -> str:
    model = chosen.chat(target)
    assert isinstance(model, Model)
    return model.provider.key.reveal()


async def test_a_key_is_used_for_its_provider_alone_and_in_its_block_alone() -> None:
    ours = providers()
    async with ours.with_keys(keys(one="theirs")) as theirs, ours.with_keys(keys(one="others")) as others:
        used = [key_at(chosen, target) for chosen in (theirs, others, ours) for target in (TARGET, ELSEWHERE)]
        assert used == ["theirs", "ours", "others", "ours", "ours", "ours"]


async def test_the_connections_of_a_key_are_kept_for_its_next_turn_unless_its_provider_has_changed() -> None:
    ours = providers()
    changed = ours.following(Settings.model_validate({"providers": {"one": {"base_url": "http://localhost:1"}}}))
    same = ours.following(Settings.model_validate({"turn": {"timeout_s": 5}}))
    seen = []
    for chosen in (ours, ours, same, changed):
        async with chosen.with_keys(keys(one="theirs")) as theirs:
            seen.append(theirs.chat(TARGET))
    assert seen[0] is seen[1] is seen[2] is not seen[3]
    await changed.close()
    assert [model.closed for model in seen if isinstance(model, Model)] == [True] * 4


async def test_one_keys_failures_and_caps_are_its_own() -> None:
    ours = providers(turn={"rest_after": 1}, providers={"one": {"max_concurrency": 1}})
    async with ours.with_keys(keys(one="theirs")) as theirs, ours.with_keys(keys(one="others")) as others:
        theirs.breaker(TARGET).failed(TARGET, Overloaded("too much"))
        assert [one.breaker(TARGET).state(TARGET) for one in (theirs, others, ours)] == ["open", "closed", "closed"]
        assert len({id(one.capacity(TARGET)) for one in (theirs, others, ours)}) == 3
    async with ours.with_keys(keys(one="theirs")) as again:
        assert again.breaker(TARGET).state(TARGET) == "open"


async def test_the_coldest_that_nobody_uses_are_closed() -> None:
    pool = OwnKeys(most=2)
    lines = [Line(Model(Provider(str(number), "one")), Breaker(1, 1)) for number in range(4)]
    for number, line in enumerate(lines):
        pool.add(number, line)
    lines[0].users = 1
    assert pool.find(1) is lines[1]
    await pool.trim()
    closed = [line.model.closed for line in lines if isinstance(line.model, Model)]
    assert closed == [False, False, True, True]
    lines[1].users = 1
    pool.add(9, Line(lines[2].model, Breaker(1, 1), users=1))
    await pool.trim()
    assert len(pool) == 3


async def test_a_provider_that_nobody_serves_is_refused_before_anything_is_made() -> None:
    ours = providers()
    async with AsyncExitStack() as stack:
        with pytest.raises(AdapterMissing, match="no adapter named 'onne'"):
            await stack.enter_async_context(ours.with_keys(keys(onne="theirs")))
