"""What can go wrong with Google, and what it is called: every failure is an error of persona, and quotes nobody."""

import inspect
import json
import traceback
from collections.abc import AsyncIterator, Iterator
from typing import Any

import google.auth.exceptions
import httpx2
import pytest
from google.genai import errors as genai
from hypothesis import given
from hypothesis import strategies as st
from persona_google.chat import GoogleChat
from persona_google.errors import BY_CLASS, BY_CODE, BY_FINISH, BY_STATUS, WHAT, report_in, retry_after
from wire import WireServer
from wires.google import GOOGLE

from persona import errors
from persona.adapter import Provider, Secret
from persona.errors import PersonaError, ProviderError
from persona.values.message import say
from persona.values.request import Request

KEY = "AIzaVerySecret123"
PROMPT = "my prompt about Zanzibar"
TYPE = "type.googleapis.com/google.rpc."
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer(GOOGLE) as server:
        yield server


@pytest.fixture
async def chat(server: WireServer) -> AsyncIterator[GoogleChat]:
    chat = GoogleChat(Provider("local", "google", server.origin, Secret(KEY), "GOOGLE_API_KEY"))
    yield chat
    await chat.close()


async def error_of(chat: GoogleChat, *, stream: bool = False) -> PersonaError:
    request = Request("m", (say("user", PROMPT),), stream=stream, timeout_s=10.0)
    with pytest.raises(PersonaError) as caught:
        [delta async for delta in chat.call(request)]
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value)) + repr(vars(chat))
    assert KEY not in shown
    assert "Zanzibar" not in shown
    return caught.value


def error_object(code: int, status: str = "", *details: Any, message: str = PROMPT) -> bytes:
    error = {"code": code, "message": f"{message} {KEY}", "status": status, "details": list(details)}
    return json.dumps({"error": error}).encode()


def exceptions_in(module: Any) -> set[type[Exception]]:
    found = (cls for name, cls in inspect.getmembers(module, inspect.isclass) if name[0] != "_")
    return {cls for cls in found if issubclass(cls, Exception) and cls.__module__ == module.__name__}


def test_every_exception_class_of_the_sdk_is_in_the_table() -> None:
    classes = exceptions_in(genai)
    assert len(classes) > 5
    assert classes <= BY_CLASS.keys()


def test_every_exception_class_of_the_credentials_library_is_caught() -> None:
    classes = exceptions_in(google.auth.exceptions)
    assert len(classes) > 10
    assert all(issubclass(cls, tuple(BY_CLASS)) for cls in classes)


def test_every_request_error_of_the_transport_is_caught() -> None:
    members = (cls for _, cls in inspect.getmembers(httpx2, inspect.isclass) if issubclass(cls, Exception))
    leaks = {cls.__name__ for cls in members if not issubclass(cls, tuple(BY_CLASS))}
    assert leaks <= {"InvalidURL", "CookieConflict", "ProtocolError"}


def test_every_error_that_can_be_raised_says_what_to_do() -> None:
    kinds = {*BY_CLASS.values(), *BY_CODE.values(), *BY_STATUS.values(), *BY_FINISH.values()}
    assert kinds <= WHAT.keys()


@both
@pytest.mark.parametrize(
    ("status", "name", "reason", "kind"),
    [
        (400, "INVALID_ARGUMENT", "", "BadRequest"),
        (400, "INVALID_ARGUMENT", "API_KEY_INVALID", "AuthenticationFailed"),
        (400, "FAILED_PRECONDITION", "", "PermissionDenied"),
        (401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", "AuthenticationFailed"),
        (403, "PERMISSION_DENIED", "SERVICE_DISABLED", "PermissionDenied"),
        (404, "NOT_FOUND", "", "ModelNotFound"),
        (408, "", "", "TimedOut"),
        (409, "ABORTED", "", "ProviderUnavailable"),
        (418, "", "", "BadRequest"),
        (429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", "RateLimited"),
        (429, "RESOURCE_EXHAUSTED", "BILLING_DISABLED", "PermissionDenied"),
        (499, "CANCELLED", "", "ConnectionFailed"),
        (500, "INTERNAL", "", "ProviderUnavailable"),
        (502, "", "", "ProviderUnavailable"),
        (529, "", "", "Overloaded"),
    ],
)
async def test_a_status_and_its_reason_become_the_error_a_caller_can_act_on(
    status: int, name: str, reason: str, kind: str, stream: bool, server: WireServer, chat: GoogleChat
) -> None:
    details = [{"@type": f"{TYPE}ErrorInfo", "reason": reason}] if reason else []
    server.fail(status, body=error_object(status, name, *details))
    error = await error_of(chat, stream=stream)
    assert isinstance(error, ProviderError)
    assert type(error) is getattr(errors, kind)
    assert error.status == status
    assert all(code in str(error) for code in (name, reason))


@both
@pytest.mark.parametrize(
    "words",
    [
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Unable to submit request because the input token count is 33150 but model only supports up to 32768.",
        "The input token count exceeds the maximum number of tokens allowed 1048576.",
    ],
)
async def test_a_count_above_the_models_limit_is_context_too_long(
    words: str, stream: bool, server: WireServer, chat: GoogleChat
) -> None:
    server.fail(400, body=error_object(400, "INVALID_ARGUMENT", message=words))
    assert type(await error_of(chat, stream=stream)) is errors.ContextTooLong


@both
@pytest.mark.parametrize(("delay", "seconds"), [("34s", 34.0), ("1.5s", 1.5), ("0s", 0.0), ("soon", 9.0), (7, 9.0)])
async def test_the_wait_in_the_details_comes_before_the_header(
    delay: Any, seconds: float, stream: bool, server: WireServer, chat: GoogleChat
) -> None:
    body = error_object(429, "RESOURCE_EXHAUSTED", {"@type": f"{TYPE}RetryInfo", "retryDelay": delay})
    server.fail(429, body=body, headers={"retry-after": "9"})
    error = await error_of(chat, stream=stream)
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after_s == seconds


@both
async def test_the_id_of_a_request_is_found_in_the_details(stream: bool, server: WireServer, chat: GoogleChat) -> None:
    server.fail(500, body=error_object(500, "INTERNAL", {"@type": f"{TYPE}RequestInfo", "requestId": "abc-1"}))
    error = await error_of(chat, stream=stream)
    assert isinstance(error, ProviderError)
    assert error.request_id == "abc-1"
    assert "request abc-1" in str(error)


@both
@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b'"words"', b'{"detail": "no"}', b'{"error": null}', b"[]", b"[1, 2]"]
)
async def test_an_error_without_an_error_object_goes_by_its_status(
    body: bytes, stream: bool, server: WireServer, chat: GoogleChat
) -> None:
    server.fail(502, body=body)
    assert type(await error_of(chat, stream=stream)) is errors.ProviderUnavailable


