"""The Google adapter against a real local server: what goes out, recorded replies, signatures."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai.types import Content, FunctionDeclaration, GenerateContentConfig, HttpOptions, Part
from google.genai.types import Tool as SDKTool
from persona_google.chat import GoogleChat
from persona_google.convert import to_wire
from talking import Desk
from wire import Answer, WireServer
from wires.google import GOOGLE

from persona.adapter import Provider, Secret
from persona.errors import ProviderError, TimedOut
from persona.values.message import Message, Text, ToolCall, ToolResult, say
from persona.values.request import AnswerSchema, Delta, Finish, Request, TextDelta, Tool, Usage

RECORDED = Path(__file__).parent / "recorded"
HELLO = (
    say("system", "You are terse."),
    say("user", "Hi, I'm Ana."),
    say("assistant", "Hello Ana."),
    say("user", "What's my name?"),
)
REMEMBER = Tool("remember", "d", {"type": "object", "properties": {"k": {"type": "string"}}})
FACT = AnswerSchema(
    "Fact",
    {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": False},
)
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer(GOOGLE) as server:
        yield server


@pytest.fixture
async def chat(server: WireServer) -> AsyncIterator[GoogleChat]:
    chat = GoogleChat(Provider("local", "google", server.origin, Secret("gk")))
    yield chat
    await chat.close()


def ask(*, stream: bool = False, messages: tuple[Message, ...] = HELLO, **options: Any) -> Request:
    return Request(**{"model": "m", "timeout_s": 10.0, **options}, messages=messages, stream=stream)


async def collect(chat: GoogleChat, request: Request) -> list[Delta]:
    return [delta async for delta in chat.call(request)]


async def ask_the_sdk(server: WireServer, contents: list[Content], config: GenerateContentConfig) -> None:
    """The same by the SDK's own types; with a transport of its own, whatever others are installed."""
    async with httpx2.AsyncClient() as http:
        options = HttpOptions(base_url=server.origin, timeout=10_000, httpx_async_client=http)
        sdk = genai.Client(api_key="gk", http_options=options)
        await sdk.aio.models.generate_content(model="m", contents=list(contents), config=config)
        sdk.close()


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def played(answer: Any) -> Answer:
    """A recorded response as the server will send it again."""
    raw = answer["sse"].encode() if "sse" in answer else json.dumps(answer).encode()
    return Answer(raw=raw, content_type="text/event-stream" if "sse" in answer else "application/json")


def response(*parts: Any, **candidate: Any) -> Any:
    """One chunk, or a whole body."""
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "index": 0, **candidate}]}


def streamed(*chunks: Any) -> bytes:
    return "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks).encode()


def say_both(server: WireServer, stream: bool, *chunks: Any) -> None:
    """The chunks as a stream, or the last one as the whole body."""
    raw = streamed(*chunks) if stream else json.dumps(chunks[-1]).encode()
    server.body(raw, content_type="text/event-stream" if stream else "application/json")


# what goes out


async def test_a_request_says_what_the_sdk_would_say_of_its_own_types(server: WireServer, chat: GoogleChat) -> None:
    request = ask(tools=(REMEMBER,), max_output_tokens=50, temperature=0.5)
    await collect(chat, request)
    contents = [Content(role="model" if m.role == "assistant" else m.role, parts=[Part(text=m.text)]) for m in HELLO]
    declared = FunctionDeclaration(name="remember", description="d", parameters_json_schema=REMEMBER.parameters)
    config = GenerateContentConfig(
        system_instruction=contents.pop(0),
        tools=[SDKTool(function_declarations=[declared])],
        max_output_tokens=50,
        temperature=0.5,
    )
    await ask_the_sdk(server, contents, config)
    ours, theirs = server.requests
    del theirs.body["systemInstruction"]["role"]
    function = theirs.body["tools"][0]["functionDeclarations"][0]
    function["parametersJsonSchema"] = function.pop("parameters_json_schema")  # both spellings name one field
    assert ours.body == theirs.body == to_wire(request)
    assert ours.path == theirs.path
    assert ours.headers.keys() == theirs.headers.keys()


async def test_an_answer_is_asked_for_as_the_sdk_would(server: WireServer, chat: GoogleChat) -> None:
    await collect(chat, ask(messages=HELLO[1:2], answer=FACT))
    config = GenerateContentConfig(response_mime_type="application/json", response_json_schema=FACT.schema)
    await ask_the_sdk(server, [Content(role="user", parts=[Part(text=HELLO[1].text)])], config)
    ours, theirs = server.requests
    assert ours.body == theirs.body


@pytest.mark.parametrize(("model", "held"), [("gemini-2.5-flash", False), ("gemini-3.8-flash", True), ("m", False)])
async def test_beside_tools_older_models_are_asked_for_an_answer_in_words(
    model: str, held: bool, server: WireServer, chat: GoogleChat
) -> None:
    await collect(chat, ask(model=model, tools=(REMEMBER,), answer=FACT))
    (body,) = server.bodies
    assert ("responseJsonSchema" in body.get("generationConfig", {})) is held
    words = [part["text"] for part in body["systemInstruction"]["parts"]]
    assert words == [HELLO[0].text] if held else words[1].endswith(f"JSON Schema: {json.dumps(FACT.schema)}")


