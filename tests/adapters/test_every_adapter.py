"""What every chat adapter does alike: one suite, against a local server that speaks each provider's wire."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from wire import Answer, WireServer
from wires import WIRES
from wires.shape import KEY, Failure, Said, Sent, Wire

from persona import errors
from persona.adapter import ChatModel, Provider, Secret, load
from persona.errors import PersonaError, ProviderError
from persona.values.message import Image, Message, Text, ToolCall, ToolResult, say
from persona.values.request import Delta, Finish, Request, TextDelta, Tool, Usage

PROMPT = "my prompt about Zanzibar"
PIXEL = "data:image/png;base64,iVBORw0KGgo="
HOURS = Tool("hours", "When a shop is open.", {"type": "object", "properties": {"day": {"type": "string"}}})
LOOK = Tool("look", "Looks a word up.", {"type": "object", "properties": {}})
HELLO = (
    say("system", "You are terse."),
    say("system", "You are kind."),
    say("user", "Hi, I'm Ana."),
    say("assistant", "Hello Ana."),
    say("user", "What's my name?"),
)
TWO_ROUNDS = (
    say("user", "Two things."),
    Message(
        "assistant", (Text("One moment."), ToolCall("a", "hours", '{"day": "monday"}'), ToolCall("b", "look", "{}"))
    ),
    Message("tool", (ToolResult("a", "hours", "at nine"), ToolResult("b", "look", "gone", failed=True))),
    Message("assistant", (ToolCall("c", "look", "{}"),)),
    Message("tool", (ToolResult("c", "look", "found"),)),
)
FAILURES: dict[Failure, type[ProviderError]] = {
    "key": errors.AuthenticationFailed,
    "permission": errors.PermissionDenied,
    "model": errors.ModelNotFound,
    "request": errors.BadRequest,
    "too long": errors.ContextTooLong,
    "too large": errors.ContextTooLong,
    "rate limit": errors.RateLimited,
    "overloaded": errors.Overloaded,
    "broken": errors.ProviderUnavailable,
    "no time": errors.TimedOut,
}
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture(params=WIRES, ids=[wire.name for wire in WIRES])
def wire(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


@pytest.fixture
async def chat(wire: Wire, server: WireServer) -> AsyncIterator[ChatModel]:
    chat = model_of(wire.provider(server, KEY))
    yield chat
    await chat.close()


def model_of(provider: Provider) -> ChatModel:
    factory = load(provider.kind).chat
    assert factory is not None
    return factory(provider)


async def collect(chat: ChatModel, request: Request) -> list[Delta]:
    return [delta async for delta in chat.call(request)]


def text_of(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def sent(
    wire: Wire, server: WireServer, chat: ChatModel, *messages: Message, model: str = "", **options: Any
) -> Sent:
    """What arrives for these messages."""
    await collect(chat, Request(model or wire.cool, messages, **options))
    return wire.read(server.requests[-1])


async def error_of(chat: ChatModel, model: str, **options: Any) -> PersonaError:
    """The error of one call, which shows neither the key nor the prompt."""
    request = Request(model, (say("user", PROMPT),), **{"timeout_s": 10.0, **options})
    with pytest.raises(PersonaError) as caught:
        await collect(chat, request)
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value)) + repr(vars(chat))
    assert KEY not in shown
    assert "Zanzibar" not in shown
    return caught.value


# what goes out


async def test_several_system_prompts_arrive_each_in_their_order(
    wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    arrived = await sent(wire, server, chat, *HELLO)
    assert arrived.system == ("You are terse.", "You are kind.")
    assert (arrived.model, arrived.key) == (wire.cool, KEY)


async def test_shots_and_history_arrive_as_messages_of_their_roles(
    wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    assert (await sent(wire, server, chat, *HELLO)).messages == (
        Said("user", ("Hi, I'm Ana.",)),
        Said("assistant", ("Hello Ana.",)),
        Said("user", ("What's my name?",)),
    )


async def test_tools_arrive_with_their_schemas(wire: Wire, server: WireServer, chat: ChatModel) -> None:
    arrived = await sent(wire, server, chat, *HELLO, tools=(HOURS, LOOK))
    assert arrived.tools == (("hours", HOURS.parameters), ("look", LOOK.parameters))


async def test_every_call_of_every_round_is_followed_by_its_results(
    wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    arrived = await sent(wire, server, chat, *TWO_ROUNDS, tools=(HOURS, LOOK))
    asked = [call for message in arrived.messages for call in message.calls]
    assert asked == [("a", "hours", {"day": "monday"}), ("b", "look", {}), ("c", "look", {})]
    order: list[str] = []
    for message in arrived.messages:
        order += [*(f"{id}?" for id, *_ in message.calls), *(f"{id}={text}" for id, text in message.results)]
    assert order == ["a?", "b?", "a=at nine", "b=gone", "c?", "c=found"]


async def test_pictures_arrive_by_address_and_by_content(wire: Wire, server: WireServer, chat: ChatModel) -> None:
    seen = Message("user", (Text("What is this?"), Image("https://x.example/a.png"), Image(PIXEL)))
    (message,) = (await sent(wire, server, chat, seen)).messages
    assert message == Said("user", ("What is this?",), ("https://x.example/a.png", PIXEL))


async def test_an_unanswered_message_stays_and_is_merged_where_turns_must_alternate(
    wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    arrived = await sent(wire, server, chat, say("user", "Hello?"), say("user", "Are you there?"))
    assert [text for message in arrived.messages for text in message.texts] == ["Hello?", "Are you there?"]
    assert len(arrived.messages) == (1 if wire.alternates else 2)


async def test_turns_alternate_where_they_must(wire: Wire, server: WireServer, chat: ChatModel) -> None:
    unanswered = (say("user", "never mind"), say("user", "thanks"))
    talk = (say("system", "Be brief."), say("user", "Hello?"), *TWO_ROUNDS, *unanswered)
    arrived = await sent(wire, server, chat, *talk)
    roles = [message.role for message in arrived.messages]
    assert (roles[0], roles[-1]) == ("user", "user")
    if wire.alternates:
        assert all(before != after for before, after in pairwise(roles))
        last = arrived.messages[-1]
        assert (last.results, last.texts) == ((("c", "found"),), ("never mind", "thanks"))


async def test_the_limit_of_the_reply_is_sent(wire: Wire, server: WireServer, chat: ChatModel) -> None:
    assert (await sent(wire, server, chat, *HELLO, max_output_tokens=321)).limit == 321


@pytest.mark.parametrize(("asked", "arrives"), [(None, None), (0.0, 0.0), (0.7, 0.7)])
async def test_a_temperature_is_sent_when_it_is_set_and_the_model_takes_one(
    asked: float | None, arrives: float | None, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    assert (await sent(wire, server, chat, *HELLO, temperature=asked)).temperature == arrives
    if wire.hot:
        assert (await sent(wire, server, chat, *HELLO, model=wire.hot, temperature=asked)).temperature is None


async def test_half_a_character_is_replaced(wire: Wire, server: WireServer, chat: ChatModel) -> None:
    (message,) = (await sent(wire, server, chat, say("user", "lone \ud800, pair \ud83e\udd8a"))).messages
    assert message.texts == ("lone \ufffd, pair \U0001f98a",)


# what comes back


@both
async def test_a_reply_is_read(stream: bool, wire: Wire, server: WireServer, chat: ChatModel) -> None:
    server.stream(["Hel", "lo"])
    *pieces, finish = await collect(chat, Request(wire.cool, HELLO, stream=stream))
    assert text_of(pieces) == "Hello"
    assert isinstance(finish, Finish)
    assert (finish.stop, finish.model, finish.request_id) == ("end", "served-model", "req_1")
    assert (finish.usage.input_tokens, finish.usage.output_tokens) == (20, 2)


@both
async def test_parallel_calls_come_whole_and_in_order(
    stream: bool, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.tool_calls([("a", "hours", {"day": "monday"}), ("b", "look", "{}")], text="Wait.")
    deltas = await collect(chat, Request(wire.cool, HELLO, tools=(HOURS, LOOK), stream=stream))
    assert text_of(deltas) == "Wait."
    assert [delta for delta in deltas if isinstance(delta, ToolCall)] == [
        ToolCall("a", "hours", '{"day": "monday"}'),
        ToolCall("b", "look", "{}"),
    ]
    assert isinstance(deltas[-1], Finish)
    assert deltas[-1].stop == "tool_calls"


@both
@pytest.mark.parametrize(("finish", "stop"), [("stop", "end"), ("length", "length"), ("content_filter", "refused")])
async def test_stop_reasons_are_translated(
    finish: str, stop: str, stream: bool, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.reply("x", finish=finish)
    *_, last = await collect(chat, Request(wire.cool, HELLO, stream=stream))
    assert isinstance(last, Finish)
    assert last.stop == stop


@both
async def test_usage_is_whole_with_its_parts(stream: bool, wire: Wire, server: WireServer, chat: ChatModel) -> None:
    read = {"cached_tokens": 4, **({"cache_write_tokens": 5} if wire.writes else {})}
    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 7,
        "prompt_tokens_details": read,
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    server.reply("x", usage=usage)
    *_, last = await collect(chat, Request(wire.cool, HELLO, stream=stream))
    assert isinstance(last, Finish)
    assert last.usage == Usage(30, 7, 4, 5 if wire.writes else None, 3)


@both
async def test_usage_that_was_not_reported_is_unknown(
    stream: bool, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.reply("x", usage=None)
    *_, last = await collect(chat, Request(wire.cool, HELLO, stream=stream))
    assert isinstance(last, Finish)
    assert last.usage == Usage()


async def test_pieces_arrive_as_they_are_sent(wire: Wire, server: WireServer, chat: ChatModel) -> None:
    server.stream(["a", "b"], end="hang")
    deltas = chat.call(Request(wire.cool, HELLO, stream=True))
    assert [await anext(deltas), await anext(deltas)] == [TextDelta("a"), TextDelta("b")]
    server.release()
    *_, last = [delta async for delta in deltas]
    assert isinstance(last, Finish)


# what ends early


async def test_a_cut_stream_gives_its_text_and_neither_half_a_call_nor_an_end(
    wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.script(Answer(pieces=("half",), calls=(("c", "look", '{"x": 1}'),), end="cut"))
    deltas = await collect(chat, Request(wire.cool, HELLO, stream=True))
    assert text_of(deltas) == "half"
    assert not any(isinstance(delta, Finish) for delta in deltas)


@both
async def test_a_reply_without_a_stop_reason_has_no_end(
    stream: bool, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.reply("half a rep", finish=None)
    assert await collect(chat, Request(wire.cool, HELLO, stream=stream)) == [TextDelta("half a rep")]


async def test_leaving_in_the_middle_closes_the_connection(wire: Wire, server: WireServer, chat: ChatModel) -> None:
    server.stream(["a"], end="hang")
    deltas = chat.call(Request(wire.cool, HELLO, stream=True))
    await anext(deltas)
    await deltas.aclose()  # type: ignore[attr-defined]  # adapters are async generators
    await asyncio.to_thread(server.wait_for_hang_up)
    assert text_of(await collect(chat, Request(wire.cool, HELLO))) == "ok"  # and the client still works


@both
async def test_cancelling_the_caller_closes_the_connection(
    stream: bool, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.hang()
    task = asyncio.create_task(collect(chat, Request(wire.cool, HELLO, stream=stream)))
    await asyncio.to_thread(server.wait_for_requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(server.wait_for_hang_up)


# what goes wrong


@both
@pytest.mark.parametrize("name", FAILURES)
async def test_a_refusal_is_the_error_that_a_caller_can_act_on(
    name: Failure, stream: bool, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.script(wire.failure(name, f"you said {PROMPT!r} with {KEY}"))
    error = await error_of(chat, wire.cool, stream=stream)
    assert type(error) is FAILURES[name]
    assert isinstance(error, ProviderError)
    assert (error.request_id, error.target) == ("req_1", f"suite:{wire.cool}")
    assert error.status is not None
    assert len(server.requests) == 1  # nothing is retried here


async def test_a_key_that_is_not_accepted_is_named_by_its_variable(
    wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.script(wire.failure("key", "bad key"))
    assert "SUITE_KEY" in (await error_of(chat, wire.cool)).hint


@pytest.mark.parametrize("name", ["rate limit", "overloaded"])
async def test_the_wait_that_a_server_asks_for_is_passed_on(
    name: Failure, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    answer = wire.failure(name, "slow down")
    server.body(answer.raw or b"", status=answer.status)
    server.fail(answer.status, body=answer.raw, headers={"retry-after": "7"})
    without, with_wait = await error_of(chat, wire.cool), await error_of(chat, wire.cool)
    assert isinstance(without, errors.RateLimited)
    assert isinstance(with_wait, errors.RateLimited)
    assert (without.retry_after_s, with_wait.retry_after_s) == (None, 7.0)


@both
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b'{"role": "assistant", "cont', "application/json"),
        (b"<html>Welcome to nginx</html>", "text/html"),
        (b"null", "application/json"),
        (b"[1]", "application/json"),
        (b"{}", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 200_000, "application/json"),
    ],
    ids=["empty", "truncated", "html", "null", "list", "nothing", "no utf-8", "deep"],
)
async def test_a_body_that_breaks_the_protocol_is_a_bad_reply(
    body: bytes, content_type: str, stream: bool, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.body(body, content_type=content_type)
    error = await error_of(chat, wire.cool, stream=stream)
    assert type(error) is errors.BadReply
    assert error.retryable


async def test_an_error_in_the_middle_of_a_stream_follows_its_text(
    wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.stream(["Hel"], error=wire.overloaded())
    deltas = chat.call(Request(wire.cool, HELLO, stream=True))
    assert await anext(deltas) == TextDelta("Hel")
    with pytest.raises(errors.Overloaded) as caught:
        await anext(deltas)
    assert caught.value.status is None


@both
async def test_a_reset_is_a_failed_connection(stream: bool, wire: Wire, server: WireServer, chat: ChatModel) -> None:
    server.reset()
    assert type(await error_of(chat, wire.cool, stream=stream)) is errors.ConnectionFailed


@both
async def test_a_reset_in_the_body_of_an_error_does_not_leak(
    stream: bool, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    server.fail(500, end="reset")
    assert type(await error_of(chat, wire.cool, stream=stream)) is errors.ConnectionFailed


@both
@pytest.mark.parametrize("how", ["silent", "dripping", "stopping"])
async def test_a_server_that_does_not_come_to_an_end_times_out(
    how: str, stream: bool, wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    {"silent": server.hang, "dripping": server.drip, "stopping": lambda: server.stream(["a", "b"], end="hang")}[how]()
    assert type(await error_of(chat, wire.cool, stream=stream, timeout_s=0.2)) is errors.TimedOut


async def test_nobody_listening_is_a_failed_connection(wire: Wire) -> None:
    with WireServer(wire.dialect) as server:
        chat = model_of(wire.provider(server, KEY))
    error = await error_of(chat, wire.cool)
    await chat.close()
    assert type(error) is errors.ConnectionFailed


async def test_no_key_for_the_vendor_is_said_before_any_network(wire: Wire) -> None:
    chat = model_of(Provider("main", wire.kind, key_env="MY_KEY"))
    error = await error_of(chat, wire.cool)
    await chat.close()
    assert type(error) is errors.AuthenticationFailed
    assert "MY_KEY" in error.hint


@pytest.mark.parametrize("key", ["sk-with\nbreak", "sk with space", "clé", "sk-\x00"])
async def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(
    key: str, wire: Wire, server: WireServer
) -> None:
    chat = model_of(wire.provider(server, key))
    error = await error_of(chat, wire.cool)
    await chat.close()
    assert type(error) is errors.AuthenticationFailed
    assert key not in str(error)
    assert server.requests == []


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://x/v1", "http://", "http://[bad/v1", "http://u:hunter2@x:99999/v1"]
)
def test_a_base_url_that_is_none_is_a_settings_error(url: str, wire: Wire) -> None:
    with pytest.raises(errors.SettingsError, match="which is no web address") as raised:
        model_of(Provider("p", wire.kind, url, Secret(KEY)))
    assert "hunter2" not in str(raised.value)


async def test_a_request_that_json_cannot_hold_is_a_bad_request(
    wire: Wire, server: WireServer, chat: ChatModel
) -> None:
    tool = Tool("f", "", {"type": "object", "default": float("nan")})
    assert type(await error_of(chat, wire.cool, tools=(tool,))) is errors.BadRequest
    assert server.requests == []


async def test_nothing_of_a_talk_is_logged_at_info(
    wire: Wire, server: WireServer, chat: ChatModel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.reply("the secret reply").script(wire.failure("request", PROMPT))
    await collect(chat, Request(wire.cool, (say("user", PROMPT),)))
    await error_of(chat, wire.cool)
    assert "HTTP Request" in caplog.text  # the transport does log, so this test can fail
    assert not any(secret in caplog.text for secret in (KEY, "Zanzibar", "secret reply"))


async def test_closing_twice_or_unused_is_fine(wire: Wire, server: WireServer) -> None:
    chat = model_of(wire.provider(server, KEY))
    await chat.close()
    await chat.close()
