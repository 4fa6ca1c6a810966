"""What the SDK raises and what servers report, mapped to persona's errors: by class, status and code.

No message repeats the server's words, which may quote the prompt or the key: a status, a code and a request
id say what support needs. For the same reason the errors do not chain: the SDK puts those words into its own.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite

import aiohttp
import anyio
import httpx2
import openai

from persona.adapter import Provider, retry_after
from persona.adapter import failure as refused
from persona.errors import (
    AuthenticationFailed,
    BadReply,
    BadRequest,
    ConnectionFailed,
    ContextTooLong,
    ModelNotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    Refused,
    TimedOut,
)

Kind = type[ProviderError]

BY_CLASS: dict[type[BaseException], Kind] = {
    openai.OpenAIError: BadRequest,
    openai.APIError: ProviderUnavailable,  # an error object in the middle of a stream
    openai.APIConnectionError: ConnectionFailed,
    openai.APITimeoutError: TimedOut,
    openai.APIResponseValidationError: BadReply,
    openai.APIStatusError: BadRequest,  # any 4xx that has no class of its own
    openai.BadRequestError: BadRequest,
    openai.AuthenticationError: AuthenticationFailed,
    openai.OAuthError: AuthenticationFailed,
    openai.PermissionDeniedError: PermissionDenied,
    openai.NotFoundError: ModelNotFound,
    openai.ConflictError: ProviderUnavailable,  # a lock on their side; the SDK too would retry it
    openai.UnprocessableEntityError: BadRequest,
    openai.RateLimitError: RateLimited,
    openai.InternalServerError: ProviderUnavailable,
    openai.LengthFinishReasonError: BadReply,
    openai.ContentFilterFinishReasonError: Refused,
    openai.WebSocketConnectionClosedError: ConnectionFailed,
    openai.WebSocketQueueFullError: ConnectionFailed,
    # these pass through the SDK while it reads the body of an error or of a stream
    httpx2.HTTPError: ConnectionFailed,
    httpx2.TimeoutException: TimedOut,
    httpx2.StreamError: ConnectionFailed,
    anyio.EndOfStream: ConnectionFailed,
    OSError: ConnectionFailed,
    TimeoutError: TimedOut,
}

BY_STATUS: dict[int, Kind] = {
    400: BadRequest,
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: ModelNotFound,
    408: TimedOut,
    413: ContextTooLong,  # a proxy's limit in bytes, or Groq's in tokens: either way, send less
    422: BadRequest,
    429: RateLimited,
    503: Overloaded,
    504: TimedOut,
    529: Overloaded,
}

# The `code` or `type` of an error object, where it says more than the status.
BY_CODE: dict[str, Kind] = {
    "context_length_exceeded": ContextTooLong,
    "string_above_max_length": ContextTooLong,
    "exceed_context_size_error": ContextTooLong,  # llama.cpp
    "insufficient_quota": PermissionDenied,
    "billing_hard_limit_reached": PermissionDenied,
    "billing_not_active": PermissionDenied,
    "invalid_api_key": AuthenticationFailed,
    "model_not_found": ModelNotFound,
    "content_filter": Refused,
    "content_policy_violation": Refused,
    "invalid_prompt": Refused,
}

# The same, where there is no status: an error object in the middle of a stream or in a body with status 200.
WITHOUT_STATUS: dict[str, Kind] = {
    "rate_limit_exceeded": RateLimited,
    "server_overloaded": Overloaded,
    "overloaded_error": Overloaded,
    "slow_down": Overloaded,
    "timeout": TimedOut,
    "invalid_request_error": BadRequest,
    "badrequesterror": BadRequest,  # vLLM
}

# Compatible servers that give no code of their own; tests hold a recorded reply of each.
TOO_LONG = re.compile(
    r"maximum context length"  # vLLM, SGLang, DeepSeek, OpenRouter
    r"|maximum model length"  # vLLM, since its V1 engine
    r"|longer than the model's context length"  # SGLang
    r"|available context size"  # llama.cpp
    r"|exceed context window"  # llama-cpp-python
    r"|context length of only"  # LM Studio
    r"|`inputs` tokens \+ `max_new_tokens` must be"  # text-generation-inference
)

WHAT: dict[Kind, tuple[str, str]] = {
    AuthenticationFailed: ("the key was not accepted", "check the key of this provider"),
    PermissionDenied: ("the key may not do this", "check the account's access to the model"),
    ModelNotFound: ("no such model, or no such path", "check the model id and the provider's base_url"),
    BadRequest: ("the request was refused", "look the code up in the provider's documentation"),
    ContextTooLong: ("more tokens than the model takes", "lower the route's window"),
    Refused: ("stopped by the provider's safety rules", "change what is asked"),
    RateLimited: ("too many requests or tokens", "wait, or ask the provider for a higher limit"),
    Overloaded: ("no capacity at the moment", "try again a little later"),
    ProviderUnavailable: ("an error on the provider's side", "try again a little later"),
    ConnectionFailed: ("not reached, or hung up", "check the network and the provider's base_url"),
    TimedOut: ("no complete answer in time", "try again, or allow more time"),
    BadReply: ("the answer is not what the protocol says", "check that base_url is the API's, usually …/v1"),
}

BILLING = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_CODE = re.compile(r"[a-zA-Z_]{1,64}|\d{3}")


@dataclass(frozen=True, slots=True)
class Report:
    """What is known about a failure: `otherwise` is its kind when nothing else tells; never show `text`."""

    otherwise: Kind
    codes: tuple[str, ...] = ()
    text: str = ""
    status: int | None = None
    request_id: str = ""
    retry_after_s: float | None = None
    cause: str = ""


@contextmanager
def translated(provider: Provider, model: str) -> Iterator[None]:
    """Whatever the SDK raises inside leaves as an error of persona."""
    try:
        yield
    except tuple(BY_CLASS) as error:
        raise failure(report_of(error), provider, model) from None


def failure(report: Report, provider: Provider, model: str) -> ProviderError:
    """The error to raise for a report."""
    kind = kind_of(report)
    what, hint = WHAT[kind]
    if kind is AuthenticationFailed and provider.key_env:
        hint = f"check the key in {provider.key_env}"
    if BILLING.intersection(report.codes):
        hint = "the account has no quota or credit left: check its billing"
    known = [code for code in report.codes if _CODE.fullmatch(code) and code != str(report.status)]
    known += [report.cause] if report.cause else []
    return refused(
        kind,
        f"{provider.name}:{model}",
        what,
        hint,
        status=report.status,
        known=known,
        request_id=report.request_id,
        retry_after_s=report.retry_after_s,
    )


def kind_of(report: Report) -> Kind:
    """Which of persona's errors a report is."""
    for code in report.codes:
        if code in BY_CODE:
            return BY_CODE[code]
    status = report.status or next((int(code) for code in report.codes if code.isdecimal()), None)
    if status in (None, 400, 422) and TOO_LONG.search(report.text):
        return ContextTooLong
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status is None:
        return next((WITHOUT_STATUS[c.lower()] for c in report.codes if c.lower() in WITHOUT_STATUS), report.otherwise)
    return report.otherwise


