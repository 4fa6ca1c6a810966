"""What can go wrong, and what it is called: every failure is an error of persona, and quotes nobody."""

import inspect
import json
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from persona_openai.chat import OpenAIChat
from persona_openai.errors import BY_CLASS, BY_CODE, BY_STATUS, WHAT, WITHOUT_STATUS, wait_of
from wire import Answer, WireServer

from persona import errors
from persona.adapter import Provider, Secret
from persona.errors import PersonaError, ProviderError
from persona.values.message import say
from persona.values.request import Request, TextDelta, Tool

KEY = "sk-verysecret123"
PROMPT = "my prompt about Zanzibar"
TOO_LONG = json.loads((Path(__file__).parent / "recorded/context_too_long.json").read_text())


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture
async def chat(server: WireServer) -> AsyncIterator[OpenAIChat]:
    chat = OpenAIChat(Provider("local", "openai", server.url, Secret(KEY), "OPENAI_API_KEY"))
    yield chat
    await chat.close()


async def error_of(chat: OpenAIChat, *, stream: bool = False, timeout_s: float = 10.0, **options: Any) -> PersonaError:
    request = Request("m", (say("user", PROMPT),), stream=stream, timeout_s=timeout_s, **options)
    with pytest.raises(PersonaError) as caught:
        [delta async for delta in chat.call(request)]
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert KEY not in shown
    assert "Zanzibar" not in shown
    return caught.value


def test_every_exception_class_of_the_sdk_is_in_the_table() -> None:
    members = inspect.getmembers(openai, inspect.isclass)
    classes = {cls for name, cls in members if issubclass(cls, openai.OpenAIError) and name[0] != "_"}
    assert len(classes) > 10
    assert classes <= BY_CLASS.keys()


def test_every_request_error_of_the_transport_is_caught() -> None:
    leaks = [
        cls
        for _, cls in inspect.getmembers(httpx2, inspect.isclass)
        if issubclass(cls, Exception) and not issubclass(cls, tuple(BY_CLASS))
    ]
    assert {cls.__name__ for cls in leaks} <= {"InvalidURL", "CookieConflict", "ProtocolError"}


def test_every_error_that_can_be_raised_says_what_to_do() -> None:
    kinds = {*BY_CLASS.values(), *BY_CODE.values(), *BY_STATUS.values(), *WITHOUT_STATUS.values()}
    assert kinds <= WHAT.keys()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, "BadRequest"),
        (400, "content_filter", "Refused"),
        (400, "invalid_prompt", "Refused"),
        (401, "invalid_api_key", "AuthenticationFailed"),
        (403, "unsupported_country_region_territory", "PermissionDenied"),
        (403, "model_not_found", "ModelNotFound"),
        (404, "model_not_found", "ModelNotFound"),
        (408, None, "TimedOut"),
        (409, None, "ProviderUnavailable"),
        (413, None, "ContextTooLong"),
        (418, None, "BadRequest"),
        (422, None, "BadRequest"),
        (429, "rate_limit_exceeded", "RateLimited"),
        (429, "insufficient_quota", "PermissionDenied"),
        (500, None, "ProviderUnavailable"),
        (502, None, "ProviderUnavailable"),
        (503, None, "Overloaded"),
        (504, None, "TimedOut"),
        (529, None, "Overloaded"),
    ],
)
async def test_a_status_becomes_the_error_a_caller_can_act_on(
    stream: bool, status: int, code: str | None, kind: str, server: WireServer, chat: OpenAIChat
) -> None:
    server.fail(status, code=code, message=f"you said {PROMPT!r} with {KEY}")
    error = await error_of(chat, stream=stream)
    assert type(error) is getattr(errors, kind)
    assert isinstance(error, ProviderError)
    assert (error.status, error.request_id, error.target) == (status, "req_1", "local:m")
    assert len(server.requests) == 1  # nothing is retried here


