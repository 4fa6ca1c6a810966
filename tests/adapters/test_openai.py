"""The chat adapter against a real local server: what goes out, what comes back, and what hanging up does."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from persona_openai.chat import OpenAIChat
from persona_openai.convert import calls_from_wire, to_wire
from persona_openai.reply import Assembly
from wire import Answer, WireServer

from persona.adapter import Provider, Secret
from persona.values.message import Message, Text, ToolCall, ToolResult, say
from persona.values.request import Delta, Finish, Request, TextDelta, Tool, Usage

RECORDED = Path(__file__).parent / "recorded"
HELLO = (
    say("system", "You are terse."),
    say("user", "Hi, I'm Ana."),
    say("assistant", "Hello Ana."),
    say("user", "What's my name?"),
)
REMEMBER = Tool("remember", "Keeps one thing.", {"type": "object", "properties": {"k": {"type": "string"}}})
TOOL_TURN = (
    say("user", "Two things."),
    Message("assistant", (Text("One moment."), ToolCall("a", "remember", "{}"), ToolCall("b", "forget", "{ }"))),
    Message("tool", (ToolResult("a", "remember", "done"), ToolResult("b", "forget", "gone"))),
    say("assistant", "Both done."),
)


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture
async def chat(server: WireServer) -> AsyncIterator[OpenAIChat]:
    chat = OpenAIChat(Provider("local", "openai", server.url, Secret("sk-test")))
    yield chat
    await chat.close()


def ask(*, stream: bool = False, messages: tuple[Message, ...] = HELLO, **options: Any) -> Request:
    return Request("m", messages, stream=stream, **{"timeout_s": 10.0, **options})


async def collect(chat: OpenAIChat, request: Request) -> list[Delta]:
    return [delta async for delta in chat.call(request)]


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def played(answer: object) -> Answer:
    """A recorded response as the server will send it again."""
    raw = answer["sse"].encode() if isinstance(answer, dict) and "sse" in answer else json.dumps(answer).encode()
    return Answer(raw=raw, content_type="text/event-stream" if raw.startswith(b"data:") else "application/json")


# what goes out


async def test_a_request_is_byte_for_byte_what_the_sdk_itself_would_send(server: WireServer, chat: OpenAIChat) -> None:
    request = ask(messages=(*TOOL_TURN, say("user", "Überprüf’ das 🦊")), tools=(REMEMBER,), temperature=0.0)
    await collect(chat, request)
    async with AsyncOpenAI(api_key="sk-test", base_url=server.url, max_retries=0) as sdk:
        await sdk.chat.completions.create(**to_wire(request))
    ours, theirs = server.requests
    assert json.loads(ours.raw) == json.loads(theirs.raw)
    assert len(ours.raw) == len(theirs.raw)
    assert ours.headers.keys() == theirs.headers.keys()
    assert ours.headers["authorization"] == "Bearer sk-test"


async def test_a_lone_surrogate_is_replaced_and_a_pair_is_joined(server: WireServer, chat: OpenAIChat) -> None:
    result = ToolResult("a", "f", "lone \ud800, pair \ud83e\udd8a")
    await collect(chat, ask(messages=(Message("assistant", (ToolCall("a", "f", "{}"),)), Message("tool", (result,)))))
    assert server.bodies[0]["messages"][1]["content"] == "lone \ufffd, pair \U0001f98a"


# what comes back


@pytest.mark.parametrize("name", ["openai_chat", "openai_chat_stream"])
async def test_a_recorded_reply_is_read(name: str, server: WireServer, chat: OpenAIChat) -> None:
    server.script(played(recorded(name)["response"]))
    *pieces, finish = await collect(chat, ask(stream="stream" in name))
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == "Ana."
    assert finish == Finish("end", Usage(20, 2, 16, 0, None), "gpt-6-luna", "req_1")


async def test_a_recorded_tool_call_is_read(server: WireServer, chat: OpenAIChat) -> None:
    server.script(played(recorded("openai_chat_tools")["response"]))
    assert await collect(chat, ask()) == [
        ToolCall("call_1", "remember", '{"k":"name"}'),
        Finish("tool_calls", Usage(), "m", "req_1"),
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_text_calls_and_usage_are_the_same_streamed_or_not(
    stream: bool, server: WireServer, chat: OpenAIChat
) -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    calls = (("a", "f", '{"x": 1}'), ("b", "g", "{}"))
    server.script(Answer(pieces=("Wait.",), calls=calls, finish="tool_calls", usage=usage))
    assert await collect(chat, ask(stream=stream)) == [
        TextDelta("Wait."),
        ToolCall("a", "f", '{"x": 1}'),
        ToolCall("b", "g", "{}"),
        Finish("tool_calls", Usage(9, 7, 4, 5, 3), "served-model", "req_1"),
    ]


async def test_pieces_arrive_as_they_are_sent(server: WireServer, chat: OpenAIChat) -> None:
    server.stream(["a", "b"], end="hang")
    deltas = chat.call(ask(stream=True))
    assert [await anext(deltas), await anext(deltas)] == [TextDelta("a"), TextDelta("b")]
    server.release()
    assert [delta async for delta in deltas] == [Finish("end", Usage(20, 2), "served-model", "req_1")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("stop", "end"),
        ("length", "length"),
        ("function_call", "tool_calls"),
        ("content_filter", "refused"),
        ("eos", "other"),
    ],
)
async def test_stop_reasons_are_translated(
    stream: bool, finish: str, stop: str, server: WireServer, chat: OpenAIChat
) -> None:
    server.reply("x", finish=finish)
    last = (await collect(chat, ask(stream=stream)))[-1]
    assert isinstance(last, Finish)
    assert last.stop == stop


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_is_text_that_ends_as_refused(stream: bool, server: WireServer, chat: OpenAIChat) -> None:
    server.reply("", refusal="I will not.")
    text, finish = await collect(chat, ask(stream=stream))
    assert text == TextDelta("I will not.")
    assert isinstance(finish, Finish)
    assert finish.stop == "refused"


async def test_usage_that_was_not_reported_is_unknown(server: WireServer, chat: OpenAIChat) -> None:
    server.reply("x", usage=None)
    assert (await collect(chat, ask(stream=True)))[-1] == Finish("end", Usage(), "served-model", "req_1")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_reply_without_a_stop_reason_simply_ends(stream: bool, server: WireServer, chat: OpenAIChat) -> None:
    server.reply("half a rep", finish=None)
    assert await collect(chat, ask(stream=stream)) == [TextDelta("half a rep")]


async def test_a_cut_stream_yields_no_half_tool_call_and_no_finish(server: WireServer, chat: OpenAIChat) -> None:
    server.script(Answer(pieces=("a",), calls=(("c", "f", '{"x": 1}'),), end="cut"))
    assert await collect(chat, ask(stream=True)) == [TextDelta("a")]


async def test_calls_that_share_an_index_stay_apart(server: WireServer, chat: OpenAIChat) -> None:
    calls = [{"index": 0, "id": f"c{n}", "function": {"name": "f", "arguments": f"[{n}]"}} for n in (1, 2)]
    chunks: list[Any] = [{"choices": [{"delta": {"tool_calls": [call]}}]} for call in calls]
    chunks.append({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    raw = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode()
    server.body(raw, content_type="text/event-stream")
    assert (await collect(chat, ask(stream=True)))[:2] == [
        ToolCall("c1", "f", "[1]"),
        ToolCall("c2", "f", "[2]"),
    ]


async def test_a_server_that_cannot_stream_is_read_whole(server: WireServer, chat: OpenAIChat) -> None:
    server.script(played(recorded("openai_chat")["response"]))
    assert (await collect(chat, ask(stream=True)))[0] == TextDelta("Ana.")


async def test_a_reply_is_whole_once_its_stop_reason_came(server: WireServer, chat: OpenAIChat) -> None:
    chunk = json.dumps({"choices": [{"delta": {"content": "all"}, "finish_reason": "stop"}]})
    server.script(Answer(raw=f"data: {chunk}\n\n".encode() * 2, content_type="text/event-stream", end="reset"))
    text, finish = await collect(chat, ask(stream=True))
    assert text == TextDelta("all")
    assert isinstance(finish, Finish)


# hanging up, closing, importing


async def test_closing_the_iterator_early_hangs_up(server: WireServer, chat: OpenAIChat) -> None:
    server.stream(["a"], end="hang")
    deltas = chat.call(ask(stream=True))
    await anext(deltas)
    await deltas.aclose()  # type: ignore[attr-defined]  # the protocol promises an iterator; ours is a generator
    await asyncio.to_thread(server.wait_for_hang_up)
    assert await collect(chat, ask())  # and the client still works


async def test_cancelling_the_caller_hangs_up(server: WireServer, chat: OpenAIChat) -> None:
    server.hang()
    task = asyncio.create_task(collect(chat, ask()))
    await asyncio.to_thread(server.wait_for_requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(server.wait_for_hang_up)


async def test_connections_are_kept_and_calls_run_side_by_side(server: WireServer, chat: OpenAIChat) -> None:
    server.answer = lambda body: body["messages"][-1]["content"]
    asked = [ask(messages=(say("user", str(n)),), stream=n % 2 == 0) for n in range(50)]
    replies = await asyncio.gather(*(collect(chat, request) for request in asked))
    assert [reply[0] for reply in replies] == [TextDelta(str(n)) for n in range(50)]


async def test_a_server_that_wants_no_key_gets_a_dummy(server: WireServer) -> None:
    chat = OpenAIChat(Provider("local", "openai", server.url))
    await collect(chat, ask())
    await chat.close()
    assert server.requests[0].headers["authorization"] == "Bearer no-key"


async def test_the_environment_does_not_redirect_or_sign_a_call(
    server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    chat = OpenAIChat(Provider("local", "openai", server.url))
    await collect(chat, ask())
    await chat.close()
    assert "openai-organization" not in server.requests[0].headers
    assert "sk-other" not in str(server.requests[0].headers)


async def test_closing_twice_or_unused_is_fine() -> None:
    chat = OpenAIChat(Provider("local", "openai", "http://127.0.0.1:1/v1"))
    await chat.close()
    await chat.close()


def test_tool_arguments_sent_as_an_object_are_taken_as_their_json() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "hours", "arguments": {"day": "monday"}}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert calls_from_wire(message) == (ToolCall("c1", "hours", '{"day": "monday"}'),)
    assembly = Assembly()
    assembly.feed({"choices": [{"delta": {"tool_calls": [{"index": 0, **call}]}}]})
    assembly.feed({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    assert ToolCall("c1", "hours", '{"day": "monday"}') in list(assembly.ending("r1"))
