"""The SDK's client for one provider, on a transport of our own, with no retries."""

from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from functools import cache
from ssl import SSLContext
from typing import Any, Generic, TypeVar

import httpx2
from google import genai
from google.genai.models import AsyncModels
from google.genai.tunings import AsyncTunings
from google.genai.types import HttpOptions

from persona.adapter import Provider
from persona.errors import AuthenticationFailed
from persona_google.platform import VENDOR_URL, Platform

NO_KEY = "no-key"
"""What a server that wants no key is sent: without one the SDK looks for a key in the environment."""

T = TypeVar("T")

_opening: ContextVar["Stream[Any] | None"] = ContextVar("_opening", default=None)
_LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)


class Connection:
    """A client for the running event loop; nothing is sent yet.

    Raises AuthenticationFailed without a usable key. On Vertex a key is optional: without one the requests are signed
    with the credentials of the machine (Application Default Credentials), which are looked for at the first one.
    """

    # Given a transport, the SDK does not take aiohttp where that happens to be installed, with which it waits up to
    # ten seconds after a failed connection and sends again. It sets one time-out for all steps, so the one for
    # connecting is set under it. It dies when nobody refers to it, so it is held here.

    def __init__(self, provider: Provider, platform: Platform) -> None:
        key = _key(provider, platform)

        async def limit_connecting(request: httpx2.Request) -> None:
            steps = request.extensions["timeout"]
            steps["connect"] = min(steps["connect"], provider.connect_timeout_s)

        hooks: dict[str, list[Callable[..., Any]]] = {"request": [limit_connecting], "response": [_note]}
        self._http = httpx2.AsyncClient(verify=_certificates(), limits=_LIMITS, event_hooks=hooks)
        self._unused = httpx2.Client(verify=_certificates())  # else the SDK makes one, and reads the certificates anew
        base_url = provider.base_url or (None if platform.is_vertex else VENDOR_URL)
        options = HttpOptions(
            base_url=base_url,
            httpx_async_client=self._http,
            httpx_client=self._unused,
            async_client_args={"ssl": _certificates()},
        )
        # everything is said, for the SDK would read the rest from the environment
        if platform.is_vertex:
            self._client = genai.Client(
                enterprise=True,
                project=platform.project,
                location=platform.location,
                api_key=key or None,
                http_options=options,
            )
        else:
            self._client = genai.Client(enterprise=False, api_key=key or NO_KEY, http_options=options)

    @property
    def models(self) -> AsyncModels:
        """What is asked: generating and embedding."""
        return self._client.aio.models

    @property
    def tunings(self) -> AsyncTunings:
        """Tuning jobs."""
        return self._client.aio.tunings

    async def close(self) -> None:
        """Frees the connections."""
        await self._http.aclose()
        self._unused.close()
        self._client.close()


class Stream(Generic[T]):
    """A stream of the SDK that can be left early.

    The SDK's generators hold each other in a ring: closing the outer one would leave the connection open until the
    garbage is collected. So the response is noted as it comes, and closed itself.
    """

    def __init__(self, chunks: AsyncIterator[T]) -> None:
        self._chunks = chunks
        self._response: httpx2.Response | None = None

    async def next(self) -> T | None:
        """The next chunk; None at the end. The first call sends the request."""
        token = _opening.set(self)
        try:
            return await anext(self._chunks, None)
        finally:
            _opening.reset(token)

    async def close(self) -> None:
        """Hangs up, unless it has ended."""
        if self._response is not None:
            await self._response.aclose()

    def opened(self, response: httpx2.Response) -> None:
        """Its response has begun."""
        self._response = response


async def _note(response: httpx2.Response) -> None:
    if (stream := _opening.get()) is not None:
        stream.opened(response)


@cache
def _certificates() -> SSLContext:
    """Whom to trust: read once, for it takes 20 ms of CPU."""
    return httpx2.create_ssl_context()


def milliseconds(seconds: float) -> int:
    """A time-out as the SDK counts it."""
    return max(1, round(seconds * 1000))


def _key(provider: Provider, platform: Platform) -> str:
    key = provider.key.reveal().strip()
    where = provider.key_env or "its key_env"
    if not key and not provider.base_url and not platform.is_vertex:
        raise AuthenticationFailed(
            f"provider {provider.name!r} has no key",
            hint=f"set {where} in the environment, or name a project of Google Cloud in its options",
            target=provider.name,
        )
    if not all("!" <= character <= "~" for character in key):
        raise AuthenticationFailed(
            f"the key of provider {provider.name!r} holds characters that no key has",
            hint=f"set {where} again, without spaces, line breaks or quotes",
            target=provider.name,
        )
    return key