@pytest.mark.parametrize("name", TOO_LONG)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_recorded_too_long_reply_is_context_too_long(
    name: str, stream: bool, server: WireServer, chat: OpenAIChat
) -> None:
    status, body = TOO_LONG[name]
    server.body(json.dumps(body).encode(), status=status)
    assert type(await error_of(chat, stream=stream)) is errors.ContextTooLong


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b'"words"', b'{"detail": "no"}', b'{"error": null}', b"[]"]
)
async def test_an_error_without_an_error_object_goes_by_its_status(
    body: bytes, server: WireServer, chat: OpenAIChat
) -> None:
    server.fail(502, body=body)
    assert type(await error_of(chat)) is errors.ProviderUnavailable


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b'{"choices": [{"message": {"cont', "application/json"),
        (b"<html>Welcome to nginx</html>", "text/html"),
        (b"{}", "application/json"),
        (b'{"choices": []}', "application/json"),
        (b'{"choices": [{}]}', "application/json"),
        (b'{"choices": [{"message": "x"}]}', "application/json"),
        (b"null", "application/json"),
        (b"[1]", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 200_000, "application/json"),
    ],
)
async def test_a_body_that_breaks_the_protocol_is_a_bad_reply(
    stream: bool, body: bytes, content_type: str, server: WireServer, chat: OpenAIChat
) -> None:
    server.body(body, content_type=content_type)
    error = await error_of(chat, stream=stream)
    assert type(error) is errors.BadReply
    assert error.retryable


@pytest.mark.parametrize(
    "event",
    [
        b"data: {broken\n\n",
        b"data: 7\n\n",
        b"data: \xff\n\n",
        b'data: {"choices": [3]}\n\n',
        b"data: " + b"[" * 200_000 + b"\n\n",
    ],
)
async def test_a_chunk_that_breaks_the_protocol_is_a_bad_reply(
    event: bytes, server: WireServer, chat: OpenAIChat
) -> None:
    server.body(event, content_type="text/event-stream")
    assert type(await error_of(chat, stream=True)) is errors.BadReply


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": PROMPT, "type": "server_error", "code": None}, errors.ProviderUnavailable),
        ({"message": PROMPT, "type": "tokens", "code": "rate_limit_exceeded"}, errors.RateLimited),
        ({"message": PROMPT, "type": "BadRequestError", "code": 400}, errors.BadRequest),
        ({"message": PROMPT, "code": 503}, errors.Overloaded),
        ({"message": PROMPT, "code": "content_filter"}, errors.Refused),
        ({"message": PROMPT, "type": "exceed_context_size_error"}, errors.ContextTooLong),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_object_under_status_200_is_an_error(
    stream: bool, error: dict[str, Any], kind: type[ProviderError], server: WireServer, chat: OpenAIChat
) -> None:
    server.stream(["Hel"], error=error)
    assert type(await error_of(chat, stream=stream)) is kind


async def test_the_text_before_a_failure_in_a_stream_has_been_given(server: WireServer, chat: OpenAIChat) -> None:
    server.stream(["Hel"], end="reset")
    deltas = chat.call(Request("m", (say("user", "hi"),), stream=True))
    assert await anext(deltas) == TextDelta("Hel")
    with pytest.raises(errors.ConnectionFailed):
        await anext(deltas)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_connection_that_breaks_in_the_body_of_an_error_does_not_leak(
    stream: bool, server: WireServer, chat: OpenAIChat
) -> None:
    server.fail(500, end="reset")
    assert type(await error_of(chat, stream=stream)) is errors.ConnectionFailed


@pytest.mark.parametrize("stream", [False, True])
async def test_a_reset_is_a_failed_connection(stream: bool, server: WireServer, chat: OpenAIChat) -> None:
    server.reset()
    assert type(await error_of(chat, stream=stream)) is errors.ConnectionFailed


@pytest.mark.parametrize("stream", [False, True])
async def test_a_server_that_says_nothing_times_out(stream: bool, server: WireServer, chat: OpenAIChat) -> None:
    server.hang()
    assert type(await error_of(chat, stream=stream, timeout_s=0.1)) is errors.TimedOut