async def test_the_environment_decides_nothing(
    server: WireServer, chat: GoogleChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "of-somebody-else")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-somebody-else")
    keyless = GoogleChat(Provider("local", "google", server.origin))
    await collect(keyless, ask())
    await keyless.close()
    assert server.requests[0].path == "/v1/models/m:generateContent"
    assert server.requests[0].headers["x-goog-api-key"] == "no-key"


async def test_a_temperature_that_is_left_out_is_said_once(
    server: WireServer, chat: GoogleChat, caplog: pytest.LogCaptureFixture
) -> None:
    for model in ("gemini-3.8-flash", "gemini-3.8-flash", "gemini-2.5-flash"):
        await collect(chat, ask(model=model, temperature=0.5))
    assert caplog.messages == ["local:gemini-3.8-flash takes no temperature: it is left out"]
    assert [body["generationConfig"] for body in server.bodies] == [{}, {}, {"temperature": 0.5}]


async def test_connecting_has_its_own_time_limit(chat: GoogleChat) -> None:
    # a listener whose queue is full answers no more, so that connecting takes for ever
    import socket

    with socket.socket() as full, socket.socket() as first:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        impatient = GoogleChat(Provider("local", "google", url, Secret("k"), connect_timeout_s=0.05))
        with pytest.raises(TimedOut, match="ConnectTimeout"):
            await collect(impatient, ask(timeout_s=60.0))
        await impatient.close()


# what comes back


@pytest.mark.parametrize("name", ["google_generate", "google_stream"])
async def test_a_recorded_reply_is_read(name: str, server: WireServer, chat: GoogleChat) -> None:
    server.script(played(recorded(name)["response"]))
    *pieces, finish = await collect(chat, ask(stream="stream" in name))
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == "Ana."
    assert finish == Finish("end", Usage(20, 5, 16, None, 3), "gemini-3.8-flash", "r1")


@both
async def test_a_signature_travels_through_a_round_of_tools(stream: bool, server: WireServer, chat: GoogleChat) -> None:
    say_both(server, stream, recorded("google_tools")["response"])
    call, finish = await collect(chat, ask(stream=stream, tools=(REMEMBER,)))
    assert isinstance(call, ToolCall)
    assert isinstance(finish, Finish)
    assert (call.name, call.arguments, finish.stop) == ("remember", '{"k": "name"}', "tool_calls")
    answered = (*HELLO, Message("assistant", (call,)), Message("tool", (ToolResult(call.id, "remember", "kept"),)))
    await collect(chat, ask(stream=stream, tools=(REMEMBER,), messages=answered))
    asked, result = server.bodies[1]["contents"][-2:]
    assert asked["parts"][0]["thoughtSignature"] == "c2ln"
    assert result["parts"][0]["functionResponse"]["id"] == asked["parts"][0]["functionCall"]["id"] == call.id


@both
async def test_calls_without_ids_get_one_each(stream: bool, server: WireServer, chat: GoogleChat) -> None:
    calls = [{"functionCall": {"name": name}} for name in ("f", "g")]
    say_both(server, stream, {**response(*calls, finishReason="STOP"), "responseId": "r7"})
    assert (await collect(chat, ask(stream=stream)))[:2] == [ToolCall("r7_0", "f", "{}"), ToolCall("r7_1", "g", "{}")]


@both
async def test_thoughts_are_no_part_of_the_reply(stream: bool, server: WireServer, chat: GoogleChat) -> None:
    thought = {"text": "Hm, a name.", "thought": True}
    say_both(server, stream, response(thought, {"text": "Ana.", "thoughtSignature": "c2ln"}, finishReason="STOP"))
    assert (await collect(chat, ask(stream=stream)))[0] == TextDelta("Ana.")


@both
@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("STOP", "end"),
        ("MAX_TOKENS", "length"),
        ("CONTINUATION", "length"),
        ("SAFETY", "refused"),
        ("RECITATION", "refused"),
        ("BLOCKLIST", "refused"),
        ("PROHIBITED_CONTENT", "refused"),
        ("SPII", "refused"),
        ("MODEL_ARMOR", "refused"),
        ("LANGUAGE", "other"),
        ("FINISH_REASON_UNSPECIFIED", "other"),
    ],
)
async def test_stop_reasons_are_translated(
    finish: str, stop: str, stream: bool, server: WireServer, chat: GoogleChat
) -> None:
    server.reply("x", finish=finish)
    assert (await collect(chat, ask(stream=stream)))[-1] == Finish(stop, Usage(20, 2), "served-model", "req_1")  # type: ignore[arg-type]


@both
async def test_the_sdk_does_not_ask_on_by_itself(stream: bool, server: WireServer, chat: GoogleChat) -> None:
    more = {"finishReason": "CONTINUATION", "continuationToken": "dG9r"}
    say_both(server, stream, response({"text": "half"}, **more))
    assert [type(delta) for delta in await collect(chat, ask(stream=stream))] == [TextDelta, Finish]
    assert len(server.requests) == 1


