"""The Anthropic adapter against a real local server: its recorded replies, its platforms, its API versions."""

import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from persona_anthropic import adapter
from persona_anthropic.chat import AnthropicChat
from persona_anthropic.convert import to_wire
from persona_anthropic.reply import Assembly
from wire import Answer, WireServer
from wires.anthropic import BEDROCK, MESSAGES

from persona.adapter import Provider, Secret
from persona.errors import (
    AdapterMissing,
    AuthenticationFailed,
    BadReply,
    ConnectionFailed,
    ProviderError,
    RateLimited,
    SettingsError,
)
from persona.values.message import Message, Text, ToolCall, ToolResult, say
from persona.values.request import Delta, Finish, Request, TextDelta, Tool, Usage

RECORDED = Path(__file__).parent / "recorded"
HELLO = (
    say("system", "You are terse."),
    say("user", "Hi, I'm Ana."),
    say("assistant", "Hello Ana."),
    say("user", "What's my name?"),
)
REMEMBER = Tool("remember", "d", {"type": "object", "properties": {"k": {"type": "string"}}})
TOOL_TURN = (
    say("user", "Two things."),
    Message("assistant", (Text("One moment."), ToolCall("a", "remember", "{}"), ToolCall("b", "forget", "{ }"))),
    Message("tool", (ToolResult("a", "remember", "done"), ToolResult("b", "forget", "gone"))),
    say("assistant", "Both done."),
)
ON_BEDROCK = {"client": "bedrock", "region": "eu-west-3"}
ON_VERTEX = {"client": "vertex", "region": "europe-west1", "project": "p"}


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer(MESSAGES) as server:
        yield server


@pytest.fixture
async def chat(server: WireServer) -> AsyncIterator[AnthropicChat]:
    chat = AnthropicChat(Provider("local", "anthropic", server.origin, Secret("sk-test")))
    yield chat
    await chat.close()


def ask(*, stream: bool = False, messages: tuple[Message, ...] = HELLO, **options: Any) -> Request:
    return Request(**{"model": "m", "timeout_s": 10.0, **options}, messages=messages, stream=stream)


async def collect(chat: AnthropicChat, request: Request) -> list[Delta]:
    return [delta async for delta in chat.call(request)]


async def ask_platform(server: WireServer, options: dict[str, str], request: Request, key: str = "tok") -> list[Delta]:
    chat = AnthropicChat(Provider("cloud", "anthropic", server.origin, Secret(key), "CLOUD_KEY", options=options))
    try:
        return await collect(chat, request)
    finally:
        await chat.close()


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"anthropic_{name}.json").read_text(encoding="utf-8"))


def played(answer: Any) -> Answer:
    """A recorded response as the server will send it again."""
    if "sse" in answer:
        return Answer(raw=answer["sse"].encode(), content_type="text/event-stream")
    return Answer(raw=json.dumps(answer).encode())


# the API


async def test_a_request_is_what_the_sdk_itself_would_send(server: WireServer, chat: AnthropicChat) -> None:
    request = ask(messages=(*TOOL_TURN, say("user", "Überprüf’ das 🦊")), tools=(REMEMBER,), stable=(1, 3))
    await collect(chat, request)
    async with AsyncAnthropic(api_key="sk-test", base_url=server.origin, max_retries=0) as sdk:
        await sdk.messages.create(**to_wire(request), timeout=10.0)
    ours, theirs = server.requests
    assert ours.body == theirs.body
    assert len(ours.raw) == len(theirs.raw)
    assert ours.headers.keys() == theirs.headers.keys()
    assert (ours.path, ours.headers["anthropic-version"]) == (theirs.path, theirs.headers["anthropic-version"])


@pytest.mark.parametrize("name", ["messages", "messages_stream"])
async def test_a_recorded_reply_is_read(name: str, server: WireServer, chat: AnthropicChat) -> None:
    server.script(played(recorded(name)["response"]))
    *pieces, finish = await collect(chat, ask(stream="stream" in name))
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == "Ana."
    assert finish == Finish("end", Usage(1028, 2, 1024, 0, None), "claude-haiku-5-5", "req_1")


async def test_a_recorded_tool_call_is_read(server: WireServer, chat: AnthropicChat) -> None:
    server.script(played(recorded("tools")["response"]))
    assert (await collect(chat, ask()))[0] == ToolCall("toolu_1", "remember", '{"k": "name"}')


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("reason", "stop"),
    [("stop_sequence", "end"), ("pause_turn", "other"), ("model_context_window_exceeded", "length"), ("new", "other")],
)
async def test_its_other_stop_reasons_are_translated(
    stream: bool, reason: str, stop: str, server: WireServer, chat: AnthropicChat
) -> None:
    server.reply("x", finish=reason)
    last = (await collect(chat, ask(stream=stream)))[-1]
    assert isinstance(last, Finish)
    assert last.stop == stop


