"""Chat completions over the SDK's own transport: one request out, deltas in, nothing retried."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import httpx2
from openai import AsyncStream

from persona.adapter import Provider
from persona.errors import BadReply, BadRequest, ConnectionFailed, ProviderError, TimedOut
from persona.values.request import Delta, Request, TextDelta
from persona_openai.convert import to_wire
from persona_openai.dialect import dialect_of
from persona_openai.errors import Report, failure, report_in, request_id_of, translated
from persona_openai.post import Post
from persona_openai.reply import Assembly, deltas_of

PATH = "/chat/completions"

# what a ValueError means, before and after the request has left
_UNWRITABLE = Report(BadRequest, cause="it cannot be written as JSON")
_UNREADABLE = Report(BadReply, cause="no JSON")
_UNEXPECTED = Report(BadReply, cause="no choices in it")

T = TypeVar("T")


class OpenAIChat:
    """A chat model of OpenAI, or of a compatible server at the provider's `base_url`."""

    # `Post` sends the bytes that `chat.completions.create` would, without its walk through each message: 20 ms of
    # CPU at 130. Bare responses, and chunks as plain objects, spare a pydantic model each.

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._dialect = dialect_of(provider)
        self._post: Post | None = None

    def call(self, request: Request) -> AsyncIterator[Delta]:
        """The deltas of one request; closing the iterator early hangs up."""
        return self._streamed(request) if request.stream else self._whole(request)

    async def close(self) -> None:
        """Frees the connections."""
        post, self._post = self._post, None
        if post is not None:
            await post.close()

    async def _whole(self, request: Request) -> AsyncIterator[Delta]:
        deadline, post = _deadline(request), self._connected()
        response = await self._guarded(request, deadline, self._sent(post, request), _UNWRITABLE)
        for delta in self._read(request, response):
            yield delta

    async def _streamed(self, request: Request) -> AsyncIterator[Delta]:
        deadline, post = _deadline(request), self._connected()
        response = await self._guarded(request, deadline, self._sent(post, request), _UNWRITABLE)
        stream = AsyncStream(cast_to=object, response=response, client=post.client)
        assembly = Assembly()
        try:
            if _is_one_body(response):
                await self._guarded(request, deadline, response.aread(), _UNREADABLE)
                for delta in self._read(request, response):
                    yield delta
                return
            # the deadline is set around each chunk and not around the loop, where it would fire in our caller
            while (chunk := await self._guarded(request, deadline, anext(stream, None), _UNREADABLE)) is not None:
                if text := self._fed(request, assembly, chunk):
                    yield TextDelta(text)
        except (ConnectionFailed, TimedOut):
            if assembly.stop is None:
                raise  # after the stop reason only the usage is lost, and the reply is whole
        finally:
            await stream.close()
        for delta in assembly.ending(request_id_of(response.headers)):
            yield delta

    def _connected(self) -> Post:
        if self._post is None:
            self._post = Post(self._provider)
        return self._post

    async def _sent(self, post: Post, request: Request) -> httpx2.Response:
        body = to_wire(request, self._dialect)
        return await post.send(PATH, request.model, body, request.timeout_s, stream=request.stream)

    async def _guarded(self, request: Request, deadline: float, work: Awaitable[T], broken: Report) -> T:
        """What `work` gives, before the deadline and with persona's errors only."""
        try:
            with translated(self._provider, request.model):
                async with asyncio.timeout_at(deadline):
                    return await work
        except (ValueError, RecursionError):
            raise self._failure(request, broken) from None

    def _fed(self, request: Request, assembly: Assembly, chunk: object) -> str:
        if report := report_in(chunk):
            raise self._failure(request, report)
        try:
            return assembly.feed(chunk)
        except (LookupError, TypeError, AttributeError):
            raise self._failure(request, _UNEXPECTED) from None

    def _read(self, request: Request, response: httpx2.Response) -> list[Delta]:
        """The deltas of a whole body."""
        request_id = request_id_of(response.headers)
        try:
            body = json.loads(response.content)
        except (ValueError, RecursionError):
            raise self._failure(request, _UNREADABLE) from None
        if report := report_in(body, request_id):
            raise self._failure(request, report)
        try:
            return list(deltas_of(body, request_id))
        except (LookupError, TypeError, AttributeError):
            raise self._failure(request, _UNEXPECTED) from None

    def _failure(self, request: Request, report: Report) -> ProviderError:
        return failure(report, self._provider, request.model)


def _deadline(request: Request) -> float:
    return asyncio.get_running_loop().time() + request.timeout_s


def _is_one_body(response: httpx2.Response) -> bool:
    """Whether a streaming request was answered with one document: the server cannot stream, or is no API."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("application/json", "text/html")
