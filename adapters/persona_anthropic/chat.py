"""Messages over the SDK's own transport: one request out, deltas in, nothing retried."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

import httpx2
from anthropic import AsyncStream

from persona.adapter import Provider
from persona.errors import (
    AuthenticationFailed,
    BadReply,
    BadRequest,
    ConnectionFailed,
    ProviderError,
    TimedOut,
)
from persona.values.request import Delta, Request, TextDelta
from persona_anthropic.client import Connection, connect, timeout_of
from persona_anthropic.convert import to_wire
from persona_anthropic.dialect import API, platform_of
from persona_anthropic.errors import Report, failure, report_in, request_id_of, translated
from persona_anthropic.reply import Assembly, deltas_of

PATH = "/v1/messages"
log = logging.getLogger("persona.adapters")

# what a ValueError means, before and after the request has left
_UNWRITABLE = Report(BadRequest, cause="it cannot be written as JSON")
_UNREADABLE = Report(BadReply, cause="no JSON")
_UNEXPECTED = Report(BadReply, cause="no message in it")

T = TypeVar("T")


class AnthropicChat:
    """A chat model of Anthropic, where the provider's options say."""

    # `client.post` sends the bytes that `messages.create` would, without its warnings about old models and long
    # replies, which persona has in its catalog. Events as plain objects spare a pydantic model each.

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._platform = platform_of(provider)
        self._connection: Connection | None = None
        self._told: set[str] = set()

    def call(self, request: Request) -> AsyncIterator[Delta]:
        """The deltas of one request; closing the iterator early hangs up."""
        return self._streamed(request) if request.stream else self._whole(request)

    async def close(self) -> None:
        """Frees the connections."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.client.close()

    async def _whole(self, request: Request) -> AsyncIterator[Delta]:
        deadline = _deadline(request)
        connection, body, options = self._prepared(request)
        post = connection.client.post(PATH, body=body, options=options, cast_to=httpx2.Response)
        response = await self._sent(request, deadline, post)
        for delta in self._read(request, response):
            yield delta

    async def _streamed(self, request: Request) -> AsyncIterator[Delta]:
        deadline = _deadline(request)
        connection, body, options = self._prepared(request)
        post = connection.client.post(
            PATH, body=body, options=options, cast_to=object, stream=True, stream_cls=AsyncStream[object]
        )
        stream = await self._sent(request, deadline, post)
        assembly = Assembly()
        try:
            if _is_one_body(stream.response):
                await self._guarded(request, deadline, stream.response.aread())
                for delta in self._read(request, stream.response):
                    yield delta
                return
            # the deadline is set around each event and not around the loop, where it would fire in our caller
            while (event := await self._next(request, deadline, stream)) is not None:
                if text := self._fed(request, assembly, event):
                    yield TextDelta(text)
        except (ConnectionFailed, TimedOut):
            if assembly.stop is None:
                raise  # after the stop reason nothing more is to come, and the reply is whole
        finally:
            await stream.close()
        for delta in assembly.ending(request_id_of(stream.response.headers)):
            yield delta

    def _prepared(self, request: Request) -> tuple[Connection, dict[str, Any], Any]:
        if request.answer and not request.answer.strict:
            raise BadRequest(
                f"{self._provider.name} takes no free keys, tuples or untyped fields; {request.answer.name!r} has",
                hint="write a dict as a list of models with a name and a value, and give every field a type",
                target=f"{self._provider.name}:{request.model}",
            )
        if self._connection is None:
            self._connection = connect(self._provider, self._platform)
        body = to_wire(request)
        options: dict[str, Any] = {"timeout": timeout_of(self._provider, request.timeout_s)}
        if "temperature" in body and self._platform is API:
            options["headers"] = {"anthropic-version": self._platform.sampling_version}
        elif "temperature" in body:
            body["anthropic_version"] = self._platform.sampling_version
        elif request.temperature is not None and request.model not in self._told:
            self._told.add(request.model)
            log.warning("%s:%s takes no temperature: it is left out", self._provider.name, request.model)
        return self._connection, body, options

    async def _sent(self, request: Request, deadline: float, post: Awaitable[T]) -> T:
        """The answer's beginning; until then the client may fail to write the request, or to sign it."""
        unsigned = self._connection.unsigned if self._connection else ()
        try:
            return await self._guarded(request, deadline, post, _UNWRITABLE)
        except unsigned as error:
            report = Report(AuthenticationFailed, cause=f"no credentials: {type(error).__name__}")
            raise self._failure(request, report) from None

    async def _next(self, request: Request, deadline: float, stream: AsyncStream[object]) -> object:
        """The next event, None at the end."""
        garbled = self._connection.garbled if self._connection else ()
        try:
            return await self._guarded(request, deadline, anext(stream, None))
        except garbled:
            raise self._failure(request, _UNREADABLE) from None

    async def _guarded(self, request: Request, deadline: float, work: Awaitable[T], broken: Report = _UNREADABLE) -> T:
        """What `work` gives, before the deadline and with persona's errors only."""
        try:
            with translated(self._provider, request.model):
                async with asyncio.timeout_at(deadline):
                    return await work
        except (ValueError, RecursionError):
            raise self._failure(request, broken) from None

    def _fed(self, request: Request, assembly: Assembly, event: object) -> str:
        try:
            return assembly.feed(event)
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
