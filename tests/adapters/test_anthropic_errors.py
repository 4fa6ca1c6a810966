"""What can go wrong with this vendor in particular, beside what the suite of all adapters says."""

import inspect
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic._error_classes import ERROR_CLASSES
from hypothesis import given
from hypothesis import strategies as st
from persona_anthropic.chat import AnthropicChat
from persona_anthropic.errors import BY_CLASS, BY_TYPE, WHAT, retry_after
from wire import WireServer
from wires.anthropic import MESSAGES

from persona import errors
from persona.adapter import Provider, Secret
from persona.errors import ProviderError
from persona.values.message import say
from persona.values.request import Request

REFUSED = json.loads((Path(__file__).parent / "recorded/anthropic_refused.json").read_text(encoding="utf-8"))


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer(MESSAGES) as server:
        yield server


@pytest.fixture
async def chat(server: WireServer) -> AsyncIterator[AnthropicChat]:
    chat = AnthropicChat(Provider("local", "anthropic", server.origin, Secret("sk-test"), "ANTHROPIC_API_KEY"))
    yield chat
    await chat.close()


async def error_of(chat: AnthropicChat, *, stream: bool = False) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        [delta async for delta in chat.call(Request("m", (say("user", "hi"),), stream=stream, timeout_s=10.0))]
    return caught.value


def test_every_exception_class_of_the_sdk_is_mapped() -> None:
    members = inspect.getmembers(anthropic, inspect.isclass)
    classes = {cls for name, cls in members if issubclass(cls, anthropic.AnthropicError) and name[0] != "_"}
    assert len(classes) > 30
    # those that only name the cause of a status go with the status
    causes = {cls for (_, code), cls in ERROR_CLASSES.items() if code}
    assert classes - causes <= BY_CLASS.keys()


def test_every_request_error_of_the_transport_is_caught() -> None:
    leaks = [
        cls
        for _, cls in inspect.getmembers(httpx2, inspect.isclass)
        if issubclass(cls, Exception) and not issubclass(cls, tuple(BY_CLASS))
    ]
    assert {cls.__name__ for cls in leaks} <= {"InvalidURL", "CookieConflict", "ProtocolError"}


def test_every_error_that_can_be_raised_says_what_to_do() -> None:
    assert {*BY_CLASS.values(), *BY_TYPE.values()} <= WHAT.keys()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", REFUSED)
async def test_a_recorded_refusal_is_known_by_its_words(
    name: str, stream: bool, server: WireServer, chat: AnthropicChat
) -> None:
    kind, status, body = REFUSED[name]
    server.body(json.dumps(body).encode(), status=status)
    assert type(await error_of(chat, stream=stream)).__name__ == kind


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (402, "", "PermissionDenied"),
        (408, "", "TimedOut"),
        (409, "", "ProviderUnavailable"),
        (418, "", "BadRequest"),
        (429, "enforced_spend_limit_reached", "PermissionDenied"),
        (429, "ramp_limit_exceeded", "RateLimited"),
        (400, "organization_on_hold", "PermissionDenied"),
        (503, "", "Overloaded"),
        (599, "", "ProviderUnavailable"),
    ],
)
async def test_a_status_and_its_cause_become_the_error_a_caller_can_act_on(
    status: int, code: str, kind: str, server: WireServer, chat: AnthropicChat
) -> None:
    error = {"type": "some_error", "message": "words", "details": {"error_code": code}}
    server.fail(status, body=json.dumps({"type": "error", "error": error}).encode())
    raised = await error_of(chat)
    assert type(raised) is getattr(errors, kind)
    assert raised.status == status
    assert code in str(raised)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("invalid_request_error", errors.BadRequest),
        ("rate_limit_error", errors.RateLimited),
        ("api_error", errors.ProviderUnavailable),
        ("timeout_error", errors.TimedOut),
        ("billing_error", errors.PermissionDenied),
        ("of_tomorrow", errors.ProviderUnavailable),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_under_status_200_goes_by_its_type(
    stream: bool, kind: str, error: type[ProviderError], server: WireServer, chat: AnthropicChat
) -> None:
    server.stream(["Hel"], error={"type": kind, "message": "words"})
    raised = await error_of(chat, stream=stream)
    assert type(raised) is error
    assert raised.request_id == "req_1"


async def test_a_prompt_that_is_too_long_is_known_in_a_stream_too(server: WireServer, chat: AnthropicChat) -> None:
    server.stream([], error={"type": "invalid_request_error", "message": "prompt is too long: 3 tokens > 2 maximum"})
    assert type(await error_of(chat, stream=True)) is errors.ContextTooLong


@pytest.mark.parametrize("type_", ["my prompt about Zanzibar", "x" * 5000, {"a": "Zanzibar"}, 7])
async def test_a_type_that_is_none_is_not_repeated(type_: Any, server: WireServer, chat: AnthropicChat) -> None:
    server.fail(400, type=type_, headers={"request-id": "Zanzibar again"})
    assert str(await error_of(chat)).startswith("local:m: the request was refused (status 400);")


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b'"words"', b'{"detail": "no"}', b"[]"])
async def test_an_error_without_an_error_object_goes_by_its_status(
    body: bytes, server: WireServer, chat: AnthropicChat
) -> None:
    server.fail(502, body=body)
    assert type(await error_of(chat)) is errors.ProviderUnavailable


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("", None),
        ("1.5", 1.5),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 60.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_a_wait_is_read_from_its_header(asked: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": asked}, now=40.0) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_the_reading_of_a_wait(value: str) -> None:
    wait = retry_after({"retry-after": value}, now=0.0)
    assert wait is None or wait >= 0
