"""Posts JSON as the SDK's client does, over the SDK's own HTTP client, without its way there.

That way (options as a pydantic model, headers and address put together anew, hooks for credentials that are not used
here) takes more than half of a request's CPU: 0.3 of 0.5 ms. What every request has in common is made once.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx2
import openai
from openai import AsyncAzureOpenAI, AsyncOpenAI

from persona.adapter import Provider
from persona_openai.client import connect, http_client, timeout_of

_CONFLICT = 409


class Post:
    """The address of a provider, ready to be posted to."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._http = http_client()
        self.client: AsyncOpenAI = connect(provider, self._http)
        self._headers = _headers(self.client, self._http)
        self._azure = isinstance(self.client, AsyncAzureOpenAI)
        self._addresses: dict[str, httpx2.URL] = {}

    async def send(
        self, path: str, model: str, body: Mapping[str, Any], timeout_s: float, *, stream: bool = False
    ) -> httpx2.Response:
        """The response, read to its end unless it is a stream.

        Raises openai.APIStatusError for one that is no success, what HTTP says, and ValueError for a body that cannot
        be written as JSON.
        """
        timeout, headers = timeout_of(self._provider, timeout_s), self._headers.copy()
        headers["x-stainless-read-timeout"] = str(timeout.read)
        request = httpx2.Request(
            "POST",
            self._address(path, model),
            headers=headers,
            content=json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(),
            extensions={"timeout": timeout.as_dict()},
        )
        request.headers.encoding = headers.encoding  # it would be found out again by reading all of them
        # a redirect takes `Authorization` off, and leaves Azure's own header on
        response = await self._http.send(request, stream=stream, follow_redirects=not self._azure)
        if not response.is_success:
            await response.aread()
            raise _refused(response)
        return response

    async def close(self) -> None:
        """Frees the connections."""
        await self.client.close()

    def _address(self, path: str, model: str) -> httpx2.URL:
        where = f"/deployments/{quote(model, safe='')}{path}" if self._azure else path
        if where not in self._addresses:
            base = self.client.base_url
            address = base.copy_with(raw_path=base.raw_path + where.lstrip("/").encode())
            asked = {name: str(value) for name, value in self.client.default_query.items()}
            self._addresses[where] = address.copy_merge_params(asked)
        return self._addresses[where]


def _headers(client: AsyncOpenAI, http: httpx2.AsyncClient) -> httpx2.Headers:
    """What every request of this client carries, but for its own time-out."""
    headers = httpx2.Headers(http.headers)
    headers.update({name: value for name, value in client.default_headers.items() if isinstance(value, str)})
    headers.update({**client.auth_headers, "x-stainless-retry-count": "0"})
    return headers


def _refused(response: httpx2.Response) -> openai.APIStatusError:
    """The SDK's error for a response that is no success."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = response.text
    told = body.get("error", body) if isinstance(body, Mapping) else body
    kind = (
        openai.InternalServerError
        if response.is_server_error
        else openai.ConflictError
        if response.status_code == _CONFLICT
        else openai.APIStatusError
    )
    return kind(f"status {response.status_code}", response=response, body=told)
