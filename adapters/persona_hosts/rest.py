"""Calls of a REST API, and what its refusals mean: by status, by code, by class.

No message repeats the server's words, which may quote what was sent: a status, a code and a request id say what support
needs.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from ssl import SSLContext
from typing import Any

import httpx2

from persona.adapter import Provider, failure, retry_after
from persona.errors import (
    AuthenticationFailed,
    BadReply,
    BadRequest,
    ConnectionFailed,
    InvalidInput,
    ModelNotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    TimedOut,
)

Json = dict[str, Any]
Kind = type[ProviderError]

_FIRST_WAIT_S, _LONGEST_WAIT_S, _FILE_TIMEOUT_S = 0.05, 5.0, 1_800.0

BY_STATUS: dict[int, Kind] = {
    401: AuthenticationFailed,
    402: PermissionDenied,
    403: PermissionDenied,
    404: ModelNotFound,
    408: TimedOut,
    412: PermissionDenied,  # Fireworks: the account is suspended, or a quota is used up
    429: RateLimited,
    503: Overloaded,
    504: TimedOut,
}
BY_CLASS: dict[type[Exception], Kind] = {
    httpx2.TimeoutException: TimedOut,
    httpx2.HTTPError: ConnectionFailed,
    httpx2.InvalidURL: ConnectionFailed,
}
WHAT: dict[Kind, tuple[str, str]] = {
    AuthenticationFailed: ("the key was not accepted", "check the key of this provider"),
    PermissionDenied: ("the account may not do this", "check its credit, its quotas and what the key may do"),
    ModelNotFound: ("no such thing", "check the model's name, and the provider's base_url and options"),
    BadRequest: ("the request was refused", "look the code up in the provider's documentation"),
    RateLimited: ("too many requests, or a quota is used up", "wait, or ask the provider for a higher limit"),
    Overloaded: ("no capacity at the moment", "try again a little later"),
    ProviderUnavailable: ("an error on the provider's side", "try again a little later"),
    ConnectionFailed: ("not reached, or hung up", "check the network and the provider's base_url"),
    TimedOut: ("no complete answer in time", "try again a little later"),
    BadReply: ("the answer is not what the documentation says", "check the provider's base_url"),
}

CONFLICT = 409
_TIMEOUT_S, _UPLOAD_TIMEOUT_S = 60.0, 1_800.0
_CODE = re.compile(r"[a-zA-Z_]{1,64}|\d{1,3}")


class Rest:
    """One provider's API, with its key."""

    def __init__(self, provider: Provider, default_url: str) -> None:
        self._provider = provider
        self._base = (provider.base_url or default_url).rstrip("/")
        self._key = _key(provider)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """The JSON object at a path."""
        return await self._call("GET", path, params=query)

    async def found(self, path: str) -> Json | None:
        """The JSON object at a path, or None where there is nothing."""
        try:
            return await self.get(path)
        except ModelNotFound:
            return None

    async def post(self, path: str, body: Mapping[str, Any], query: Mapping[str, str] | None = None) -> Json:
        """Sends a JSON object."""
        return await self._call("POST", path, json=body, params=query)

    async def upload(self, path: str, file: Path, name: str, fields: Mapping[str, str]) -> Json:
        """Sends a file as a form, piece by piece, with the form's other fields. Raises InvalidInput for no file."""
        try:
            with file.open("rb") as content:
                form = {"file": (name, content, "application/octet-stream")}
                return await self._call("POST", path, data=dict(fields), files=form)
        except OSError as error:
            raise InvalidInput(f"cannot read {str(file)!r}: {error.strerror}", hint="bring it back") from error

    async def delete(self, path: str, query: Mapping[str, str] | None = None) -> bool:
        """Removes what is at a path; False when there was nothing."""
        try:
            await self._call("DELETE", path, params=query)
        except ModelNotFound:
            return False
        return True

    async def _call(self, method: str, path: str, **sent: Any) -> Json:
        limit_s = _UPLOAD_TIMEOUT_S if "files" in sent else _TIMEOUT_S
        timeout = httpx2.Timeout(limit_s, connect=min(limit_s, self._provider.connect_timeout_s))
        headers = {"authorization": f"Bearer {self._key}"}
        try:
            async with httpx2.AsyncClient(timeout=timeout, verify=_certificates()) as client:
                response = await client.request(method, f"{self._base}{path}", headers=headers, **sent)
        except tuple(BY_CLASS) as error:
            kind = next(BY_CLASS[cls] for cls in type(error).__mro__ if cls in BY_CLASS)
            raise self._error(kind, path, known=(type(error).__name__,)) from None
        if not response.is_success:
            raise self._refusal(response, path)
        return self._read(response, path)

    def _read(self, response: httpx2.Response, path: str) -> Json:
        try:
            body = response.json() if response.content else {}
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise self._error(BadReply, path, status=response.status_code)
        return body

    def _refusal(self, response: httpx2.Response, path: str) -> ProviderError:
        status = response.status_code
        other = BadRequest if status < 500 else ProviderUnavailable
        return self._error(
            BY_STATUS.get(status, other if status >= 400 else BadReply),
            path,
            status=status,
            known=_codes(response),
            request_id=response.headers.get("x-request-id", ""),
            retry_after_s=retry_after(response.headers, time.time()),
        )

    def _error(self, kind: Kind, path: str, **told: Any) -> ProviderError:
        what, hint = WHAT[kind]
        if kind is AuthenticationFailed and self._provider.key_env:
            hint = f"check the key in {self._provider.key_env}"
        return failure(kind, f"{self._provider.name}:{path.lstrip('/')}", what, hint, **told)


