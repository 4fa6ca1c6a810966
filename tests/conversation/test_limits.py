"""What the settings let model calls use: counted over all of them, and refused before a model is called."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from talking import Desk, ask, settings

from persona import Assistant, AsyncAssistant, LimitReached, Settings, SettingsError
from persona.adapter import Adapter, ModelCard
from persona.assistant.spending import limits_used
from persona.testing import ScriptedModel
from persona.values.request import Delta, Finish, Request, TextDelta, Usage

ROUTES = {name: {"target": "priced:any"} for name in ("support", "sales")}
NOON = datetime(2031, 5, 31, 12, tzinfo=UTC)
USED = Finish("end", Usage(80, 20))  # 80 × 1 + 20 × 5 dollars a million: 180 millionths


class Shop:
    """Assistants on one database whose model has a price and reports 100 tokens a call, and a clock."""

    def __init__(self, desk: Desk, model: ScriptedModel) -> None:
        self.desk = desk
        self.model = model
        self.now = NOON

    @property
    def adapter(self) -> Adapter:
        return replace(self.model.adapter, card=lambda name: ModelCard(name, input_price=1.0, output_price=5.0))

    def settings(self, *limits: dict[str, Any], **tables: Any) -> Settings:
        return settings(self.desk.folder, routes=ROUTES, limits=list(limits), **tables)

    def open(self, *limits: dict[str, Any], **tables: Any) -> Assistant:
        opened = Assistant.open(
            self.settings(*limits, **tables), adapters=[self.adapter], clock=lambda: self.now, environment={}
        )
        return self.desk.stack.enter_context(opened)

    def say(self, assistant: Assistant, user: str = "ada", tenant: str = "", route: str = "support") -> None:
        self.model.then(["ok", USED])
        assistant.user(user, tenant).conversation(route=route).send("hello")

    def refused(
        self, assistant: Assistant, user: str = "ada", tenant: str = "", route: str = "support"
    ) -> LimitReached:
        """The error of a call that is refused, and that no model heard of."""
        before = len(self.model.requests)
        with pytest.raises(LimitReached) as raised:
            assistant.user(user, tenant).conversation(route=route).send("hello")
        assert len(self.model.requests) == before
        return raised.value


@pytest.fixture
def shop(desk: Desk) -> Iterator[Shop]:
    with ScriptedModel(name="priced") as model:
        yield Shop(desk, model)


def test_a_user_who_has_used_up_a_day_is_refused_until_midnight_and_others_are_not(shop: Shop) -> None:
    assistant = shop.open({"by": "user", "per": "day", "tokens": 200})
    shop.say(assistant)
    shop.say(assistant)
    error = shop.refused(assistant)
    assert str(error) == (
        "the limit of 200 tokens a day of each user is used up; no model was called; "
        "it begins anew at 2031-06-01 00:00 UTC, or sooner when it is raised in the settings"
    )
    assert (error.retry_after_s, error.retryable) == (12 * 3600, False)
    shop.say(assistant, "bob")
    shop.say(assistant, "ada", "acme")
    shop.now += timedelta(hours=12)
    shop.say(assistant)


def test_the_message_of_a_refused_turn_stays_and_is_shown_when_it_may_be_answered(shop: Shop) -> None:
    assistant = shop.open({"by": "all", "per": "month", "tokens": 0})
    chat = assistant.user("ada").conversation(route="support")
    with pytest.raises(LimitReached):
        chat.send("hello", idempotency_key="k")
    log = shop.desk.log
    assert [message.text for message in chat.messages()] == ["hello"]
    assert [(row["state"], row["error"]) for row in log.turns] == [("failed", "LimitReached")]
    assert (log.exchanges, log.claimed) == ([], False)
    shop.model.then(["at last", USED])
    again = shop.open().user("ada").conversation(chat.id)
    assert again.send("hello", idempotency_key="k").text == "at last"
    assert again.send("hello", idempotency_key="k").repeated
    assert chat.send("hello", idempotency_key="k").repeated, "what was answered is not asked again, nor refused"


@pytest.mark.parametrize(
    ("limit", "free", "taken"),
    [
        ({"by": "tenant"}, {"user": "ada"}, {"user": "eve", "tenant": "acme"}),
        ({"by": "tenant", "route": "support"}, {"tenant": "acme", "route": "sales"}, {"user": "eve", "tenant": "acme"}),
        ({"by": "user", "route": "support"}, {"tenant": "acme", "route": "sales"}, {"tenant": "acme"}),
        ({"by": "user", "user": "ada"}, {"user": "eve", "tenant": "acme"}, {"tenant": "acme"}),
        ({"by": "user", "tenant": "other"}, {"tenant": "acme"}, {"tenant": "other"}),
        ({"by": "route"}, {"route": "sales"}, {"user": "eve"}),
        ({"by": "route", "route": "sales"}, {}, {"route": "sales"}),
    ],
)
def test_a_limit_counts_what_it_names_and_nothing_else(
    shop: Shop, limit: dict[str, Any], free: dict[str, str], taken: dict[str, str]
) -> None:
    assistant = shop.open({"per": "month", "tokens": 100, **limit})
    used = (
        taken if limit in ({"by": "user", "tenant": "other"}, {"by": "route", "route": "sales"}) else {"tenant": "acme"}
    )
    shop.say(assistant, **used)
    shop.refused(assistant, **taken)
    shop.say(assistant, **free)


def test_an_exception_stands_before_its_rule_and_limits_of_other_kinds_hold_beside_it(shop: Shop) -> None:
    assistant = shop.open(
        {"by": "tenant", "tenant": "acme", "per": "day", "tokens": 300},
        {"by": "tenant", "per": "day", "tokens": 100},
        {"by": "all", "per": "month", "usd": 0.0007},
    )
    shop.say(assistant, tenant="acme")
    shop.say(assistant, tenant="acme")
    shop.say(assistant, tenant="small")
    assert "100 tokens a day of each tenant" in str(shop.refused(assistant, tenant="small"))
    shop.say(assistant, tenant="acme")
    error = shop.refused(assistant, tenant="another")
    assert "the limit of 0.0007 dollars a month of all together" in str(error)
    assert error.retry_after_s == 12 * 3600
    assert "dollars" in str(shop.refused(assistant, tenant="small")), "the one that takes longest is named"


def test_a_limit_counts_what_was_used_before_it_was_set(shop: Shop) -> None:
    shop.now = datetime.now(UTC)  # the log has the real time
    for user, tenant, route in (("ada", "acme", "support"), ("bob", "acme", "sales"), ("ada", "other", "sales")):
        shop.say(shop.open(), user, tenant, route)
    kinds = [("all", 300), ("tenant", 200), ("user", 100), ("route", 200)]
    for by, used in kinds:
        shop.refused(shop.open({"by": by, "per": "month", "tokens": used}), "ada", "acme", "sales")
        shop.say(shop.open({"by": by, "per": "month", "tokens": used + 1}), "ada", "acme", "support")
        shop.desk.log.change("DELETE FROM persona_exchanges WHERE rowid = (SELECT max(rowid) FROM persona_exchanges)")


def test_the_rounds_of_a_turn_are_counted_one_by_one(shop: Shop) -> None:
    assistant = shop.open({"by": "user", "per": "day", "tokens": 150})
    told = Finish("tool_calls", Usage(80, 20))

    def hours() -> str:
        """When we open."""
        return "at nine"

    shop.model.then([ask("hours"), told], [ask("hours", id="call_2"), told])
    with pytest.raises(LimitReached):
        assistant.user("ada").conversation(route="support").send("when?", tools=[hours])
    assert shop.desk.log.outcomes() == [("answered", ""), ("answered", "")]
    assert not shop.desk.log.claimed


def test_a_limit_is_told_though_the_end_of_its_turn_cannot_be_written(shop: Shop) -> None:
    assistant = shop.open({"by": "user", "per": "day", "tokens": 100})
    shop.say(assistant)
    full = "CREATE TRIGGER t BEFORE UPDATE ON persona_turns WHEN NEW.state = 'failed' BEGIN SELECT RAISE(FAIL, ''); END"
    shop.desk.log.change(full)
    assert "tokens" in str(shop.refused(assistant))


def test_background_work_is_counted_and_waits_for_the_next_period(shop: Shop) -> None:
    limit = {"by": "user", "per": "day", "tokens": 200}
    assistant = shop.open(limit, memory={"learn": "sales"})
    shop.say(assistant)
    shop.model.then(['{"facts": []}', USED])
    assistant.drain()
    shop.refused(assistant)
    assistant.drain()
    for _ in range(6):
        shop.now += timedelta(hours=1)
        assistant.drain()
    waiting = shop.desk.log.rows("SELECT kind, state, error, attempts FROM persona_tasks")
    assert [tuple(row.values()) for row in waiting] == [("learn", "waiting", "LimitReached", 0)]
    shop.now += timedelta(hours=7)
    shop.model.then(['{"facts": []}', USED])
    assistant.drain()
    assert shop.desk.log.rows("SELECT kind FROM persona_tasks") == []


def test_a_call_without_a_known_price_costs_nothing_that_a_limit_sees(shop: Shop) -> None:
    shop.desk.model.then(["ok", USED], ["ok", USED])
    limits = [{"by": "all", "per": "day", "usd": 0.000001}]
    chat = shop.desk.open(limits=limits).user("ada").conversation()
    chat.send("hello")
    chat.send("hello")


class Slow:
    """A model that answers nobody before so many have asked, and everybody after."""

    def __init__(self, first: int) -> None:
        self.calls = 0
        self._first = first
        self._enough = asyncio.Event()

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        self.calls += 1
        if self.calls == self._first:
            self._enough.set()
        await self._enough.wait()
        yield TextDelta("ok")
        yield USED

    async def close(self) -> None:
        """Nothing is held open."""


async def test_a_limit_is_exceeded_by_no_more_than_what_was_under_way(shop: Shop, desk: Desk) -> None:
    model = Slow(first=3)
    chosen = shop.settings({"by": "all", "per": "day", "tokens": 1000})
    adapter = replace(shop.adapter, chat=lambda provider: model)
    one, other = (AsyncAssistant.open(chosen, adapters=[adapter], environment={}) for _ in range(2))

    async def talk(assistant: AsyncAssistant, user: str) -> None:
        chat = assistant.user(user).conversation(route="support")
        with contextlib.suppress(LimitReached):
            while model.calls < 100:
                await chat.send("hello")

    async with one, other:
        await asyncio.gather(talk(one, "ada"), talk(one, "bob"), talk(other, "eve"))
    assert 10 <= model.calls <= 10 + 2  # three talk at once: two may be under way when the tenth is counted
    (meter,) = desk.log.rows("SELECT tokens, nano_usd FROM persona_meters")
    assert (meter["tokens"], meter["nano_usd"]) == (100 * model.calls, 180_000 * model.calls)


def test_without_limits_nothing_is_counted(shop: Shop) -> None:
    shop.say(shop.open())
    assert shop.desk.log.rows("SELECT * FROM persona_meters") == []


def test_a_merged_user_keeps_what_both_have_used_and_an_erased_one_begins_anew(shop: Shop) -> None:
    assistant = shop.open({"by": "user", "per": "day", "tokens": 200}, {"by": "user", "per": "month", "tokens": 10_000})
    shop.say(assistant, "visitor-81")
    shop.say(assistant, "ada")
    assistant.user("visitor-81").merge_into("ada")
    shop.refused(assistant, "ada")
    assistant.user("ada").erase()
    assert shop.desk.log.rows("SELECT * FROM persona_meters") == []
    shop.say(assistant, "ada")


def test_what_is_used_is_listed_by_whom(shop: Shop) -> None:
    shop.now = datetime.now(UTC)
    limits = (
        {"by": "user", "per": "day", "usd": 1.0},
        {"by": "tenant", "tenant": "acme", "per": "month", "tokens": 500},
        {"by": "tenant", "per": "month", "tokens": 100},
        {"by": "route", "per": "day", "tokens": 9_000},
        {"by": "tenant", "tenant": "nobody", "route": "sales", "per": "month", "tokens": 5},
    )
    assistant = shop.open(*limits)
    shop.say(assistant, "ada", "acme")
    shop.say(assistant, "ada", "acme")
    shop.say(assistant, "bob", "small")
    found = limits_used(shop.settings(*limits))
    assert [(one.number, one.whom, one.used and (one.used.tokens, one.used.nano_usd)) for one in found] == [
        (0, ("acme", "ada"), (200, 360_000)),
        (0, ("small", "bob"), (100, 180_000)),
        (1, ("acme",), (200, 360_000)),
        (2, ("small",), (100, 180_000)),
        (3, ("support",), (300, 540_000)),
        (4, (), None),
    ]


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"by": "user", "per": "day"}, "limits nothing"),
        ({"by": "tenant", "per": "day", "usd": 1, "user": "ada"}, 'cannot have a user with by = "tenant"'),
        ({"by": "all", "per": "day", "usd": 1, "route": "support"}, 'cannot have a route with by = "all"'),
        ({"by": "route", "per": "day", "usd": 1, "route": "suport"}, "unknown route 'suport'; did you mean 'support'"),
        ({"per": "day", "usd": 1}, "limits.0.by' is required"),
        ({"by": "all", "per": "hour", "usd": 1}, "must be 'day' or 'month'"),
        ({"by": "all", "per": "day", "usd": -1}, "limits.0.usd"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_with_its_reason(limit: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.model_validate({"limits": [limit], "routes": ROUTES})
    assert said in str(raised.value)