@both
async def test_a_redirect_is_not_followed_with_the_key(stream: bool, server: WireServer, chat: GoogleChat) -> None:
    server.fail(302, body=b"", headers={"location": f"{server.origin}/elsewhere"})
    assert type(await error_of(chat, stream=stream)) is errors.BadReply
    assert len(server.requests) == 1


@both
@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [(429, "RESOURCE_EXHAUSTED", "RateLimited"), (503, "UNAVAILABLE", "Overloaded"), (400, "", "BadRequest")],
)
async def test_an_error_object_under_status_200_is_an_error(
    code: int, name: str, kind: str, stream: bool, server: WireServer, chat: GoogleChat
) -> None:
    details = [{"@type": f"{TYPE}RetryInfo", "retryDelay": "3s"}]
    server.stream(["Hel"], error={"code": code, "status": name, "message": PROMPT, "details": details})
    error = await error_of(chat, stream=stream)
    assert isinstance(error, ProviderError)
    assert (type(error), error.status) == (getattr(errors, kind), None)
    assert getattr(error, "retry_after_s", 3.0) == 3.0


@pytest.mark.parametrize(
    "event",
    [
        b"data: {broken",
        b"data: 7",
        b"data: \xff",
        b'data: {"candidates": [3]}',
        b'data: {"candidates": 3}',
        b'data: {"error": {}}',
        b'data: {"error": {"code": "x"}}',
        b"data: {}",
        b"data: " + b"[" * 200_000,
    ],
)
async def test_a_chunk_that_breaks_the_protocol_is_a_bad_reply(
    event: bytes, server: WireServer, chat: GoogleChat
) -> None:
    server.body(event + b"\r\n\r\n", content_type="text/event-stream")
    assert type(await error_of(chat, stream=True)) is errors.BadReply


@pytest.mark.parametrize("code", [KEY, PROMPT, "x" * 5000, {"a": PROMPT}, ["BILLING_DISABLED"]])
async def test_a_code_that_is_no_code_is_not_repeated(code: Any, server: WireServer, chat: GoogleChat) -> None:
    info = {"@type": f"{TYPE}ErrorInfo", "reason": code, "requestId": PROMPT}
    server.fail(400, body=json.dumps({"error": {"code": 400, "status": code, "details": [info]}}).encode())
    assert str(await error_of(chat)).startswith("local:m: the request was refused (status 400);")


async def test_a_line_break_after_the_key_does_no_harm(server: WireServer) -> None:
    chat = GoogleChat(Provider("local", "google", server.origin, Secret("k1\n")))
    [delta async for delta in chat.call(Request("m", (say("user", "hi"),)))]
    await chat.close()
    assert server.requests[0].headers["x-goog-api-key"] == "k1"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 60.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_a_wait_is_read_from_its_header(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=40.0) == seconds


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "code", "details", "reason", "retryDelay", "status"]), inner)
    ),
    max_leaves=12,
)


@given(anything, st.text(max_size=20))
def test_nothing_that_a_server_says_breaks_the_reading_of_an_error(body: object, value: str) -> None:
    report = report_in({"error": body})
    assert report is None or report.retry_after_s is None or report.retry_after_s >= 0
    wait = retry_after({"retry-after": value}, now=0.0)
    assert wait is None or wait >= 0