def number(options: Mapping[str, str], name: str, kind: type[int] | type[float]) -> int | float | None:
    """An option as a number, or None without it. Raises InvalidInput."""
    try:
        return kind(options[name]) if name in options else None
    except ValueError as error:
        raise InvalidInput(f"option {name} is {options[name]!r}", hint="write a number") from error


@cache
def _certificates() -> SSLContext:
    """Whom to trust: read once, for it takes 20 ms of CPU."""
    return httpx2.create_ssl_context()


def _codes(response: httpx2.Response) -> tuple[str, ...]:
    """The codes of `{"error": {"type": …, "code": …}}` and of `{"code": …}`."""
    try:
        body = json.loads(response.text)
    except ValueError:
        return ()
    error = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        return ()
    codes = (str(error[key]) for key in ("code", "type") if isinstance(error.get(key), str | int))
    return tuple(code for code in codes if _CODE.fullmatch(code) and code != str(response.status_code))


def _key(provider: Provider) -> str:
    key = provider.key.reveal().strip()
    if not key or not all("!" <= character <= "~" for character in key):
        where = f"set {provider.key_env} in the environment" if provider.key_env else "name it as key_env"
        said = "holds characters that no key has" if key else "is missing"
        raise AuthenticationFailed(f"the key of provider {provider.name!r} {said}", hint=where, target=provider.name)
    return key


async def until_taken(rest: Rest, path: str, taken: Callable[[Json], bool | None], host: str, file: str) -> None:
    """Waits until a host has looked at an uploaded file: `taken` says True, False for a refusal, None for not yet.

    Raises InvalidInput for a refusal, and TimedOut after half an hour.
    """
    wait_s, waited_s = _FIRST_WAIT_S, 0.0
    while not (said := taken(await rest.get(path))):
        if said is False:
            raise InvalidInput(f"{host} cannot use {file}", hint="see `persona check`")
        if waited_s > _FILE_TIMEOUT_S:
            raise TimedOut(f"{host} is still looking at {file}", hint="watch the job again")
        await asyncio.sleep(wait_s)
        waited_s, wait_s = waited_s + wait_s, min(2 * wait_s, _LONGEST_WAIT_S)
