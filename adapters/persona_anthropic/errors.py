"""What the SDK raises and what servers report, mapped to persona's errors: by class, and by type in a stream.

No message repeats the server's words, which may quote the prompt or the key: a status, a type and a request id say
what support needs. For the same reason the errors do not chain: the SDK puts those words into its own.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import anthropic
import anyio
import httpx2

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
    anthropic.AnthropicError: BadRequest,
    anthropic.APIError: ProviderUnavailable,
    anthropic.APIConnectionError: ConnectionFailed,
    anthropic.APITimeoutError: TimedOut,
    anthropic.APIResponseValidationError: BadReply,
    anthropic.APIWebhookValidationError: BadReply,
    anthropic.APIStatusError: BadRequest,  # any 4xx that has no class of its own
    anthropic.BadRequestError: BadRequest,
    anthropic.OrganizationOnHoldError: PermissionDenied,
    anthropic.AuthenticationError: AuthenticationFailed,
    anthropic.PaymentRequiredError: PermissionDenied,
    anthropic.PermissionDeniedError: PermissionDenied,
    anthropic.NotFoundError: ModelNotFound,
    anthropic.RequestTimeoutError: TimedOut,
    anthropic.ConflictError: ProviderUnavailable,  # a lock on their side; the SDK too would retry it
    anthropic.PreconditionFailedError: BadRequest,
    anthropic.ContentTooLargeError: ContextTooLong,  # a limit in bytes: send less
    anthropic.UnprocessableEntityError: BadRequest,
    anthropic.RateLimitError: RateLimited,
    anthropic.ContractSpendLimitReachedError: PermissionDenied,  # a 429 that no waiting mends
    anthropic.EnforcedSpendLimitReachedError: PermissionDenied,
    anthropic.RequestHeaderFieldsTooLargeError: BadRequest,
    anthropic.ClientClosedRequestError: ConnectionFailed,
    anthropic.InternalServerError: ProviderUnavailable,
    anthropic.HTTPNotImplementedError: BadRequest,
    anthropic.ServiceUnavailableError: Overloaded,
    anthropic.GatewayTimeoutError: TimedOut,
    anthropic.OverloadedError: Overloaded,
    anthropic.RetryableError: ProviderUnavailable,
    anthropic.CredentialsError: AuthenticationFailed,
    anthropic.IdentityTokenFileError: AuthenticationFailed,
    anthropic.WorkloadIdentityError: AuthenticationFailed,
    # these pass through the SDK while it reads the body of an error or of a stream
    httpx2.HTTPError: ConnectionFailed,
    httpx2.TimeoutException: TimedOut,
    httpx2.StreamError: ConnectionFailed,
    anyio.EndOfStream: ConnectionFailed,
    OSError: ConnectionFailed,
    TimeoutError: TimedOut,
}

# The `type` of an error object in a stream or in a body with status 200, where no status tells; Bedrock's in the end.
BY_TYPE: dict[str, Kind] = {
    "invalid_request_error": BadRequest,
    "authentication_error": AuthenticationFailed,
    "billing_error": PermissionDenied,
    "permission_error": PermissionDenied,
    "not_found_error": ModelNotFound,
    "request_too_large": ContextTooLong,
    "rate_limit_error": RateLimited,
    "timeout_error": TimedOut,
    "api_error": ProviderUnavailable,
    "overloaded_error": Overloaded,
    "throttlingexception": RateLimited,
    "validationexception": BadRequest,
    "modeltimeoutexception": TimedOut,
    "serviceunavailableexception": Overloaded,
}

# Bedrock's own status for a model that failed, which the SDK has no class for.
MODEL_FAILED = 424

# What is one of many under status 400 and has no code; tests hold a recorded reply of each.
TOO_LONG = re.compile(
    r"prompt is too long"  # the API, and Vertex
    r"|input length and `max_tokens` exceed context limit"  # the API, of models before Claude Sonnet 4.5
    r"|input is too long for requested model",  # Bedrock
    re.IGNORECASE,
)
NO_CREDIT = re.compile(r"credit balance is too low", re.IGNORECASE)

WHAT: dict[Kind, tuple[str, str]] = {
    AuthenticationFailed: ("the key was not accepted", "check the key of this provider"),
    PermissionDenied: ("the key may not do this", "check the account's access to the model, and its billing"),
    ModelNotFound: ("no such model, or no such path", "check the model id, and that base_url ends before /v1"),
    BadRequest: ("the request was refused", "look the type up in the provider's documentation"),
    ContextTooLong: ("more tokens than the model takes", "lower the route's window"),
    Refused: ("stopped by the provider's safety rules", "change what is asked"),
    RateLimited: ("too many requests or tokens", "wait, or ask the provider for a higher limit"),
    Overloaded: ("no capacity at the moment", "try again a little later"),
    ProviderUnavailable: ("an error on the provider's side", "try again a little later"),
    ConnectionFailed: ("not reached, or hung up", "check the network and the provider's base_url"),
    TimedOut: ("no complete answer in time", "try again, or allow more time"),
    BadReply: ("the answer is not what the protocol says", "check that base_url is the API's, and ends before /v1"),
}

_TYPE = re.compile(r"[a-zA-Z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Report:
    """What is known about a failure; `text` decides and is never shown."""

    kind: Kind
    types: tuple[str, ...] = ()
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
    known = [type for type in report.types if _TYPE.fullmatch(type)] + ([report.cause] if report.cause else [])
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
    kind = report.kind
    if report.status is None:
        kind = next((BY_TYPE[type.lower()] for type in report.types if type.lower() in BY_TYPE), kind)
    if kind is BadRequest and TOO_LONG.search(report.text):
        return ContextTooLong
    if kind is BadRequest and NO_CREDIT.search(report.text):
        return PermissionDenied
    return ProviderUnavailable if report.status == MODEL_FAILED else kind


def report_of(error: BaseException) -> Report:
    """What an exception of the SDK, or one that passed through it, says."""
    kind = next(BY_CLASS[cls] for cls in type(error).__mro__ if cls in BY_CLASS)
    if isinstance(error, anthropic.APIStatusError):
        return Report(
            kind if error.status_code >= 400 else ProviderUnavailable,  # an error in a stream has the stream's status
            _types(error.error_code, error.type),
            str(error.body)[:4000],
            error.status_code if error.status_code >= 400 else None,
            request_id_of(error.response.headers),
            retry_after(error.response.headers, time.time()),
        )
    cause = error.__cause__ if isinstance(error, anthropic.APIConnectionError) else None
    return Report(kind, cause=type(cause or error).__name__)


def report_in(body: object, request_id: str = "") -> Report | None:
    """The error that a body with status 200 holds, or None; in a stream the SDK raises it."""
    if not isinstance(body, Mapping) or not (error := body.get("error")):
        return None
    types = _types(error.get("type")) if isinstance(error, Mapping) else ()
    return Report(ProviderUnavailable, types, str(error)[:4000], request_id=request_id)


def request_id_of(headers: Mapping[str, str]) -> str:
    """What the vendor's support asks for, or the platform's: their headers have names of their own."""
    names = ("request-id", "x-amzn-requestid", "x-request-id")
    return next((headers[name] for name in names if name in headers), "")


def _types(*types: object) -> tuple[str, ...]:
    return tuple(type for type in types if isinstance(type, str) and type)