async def test_a_reply_is_whole_once_its_stop_reason_came(server: WireServer, chat: AnthropicChat) -> None:
    sse = recorded("messages_stream")["response"]["sse"].removesuffix(
        'event: message_stop\ndata: {"type": "message_stop"}\n\n'
    )
    lost = sse.encode() + b"event: ping\ndata: " + b"x" * len(sse)
    server.script(Answer(raw=lost, content_type="text/event-stream", end="reset"))
    assert isinstance((await collect(chat, ask(stream=True)))[-1], Finish)


async def test_a_server_that_cannot_stream_is_read_whole(server: WireServer, chat: AnthropicChat) -> None:
    server.script(played(recorded("messages")["response"]))
    assert (await collect(chat, ask(stream=True)))[0] == TextDelta("Ana.")


@pytest.mark.parametrize(
    "data",
    [
        "{broken",
        "7",
        '{"no": "type"}',
        '{"type": "message_start"}',
        '{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 3}}',
        "[" * 200_000,
    ],
)
async def test_an_event_that_breaks_the_protocol_is_a_bad_reply(
    data: str, server: WireServer, chat: AnthropicChat
) -> None:
    server.body(f"event: message_start\ndata: {data}\n\n".encode(), content_type="text/event-stream")
    with pytest.raises(BadReply):
        await collect(chat, ask(stream=True))


def test_events_of_kinds_that_are_not_known_add_nothing() -> None:
    assembly = Assembly()
    assert assembly.feed({"type": "weather", "sun": True}) == ""
    assert assembly.feed({"type": "content_block_start", "index": 0, "content_block": {"type": "novelty"}}) == ""
    assert assembly.feed({"type": "content_block_delta", "index": 0, "delta": {"type": "novelty_delta"}}) == ""
    assert list(assembly.ending("r")) == []


async def test_only_a_request_with_a_temperature_goes_out_under_the_first_version(
    server: WireServer, chat: AnthropicChat, caplog: pytest.LogCaptureFixture
) -> None:
    for model, temperature in (("claude-haiku-4-5", 0.5), ("claude-haiku-4-5", None), ("claude-opus-5", 0.5)):
        await collect(chat, ask(model=model, temperature=temperature))
    versions = [request.headers["anthropic-version"] for request in server.requests]
    assert versions == ["2023-06-01", "2026-10-21", "2026-10-21"]
    assert ["temperature" in body for body in server.bodies] == [True, False, False]
    assert "local:claude-opus-5 takes no temperature" in caplog.text