@pytest.mark.parametrize("stream", [False, True])
async def test_a_server_that_trickles_for_ever_times_out(stream: bool, server: WireServer, chat: OpenAIChat) -> None:
    server.drip()
    assert type(await error_of(chat, stream=stream, timeout_s=0.2)) is errors.TimedOut


@pytest.mark.parametrize("stream", [False, True])
async def test_a_server_that_stops_in_the_middle_times_out(stream: bool, server: WireServer, chat: OpenAIChat) -> None:
    server.stream(["a", "b"], end="hang")
    assert type(await error_of(chat, stream=stream, timeout_s=0.1)) is errors.TimedOut


async def test_nobody_listening_is_a_failed_connection() -> None:
    with WireServer() as server:
        url = server.url
    chat = OpenAIChat(Provider("local", "openai", url))
    error = await error_of(chat)
    await chat.close()
    assert type(error) is errors.ConnectionFailed
    assert "ClientConnectorError" in str(error)


async def test_no_key_for_the_vendor_is_said_before_any_network() -> None:
    chat = OpenAIChat(Provider("main", "openai", key_env="MY_KEY"))
    error = await error_of(chat)
    assert type(error) is errors.AuthenticationFailed
    assert "MY_KEY" in error.hint


@pytest.mark.parametrize("key", ["sk-with\nbreak", "sk with space", "clé", "sk-\x00"])
async def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(key: str) -> None:
    chat = OpenAIChat(Provider("main", "openai", "http://127.0.0.1:1/v1", Secret(key), "MY_KEY"))
    error = await error_of(chat)
    assert type(error) is errors.AuthenticationFailed
    assert key not in str(error)


async def test_a_line_break_after_the_key_does_no_harm(server: WireServer) -> None:
    chat = OpenAIChat(Provider("local", "openai", server.url, Secret("sk-1\n")))
    [delta async for delta in chat.call(Request("m", (say("user", "hi"),)))]
    await chat.close()
    assert server.requests[0].headers["authorization"] == "Bearer sk-1"


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://x/v1", "http://", "http://[bad/v1", "http://u:hunter2@x:99999/v1"]
)
def test_a_base_url_that_is_none_is_a_settings_error(url: str) -> None:
    with pytest.raises(errors.SettingsError, match="which is no web address") as raised:
        OpenAIChat(Provider("p", "openai", url))
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
async def test_a_request_that_json_cannot_hold_is_a_bad_request(
    number: float, server: WireServer, chat: OpenAIChat
) -> None:
    tool = Tool("f", "", {"default": number})
    assert type(await error_of(chat, tools=(tool,))) is errors.BadRequest
    assert server.requests == []


@pytest.mark.parametrize("code", [KEY, PROMPT, "x" * 5000, {"a": PROMPT}])
async def test_a_code_that_is_no_code_is_not_repeated(code: Any, server: WireServer, chat: OpenAIChat) -> None:
    server.fail(400, code=code, type=code, headers={"x-request-id": PROMPT})
    error = await error_of(chat)
    assert str(error).startswith("local:m: the request was refused (status 400);")


@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_that_a_server_asks_for_is_passed_on(status: int, server: WireServer, chat: OpenAIChat) -> None:
    server.fail(status, headers={"retry-after": "7"})
    error = await error_of(chat)
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 60.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
    ],
)
def test_a_wait_is_read_from_its_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_of(headers, now=40.0) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_the_reading_of_a_wait(value: str) -> None:
    wait = wait_of({"retry-after": value}, now=0.0)
    assert wait is None or wait >= 0


async def test_no_content_is_logged_at_info(
    server: WireServer, chat: OpenAIChat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.script(Answer(pieces=("the secret reply",))).fail(400, message=PROMPT)
    [delta async for delta in chat.call(Request("m", (say("user", PROMPT),)))]
    await error_of(chat)
    assert "HTTP Request" in caplog.text  # the transport does log, so this test can fail
    assert not any(secret in caplog.text for secret in (KEY, "Zanzibar", "secret reply"))
