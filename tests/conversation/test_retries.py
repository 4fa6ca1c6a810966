"""What is tried again, what is not, and who answers instead."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from talking import Desk, said_in
from wire import Answer, WireServer

from persona import (
    AuthenticationFailed,
    BadRequest,
    ConnectionFailed,
    ContextTooLong,
    ModelNotFound,
    Overloaded,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    Refused,
    StreamCut,
    TextDelta,
    ToolCall,
)
from persona.adapter import Adapter, ModelCard
from persona.testing import Cut, ScriptedModel, WordTokenizer
from persona.values.request import Delta, Finish, Request

SLOW = RateLimited("slow down", retry_after_s=0.001)
TWO = {"default": {"target": "scripted:any", "fallback": ["other:any"]}}


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture
def other() -> Iterator[ScriptedModel]:
    with ScriptedModel(name="other") as model:
        yield model


def wired(server: WireServer) -> dict[str, object]:
    return {
        "providers": {"wired": {"kind": "openai", "base_url": server.url}},
        "routes": {"default": {"target": "wired:m"}},
    }


def test_a_rate_limit_is_waited_out_in_one_exchange_with_two_attempts(desk: Desk, server: WireServer) -> None:
    server.fail(429, headers={"retry-after-ms": "1", "retry-after": "0.001"}).reply("At nine.")
    assert desk.chat(**wired(server)).send("When?").text == "At nine."
    assert desk.log.outcomes() == [("answered", "")]
    assert [(row["outcome"], row["status"]) for row in desk.log.attempts] == [("RateLimited", 429), ("answered", None)]
    assert server.bodies[0] == server.bodies[1]


def test_a_provider_that_asks_for_more_time_than_there_is_gets_no_second_call(desk: Desk, server: WireServer) -> None:
    server.fail(429, headers={"retry-after": "3600"})
    chat = desk.chat(**wired(server))
    with pytest.raises(RateLimited) as limited:
        chat.send("When?")
    assert limited.value.retry_after_s == 3600
    assert len(server.requests) == 1
    assert not desk.log.claimed


def test_the_end_of_a_failed_try_does_not_end_the_next_one(desk: Desk) -> None:
    class Flaky:
        """Ends its first stream well and loses the connection; the second one ends early."""

        def __init__(self) -> None:
            self.calls = 0

        async def call(self, request: Request) -> AsyncIterator[Delta]:
            self.calls += 1
            if self.calls == 1:
                yield Finish("end")
                raise ConnectionFailed("gone")
            yield TextDelta("half a rep")

        async def close(self) -> None:
            """Nothing is held open."""

    flaky = Adapter("flaky", chat=lambda provider: Flaky(), needs_key=False)
    with pytest.raises(StreamCut):
        desk.chat([flaky], routes={"default": {"target": "flaky:any"}}).send("When?")
    assert desk.log.outcomes() == [("cut", "StreamCut")]


def test_no_more_is_tried_than_the_settings_say(desk: Desk) -> None:
    chat = desk.chat(turn={"retries": 2})
    desk.model.then(SLOW, SLOW, SLOW)
    with pytest.raises(RateLimited):
        chat.send("When?")
    assert len(desk.log.attempts) == 3
    desk.assert_nothing_was_lost(chat, "When?", "failed", "RateLimited")


@pytest.mark.parametrize(
    ("status", "kind"), [(400, BadRequest), (401, AuthenticationFailed), (404, ModelNotFound), (422, BadRequest)]
)
def test_what_will_fail_again_is_not_tried_again(
    desk: Desk, server: WireServer, status: int, kind: type[ProviderError]
) -> None:
    server.fail(status)
    with pytest.raises(kind):
        desk.chat(**wired(server)).send("When?")
    assert len(server.requests) == 1
    assert [(row["outcome"], row["status"]) for row in desk.log.attempts] == [(kind.__name__, status)]


def test_nothing_is_tried_again_once_words_were_shown(desk: Desk, other: ScriptedModel) -> None:
    chat = desk.chat([other.adapter], routes=TWO)
    desk.model.then(["We open", Overloaded("busy", retry_after_s=0.001)])
    with pytest.raises(Overloaded), chat.stream("When?") as turn:
        assert [event.text for event in turn if isinstance(event, TextDelta)]
    assert desk.log.exchanges[0]["partial"] == "We open"
    desk.assert_nothing_was_lost(chat, "When?", "failed", "Overloaded")


@pytest.mark.parametrize("bad", [BadRequest("no"), Refused("no"), Cut("We open")], ids=["mistake", "refusal", "cut"])
def test_no_fallback_answers_for_a_mistake_a_refusal_or_a_cut(
    desk: Desk, other: ScriptedModel, bad: ProviderError | Cut
) -> None:
    chat = desk.chat([other.adapter], routes=TWO)
    desk.model.then(bad)
    with pytest.raises((BadRequest, Refused, StreamCut)):
        chat.send("When?")
    assert not other.requests


def test_a_fallback_answers_in_an_exchange_of_its_own_and_the_arm_stays(desk: Desk, other: ScriptedModel) -> None:
    chat = desk.chat([other.adapter], turn={"retries": 0}, routes=TWO)
    desk.model.then(SLOW, "At ten.")
    other.then("At nine.")
    reply = chat.send("When?")
    assert (reply.text, reply.target) == ("At nine.", "other:any")
    assert desk.log.outcomes() == [("failed", "RateLimited"), ("answered", "")]
    assert [row["arm"] for row in desk.log.exchanges] == ["base", "base"]
    assert chat.why(reply.id).target == "other:any"
    assert chat.send("Sure?").target == "scripted:any"


def test_a_fallback_is_fitted_anew_to_its_own_counter_and_limit(desk: Desk) -> None:
    small = ScriptedModel("short", name="other", tokenizer=WordTokenizer())
    adapter = replace(small.adapter, card=lambda model: ModelCard(model, context_tokens=400))
    routes = {"default": {**TWO["default"], "window": {"budget": 4000, "reserve": 100}}}
    chat = desk.chat([adapter], turn={"retries": 0}, routes=routes)
    texts = [f"number {i}: " + "some more words to fill the window " * 8 for i in range(12)]
    desk.model.then(*["ok"] * 12, SLOW, "still here")
    for text in texts:
        chat.send(text)
    reply = chat.send("the last")
    plan = chat.why(reply.id)
    assert (plan.target, plan.counter, plan.label, plan.limit) == ("other:any", "words", "exact", 300)
    assert plan.total <= plan.limit
    assert 0 < plan.history.turns < 12
    whole, fitted = said_in(desk.model.requests[-1]), said_in(small.requests[0])
    assert "number 0:" in whole
    assert "number 0:" not in fitted
    assert "number 11:" in fitted
    assert fitted.endswith("the last")
    chat.send("and now")  # back at its own target: the fallback's smaller window moved no anchor
    assert "number 0:" in said_in(desk.model.requests[-1])


def test_after_too_long_a_context_the_margin_widens_and_the_turn_is_fitted_once_more(
    desk: Desk, server: WireServer
) -> None:
    tables = wired(server)
    tables["routes"] = {"default": {"target": "wired:m", "window": {"budget": 900, "reserve": 100}}}
    chat = desk.chat(**tables)
    server.answer = lambda body: Answer(("ok",), usage=None)
    for i in range(10):
        chat.send(f"number {i}: " + "some words to fill the window with " * 8)
    before = len(server.requests)
    server.fail(400, code="context_length_exceeded").reply("it fits", usage=None)
    reply = chat.send("and now?")
    assert reply.text == "it fits"
    assert desk.log.outcomes()[-2:] == [("failed", "ContextTooLong"), ("answered", "")]
    first, second = server.bodies[before:]
    plan = chat.why(reply.id)
    assert plan.scale == pytest.approx(1.15)
    assert plan.total <= plan.limit < 800 / 1.14
    assert len(second["messages"]) <= len(first["messages"])
    assert second["messages"][-1] == first["messages"][-1]


def test_a_context_that_stays_too_long_is_an_error_after_two_calls(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(ContextTooLong("too long"), ContextTooLong("too long"))
    with pytest.raises(ContextTooLong):
        chat.send("When?")
    assert desk.log.outcomes() == [("failed", "ContextTooLong")] * 2
    desk.assert_nothing_was_lost(chat, "When?", "failed", "ContextTooLong")


def test_when_everybody_fails_the_last_error_is_raised_and_every_call_is_logged(
    desk: Desk, other: ScriptedModel
) -> None:
    chat = desk.chat([other.adapter], turn={"retries": 0}, routes=TWO)
    desk.model.then(SLOW)
    other.then(AuthenticationFailed("wrong key"))
    with pytest.raises(AuthenticationFailed):
        chat.send("When?")
    assert [(row["provider"], row["outcome"]) for row in desk.log.exchanges] == [
        ("scripted", "failed"),
        ("other", "failed"),
    ]
    desk.assert_nothing_was_lost(chat, "When?", "failed", "AuthenticationFailed")


def test_a_tool_loop_goes_on_at_the_fallback_with_the_results_it_has(desk: Desk, other: ScriptedModel) -> None:
    def look() -> str:
        return "seen"

    chat = desk.chat([other.adapter], turn={"retries": 0}, routes=TWO)
    desk.model.then(ToolCall("1", "look", "{}"), SLOW)
    other.then("done")
    assert chat.send("Look!", tools=[look]).text == "done"
    assert [message.role for message in other.requests[0].messages[-3:]] == ["user", "assistant", "tool"]


def test_a_target_that_keeps_failing_is_passed_over_and_tried_again_after_its_rest(desk: Desk) -> None:
    other = ScriptedModel(name="other")

    def again(request: Request) -> str:
        other.then(again)
        return "here"

    other.then(again)
    down = ProviderUnavailable("down")
    desk.model.then(down, down, "back")
    with desk.open(
        adapters=[other.adapter], routes=TWO, turn={"retries": 0, "rest_after": 2, "rest_s": 0.5}
    ) as assistant:
        chat = assistant.user("ada").conversation()
        assert [chat.send(said).text for said in ("a", "b", "c")] == ["here", "here", "here"]
        assert len(desk.model.requests) == 2
        assert desk.log.outcomes()[-1] == ("answered", "")
        while (said := chat.send("d").text) == "here":
            continue  # until its rest is over
        assert said == "back"


def test_a_single_target_that_rests_is_asked_all_the_same(desk: Desk) -> None:
    desk.model.then(ProviderUnavailable("down"), ProviderUnavailable("down"), "back")
    chat = desk.chat(turn={"retries": 0, "rest_after": 1})
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            chat.send("When?")
    assert chat.send("When?").text == "back"


async def test_calls_beyond_the_cap_of_a_provider_wait_their_turn(desk: Desk) -> None:
    running, most = 0, 0

    async def slowly(request: Request) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return "ok"

    desk.model.then(*[slowly] * 12)
    async with desk.open_async(providers={"scripted": {"max_concurrency": 2}}) as assistant:
        chats = [assistant.user(f"user-{number}").conversation() for number in range(12)]
        replies = await asyncio.gather(*(chat.send("hello") for chat in chats))
    assert [reply.text for reply in replies] == ["ok"] * 12
    assert most == 2


def test_a_call_that_would_go_over_the_tokens_of_a_minute_goes_to_the_fallback(
    desk: Desk, other: ScriptedModel
) -> None:
    desk.model.then("first")
    other.then("second")
    caps = {"scripted": {"tokens_per_minute": 1_000}}
    with desk.open(adapters=[other.adapter], routes=TWO, providers=caps) as assistant:
        chat = assistant.user("ada").conversation()
        assert [chat.send(said, timeout_s=2).text for said in ("a", "b")] == ["first", "second"]
    assert desk.log.outcomes() == [("answered", ""), ("failed", "RateLimited"), ("answered", "")]
    assert [row["outcome"] for row in desk.log.attempts] == ["answered", "answered"]
