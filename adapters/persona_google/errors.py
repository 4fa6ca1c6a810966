"""What the SDK raises and what servers report, mapped to persona's errors: by class, status, code and stop reason.

No message repeats the server's words, which may quote the prompt or the key: a status and a code say what support
needs. For the same reason the errors do not chain: the SDK puts those words into its own.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import anyio
import google.auth.exceptions as auth
import httpx2
from google.genai import errors as genai

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
    TimedOut,
)

Kind = type[ProviderError]

BY_CLASS: dict[type[BaseException], Kind] = {
    genai.APIError: BadReply,  # neither 200, 4xx nor 5xx: a redirect, an empty answer
    genai.ClientError: BadRequest,  # any 4xx that has no line below
    genai.ServerError: ProviderUnavailable,
    genai.UnknownApiResponseError: BadReply,
    genai.UnknownFunctionCallArgumentError: BadReply,
    genai.UnsupportedFunctionError: BadRequest,
    genai.FunctionInvocationError: BadRequest,
    genai.ContinuationInterruptedError: BadReply,
    # the credentials of Vertex
    auth.GoogleAuthError: AuthenticationFailed,
    auth.TransportError: ConnectionFailed,
    auth.TimeoutError: TimedOut,
    # the SDK lets these through
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
    409: ProviderUnavailable,  # ABORTED: a lock on their side
    413: ContextTooLong,  # a limit in bytes: send less
    429: RateLimited,
    499: ConnectionFailed,  # CANCELLED
    503: Overloaded,
    504: TimedOut,
    529: Overloaded,
}

# The `reason` or `status` of an error object, where it says more than the status code.
BY_CODE: dict[str, Kind] = {
    "API_KEY_INVALID": AuthenticationFailed,  # with status 400; an expired key too
    "BILLING_DISABLED": PermissionDenied,
    "FAILED_PRECONDITION": PermissionDenied,  # with status 400: no free tier in this country, or no billing
}

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What the SDK raises over an answer that is something else than the protocol."""

# Stop reasons under which there is no reply to read.
BY_FINISH: dict[str, Kind] = {
    "MALFORMED_FUNCTION_CALL": BadReply,
    "MALFORMED_RESPONSE": BadReply,
    "UNEXPECTED_TOOL_CALL": BadReply,
    "TOO_MANY_TOOL_CALLS": BadReply,
    "MISSING_THOUGHT_SIGNATURE": BadRequest,
    "PUP_LIMITED_DISABLED": PermissionDenied,  # the account is limited, for what it was used for
}

TOO_LONG = re.compile(
    r"input token count"  # "… (1200000) exceeds the maximum number of tokens allowed (1048576)"; "… is 33150 but"
    r"|maximum number of tokens allowed"
)

WHAT: dict[Kind, tuple[str, str]] = {
    AuthenticationFailed: ("the key or the credentials were not accepted", "check the key of this provider"),
    PermissionDenied: ("this is not permitted", "check the account's billing, country and access to the model"),
    ModelNotFound: ("no such model, or no such path", "check the model id, the location and the provider's base_url"),
    BadRequest: ("the request was refused", "look the code up in the provider's documentation"),
    ContextTooLong: ("more tokens than the model takes", "lower the route's window"),
    RateLimited: ("too many requests or tokens", "wait, or ask the provider for a higher limit"),
    Overloaded: ("no capacity at the moment", "try again a little later"),
    ProviderUnavailable: ("an error on the provider's side", "try again a little later"),
    ConnectionFailed: ("not reached, or hung up", "check the network and the provider's base_url"),
    TimedOut: ("no complete answer in time", "try again, or allow more time"),
    BadReply: ("the answer is not what the protocol says", "try again; check that base_url is the API's, unversioned"),
}

_CODE = re.compile(r"[a-zA-Z_]{1,64}")
_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


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
    answered: bool = False  # with status 200, before or beside the error object: `status` is what that one says


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
    if kind is AuthenticationFailed and provider.options and not provider.key:
        hint = "check the credentials of this machine: `gcloud auth application-default login`, or a service account"
    elif kind is AuthenticationFailed and provider.key_env:
        hint = f"check the key in {provider.key_env}"
    known = [code for code in report.codes if _CODE.fullmatch(code)] + ([report.cause] if report.cause else [])
    return refused(
        kind,
        f"{provider.name}:{model}",
        what,
        hint,
        status=None if report.answered else report.status,
        known=known,
        request_id=report.request_id,
        retry_after_s=report.retry_after_s,
    )


def kind_of(report: Report) -> Kind:
    """Which of persona's errors a report is."""
    for code in report.codes:
        if code in BY_CODE:
            return BY_CODE[code]
    if report.status in (None, 400, 422) and TOO_LONG.search(report.text):
        return ContextTooLong
    return BY_STATUS.get(report.status, report.otherwise) if report.status else report.otherwise


def report_of(error: BaseException) -> Report:
    """What an exception of the SDK, or one that passed through it, says."""
    otherwise = next(BY_CLASS[cls] for cls in type(error).__mro__ if cls in BY_CLASS)
    if not isinstance(error, genai.APIError):
        return Report(otherwise, cause=type(error).__name__)
    found = report_in(error.details) or Report(otherwise, text=str(error.message)[:4000])  # a proxy's page has none
    if not isinstance(error.response, httpx2.Response):  # the SDK's own, of a stream that had begun
        return replace(found, otherwise=otherwise)
    headers = error.response.headers
    wait = retry_after(headers, time.time()) if found.retry_after_s is None else found.retry_after_s
    return replace(
        found,
        otherwise=otherwise,
        status=error.response.status_code,
        request_id=found.request_id or headers.get("x-request-id", ""),
        retry_after_s=wait,
        answered=False,
    )


def report_in(body: object) -> Report | None:
    """The error object that a body or a chunk with status 200 holds, or None."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    details = [one for one in _listed(error.get("details")) if isinstance(one, Mapping)]
    codes = [*(one.get("reason") for one in details), error.get("status")]
    status = error.get("code")
    return Report(
        ProviderUnavailable,
        tuple(code for code in codes if isinstance(code, str) and code),
        str(error.get("message"))[:4000],
        status if isinstance(status, int) else None,
        next((id for one in details if isinstance(id := one.get("requestId"), str)), ""),
        next((wait for one in details if (wait := _delay(one.get("retryDelay"))) is not None), None),
        answered=True,
    )


def _delay(written: object) -> float | None:
    """Seconds as protocol buffers write a duration: "34s", "1.5s"."""
    found = _DELAY.fullmatch(written) if isinstance(written, str) else None
    return float(found[1]) if found else None


def _listed(value: object) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