@both
@pytest.mark.filterwarnings("ignore:.* is not a valid FinishReason")  # the SDK's own, on every new word
async def test_a_stop_reason_that_nobody_knows_yet_is_another_one(
    stream: bool, server: WireServer, chat: GoogleChat
) -> None:
    server.reply("x", finish="BORED")
    *_, last = await collect(chat, ask(stream=stream))
    assert isinstance(last, Finish)
    assert last.stop == "other"


@both
async def test_a_blocked_prompt_is_refused_with_its_usage(stream: bool, server: WireServer, chat: GoogleChat) -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 9}}
    say_both(server, stream, {**blocked, "modelVersion": "g", "responseId": "r1"})
    assert await collect(chat, ask(stream=stream)) == [Finish("refused", Usage(9), "g", "r1")]


@both
async def test_a_refused_reply_has_no_calls(stream: bool, server: WireServer, chat: GoogleChat) -> None:
    server.script(Answer(calls=(("a", "f", "{}"),), finish="SAFETY"))
    assert [type(delta) for delta in await collect(chat, ask(stream=stream))] == [Finish]


@both
@pytest.mark.parametrize(
    ("finish", "kind"),
    [
        ("MALFORMED_FUNCTION_CALL", "BadReply"),
        ("MALFORMED_RESPONSE", "BadReply"),
        ("UNEXPECTED_TOOL_CALL", "BadReply"),
        ("MISSING_THOUGHT_SIGNATURE", "BadRequest"),
        ("PUP_LIMITED_DISABLED", "PermissionDenied"),
    ],
)
async def test_a_stop_reason_that_leaves_no_reply_is_an_error(
    finish: str, kind: str, stream: bool, server: WireServer, chat: GoogleChat
) -> None:
    server.reply("", finish=finish)
    with pytest.raises(ProviderError, match=finish) as caught:
        await collect(chat, ask(stream=stream))
    assert type(caught.value).__name__ == kind


async def test_a_server_that_cannot_stream_is_read_whole(server: WireServer, chat: GoogleChat) -> None:
    server.script(played(recorded("google_generate")["response"]))
    assert (await collect(chat, ask(stream=True)))[0] == TextDelta("Ana.")


async def test_a_reply_is_whole_once_its_stop_reason_came(server: WireServer, chat: GoogleChat) -> None:
    chunk = streamed(response({"text": "all"}, finishReason="STOP"))
    server.script(Answer(raw=chunk * 2, content_type="text/event-stream", end="reset"))
    text, finish = await collect(chat, ask(stream=True))
    assert text == TextDelta("all")
    assert isinstance(finish, Finish)


# leaving early


@pytest.mark.parametrize("after", ["text", "an unreadable chunk"])
async def test_leaving_a_stream_leaves_nothing_behind_for_the_garbage_collector(
    after: str, server: WireServer, chat: GoogleChat
) -> None:
    chunk = response({"text": "a"}) if after == "text" else response({"text": {"not": "text"}})
    raw = streamed(chunk)
    server.script(Answer(raw=raw + b" " * len(raw), content_type="text/event-stream", end="hang"))
    deltas: Any = chat.call(ask(stream=True))
    if after == "text":
        assert await anext(deltas) == TextDelta("a")
    else:
        with pytest.raises(ProviderError):
            await anext(deltas)
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    await deltas.aclose()
    await asyncio.to_thread(server.wait_for_hang_up)
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert complaints == []


def hours(day: str) -> str:
    """When the shop is open."""
    return f"{day}: at nine"


def test_a_signature_is_stored_with_its_call_and_sent_in_every_later_turn(server: WireServer, tmp_path: Path) -> None:
    call = {"functionCall": {"name": "hours", "args": {"day": "monday"}}, "thoughtSignature": "c2ln"}
    server.body(json.dumps(response(call, finishReason="STOP")).encode())
    server.reply("At nine.").reply("Yes.")
    providers = {"local": {"kind": "google", "base_url": server.origin}}
    desk = Desk(tmp_path)
    with desk.stack:
        chat = desk.chat(providers=providers, routes={"default": {"target": "local:gemini-3.8-flash"}})
        chat.send("When?", tools=[hours])
        chat.send("Sure?")
    for body in server.bodies[1:]:
        (signed,) = [part for one in body["contents"] for part in one["parts"] if "functionCall" in part]
        assert signed["thoughtSignature"] == "c2ln"


async def test_two_calls_at_once_keep_apart(server: WireServer, chat: GoogleChat) -> None:
    server.answer = lambda body: Answer(pieces=(body["contents"][0]["parts"][0]["text"],))
    asked = [f"number {n}" for n in range(20)]
    calls = (collect(chat, ask(stream=True, messages=(Message("user", (Text(text),)),))) for text in asked)
    assert [deltas[0] for deltas in await asyncio.gather(*calls)] == [TextDelta(text) for text in asked]