async def test_what_is_left_out_is_said_once(
    server: WireServer, chat: AnthropicChat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        await collect(chat, ask(model="claude-opus-5", temperature=0.5))
    assert len(caplog.records) == 1


async def test_a_model_that_retires_soon_is_called_without_a_warning(server: WireServer, chat: AnthropicChat) -> None:
    await collect(chat, ask(model="claude-sonnet-4-5"))  # the SDK's own method warns, and warnings are errors here
    assert server.bodies[0]["model"] == "claude-sonnet-4-5"


async def test_the_environment_names_no_server(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.origin)
    chat = AnthropicChat(Provider("main", "anthropic", key=Secret("sk-test")))
    with pytest.raises(ConnectionFailed):  # the vendor's own, which no test reaches
        await collect(chat, ask())
    await chat.close()
    assert server.requests == []


async def test_the_environment_does_not_redirect_or_sign_a_call(
    server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-other")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other-token")
    chat = AnthropicChat(Provider("local", "anthropic", server.origin))
    await collect(chat, ask())
    await chat.close()
    assert server.requests[0].headers["authorization"] == "Bearer no-key"
    assert "other" not in str(server.requests[0].headers)


# the platforms


@pytest.mark.parametrize(("name", "options"), [("bedrock", ON_BEDROCK), ("vertex", ON_VERTEX)])
async def test_a_platform_is_asked_as_it_was_recorded(name: str, options: dict[str, str]) -> None:
    record = recorded(name)
    model = "anthropic.claude-haiku-5-5-v1:0" if name == "bedrock" else "claude-haiku-5-5"
    with WireServer(MESSAGES) as server:
        server.script(played(record["response"]))
        messages = (say("system", "s"), say("user", "Hi"))
        deltas = await ask_platform(server, options, ask(model=model, messages=messages, max_output_tokens=5))
    assert deltas[0] == TextDelta("Ana.")
    (request,) = server.requests
    expected = record["request"]["path"].replace("us-east5", options["region"])
    assert request.path == expected
    assert request.body == {**record["request"]["json"], "system": [{"type": "text", "text": "s"}]}
    assert request.headers["authorization"] == "Bearer tok"


async def test_bedrock_streams_frames() -> None:
    with WireServer(BEDROCK) as server:
        server.script(Answer(pieces=("Hel", "lo"), calls=(("a", "f", '{"x": 1}'),), finish="tool_calls"))
        deltas = await ask_platform(server, ON_BEDROCK, ask(stream=True))
    assert server.requests[0].path == "/model/m/invoke-with-response-stream"
    assert deltas == [
        TextDelta("Hel"),
        TextDelta("lo"),
        ToolCall("a", "f", '{"x": 1}'),
        Finish("tool_calls", Usage(20, 2), "served-model", "req_1"),
    ]


async def test_vertex_streams_events() -> None:
    with WireServer(MESSAGES) as server:
        server.stream(["Hel", "lo"])
        deltas = await ask_platform(server, ON_VERTEX, ask(stream=True))
    assert server.requests[0].path.endswith("/models/m:streamRawPredict")
    assert deltas[:2] == [TextDelta("Hel"), TextDelta("lo")]


async def test_an_exception_in_bedrocks_stream_is_an_error_of_persona() -> None:
    with WireServer(BEDROCK) as server:
        server.stream(["Hel"], error={"type": "throttlingException", "message": "slow down"})
        with pytest.raises(RateLimited, match="throttlingException"):
            await ask_platform(server, ON_BEDROCK, ask(stream=True))


async def test_a_model_that_failed_on_bedrock_may_be_asked_again() -> None:
    with WireServer(BEDROCK) as server:
        server.fail(424)
        with pytest.raises(ProviderError) as caught:
            await ask_platform(server, ON_BEDROCK, ask())
    assert (caught.value.retryable, caught.value.status) == (True, 424)


async def test_frames_that_are_none_are_a_bad_reply() -> None:
    with WireServer(BEDROCK) as server:
        server.body(b"no frames at all, but long enough to be one", content_type="application/octet-stream")
        with pytest.raises(BadReply):
            await ask_platform(server, ON_BEDROCK, ask(stream=True))


@pytest.mark.parametrize(("options", "version"), [(ON_BEDROCK, "bedrock-2023-05-31"), (ON_VERTEX, "vertex-2023-10-16")])
async def test_a_platform_is_told_the_first_version_in_the_body(options: dict[str, str], version: str) -> None:
    with WireServer(MESSAGES) as server:
        await ask_platform(server, options, ask(model="anthropic.claude-haiku-4-5-20251001-v1:0", temperature=0.5))
    assert server.bodies[0]["anthropic_version"] == version


async def test_a_key_of_the_vendors_own_api_is_not_shown_to_a_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with WireServer(BEDROCK) as server:
        await ask_platform(server, ON_BEDROCK, ask(), key="sk-ant-api03-mine")
    assert server.requests[0].headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/")
    assert "sk-ant" not in str(server.requests[0])


@pytest.mark.parametrize("options", [ON_BEDROCK, ON_VERTEX])
async def test_a_machine_without_credentials_is_told_so(
    options: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    alone = options | {"region": "eu-north-1"}  # the SDK keeps what signs for a region as long as the process lives
    with WireServer(BEDROCK) as server, pytest.raises(AuthenticationFailed, match="no credentials"):
        await ask_platform(server, alone, ask(), key="")
    assert server.requests == []


@pytest.mark.parametrize(
    ("options", "library", "extra"),
    [(ON_BEDROCK, "botocore.eventstream", "bedrock"), (ON_VERTEX, "google.auth.transport.requests", "vertex")],
)
async def test_a_platform_whose_library_is_missing_names_the_extra(
    options: dict[str, str], library: str, extra: str, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(AdapterMissing) as caught:
        await ask_platform(server, options, ask())
    assert f"anthropic[{extra}]" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"client": "azure"}, "client 'azure', which is none"),
        ({"regoin": "x"}, "'regoin', which client 'api' does not take"),
        ({"region": "x"}, "'region', which client 'api' does not take"),
        ({"client": "bedrock"}, "client 'bedrock' and no 'region'"),
        ({"client": "bedrock", "region": "x", "project": "p"}, "'project', which client 'bedrock' does not take"),
        ({"client": "vertex", "region": "x"}, "client 'vertex' and no 'project'"),
    ],
)
def test_an_option_that_is_wrong_is_a_settings_error(options: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        AnthropicChat(Provider("cloud", "anthropic", options=options))


def test_it_offers_chat_and_cards_only() -> None:
    assert (adapter.embed, adapter.tokenizer) == (None, None)
    assert adapter.chat is not None
    assert adapter.card is not None