def report_of(error: BaseException) -> Report:
    """What an exception of the SDK, or one that passed through it, says."""
    otherwise = next(BY_CLASS[cls] for cls in type(error).__mro__ if cls in BY_CLASS)
    if isinstance(error, openai.APIStatusError):
        return Report(
            otherwise,
            _codes(error.code, error.type),
            str(error.body)[:4000],
            error.status_code,
            request_id_of(error.response.headers),
            wait_of(error.response.headers, time.time()),
        )
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
        failed = _failed_connection(error)
        told = error.__cause__ if isinstance(error, openai.APIConnectionError) else None
        return Report(ConnectionFailed if failed else otherwise, cause=type(failed or told or error).__name__)
    if isinstance(error, openai.APIError):
        return Report(otherwise, _codes(error.code, error.type), str(error.body)[:4000])
    return Report(otherwise, cause=type(error).__name__)


def report_in(body: object, request_id: str = "") -> Report | None:
    """The error that a body with status 200 or a chunk of a stream holds, or None."""
    if not isinstance(body, Mapping):
        return None
    error = body.get("error") or (body if body.get("object") == "error" else None)
    if not error:
        return None
    codes = _codes(error.get("code"), error.get("type")) if isinstance(error, Mapping) else ()
    return Report(ProviderUnavailable, codes, str(error)[:4000], request_id=request_id)


def request_id_of(headers: Mapping[str, str]) -> str:
    """What support asks for; Azure's gateway has a header of its own, and no other where it refuses by itself."""
    return headers.get("x-request-id") or headers.get("apim-request-id") or ""


def wait_of(headers: Mapping[str, str], now: float) -> float | None:
    """The wait a server asks for, in seconds: `retry-after-ms`, or `retry-after` as number or HTTP date."""
    try:
        seconds = float(headers.get("retry-after-ms", "")) * 0.001
    except ValueError:
        return retry_after(headers, now)
    return seconds if isfinite(seconds) and seconds >= 0 else None


def _failed_connection(error: BaseException | None) -> BaseException | None:
    """The failure of a connection behind the error, or None: the SDK's transport calls some of them time-outs."""
    while error is not None and not isinstance(error, aiohttp.ClientConnectionError):
        error = error.__cause__
    return None if isinstance(error, TimeoutError) else error


def _codes(*codes: object) -> tuple[str, ...]:
    return tuple(str(code) for code in codes if isinstance(code, str | int) and code != "")
