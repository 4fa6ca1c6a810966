"""generateContent through the SDK: one request out, deltas in, nothing retried."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from google.genai.types import (
    AutomaticFunctionCallingConfigDict,
    GenerateContentConfigDict,
    GenerateContentResponse,
    HttpOptionsDict,
)

from persona.adapter import Provider
from persona.errors import BadReply, BadRequest, ConnectionFailed, ProviderError, TimedOut
from persona.values.request import Delta, Request, TextDelta
from persona_google.catalog import takes_temperature
from persona_google.client import Connection, Stream, milliseconds
from persona_google.convert import to_wire
from persona_google.errors import BY_FINISH, UNREADABLE, Report, failure, report_in, translated
from persona_google.platform import check_model, platform_of
from persona_google.reply import Assembly

log = logging.getLogger("persona.adapters")

_UNWRITABLE = Report(BadRequest, cause="it cannot be written as JSON")
_UNREADABLE = Report(BadReply, cause="no JSON")
_UNEXPECTED = Report(BadReply, cause="no candidates in it")

_READ = {"candidates", "prompt_feedback", "usage_metadata", "model_version", "response_id"}
_NO_CALLS_OF_ITS_OWN: AutomaticFunctionCallingConfigDict = {"disable": True}
_REPLACED = "-"

T = TypeVar("T")


class GoogleChat:
    """A chat model of the Gemini API or of Vertex, tuned endpoints included."""

    # The SDK makes a pydantic model of each message and converts it field by field: 38 ms of CPU at 130 messages.
    # The body in `extra_body` replaces what it makes of a placeholder, and costs the same at every length. A whole
    # reply is read from its bytes; of a stream the SDK gives only its models, 0.2 ms of CPU a chunk.

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
            await connection.close()

    async def _whole(self, request: Request) -> AsyncIterator[Delta]:
        deadline = _deadline(request)
        connection, config = self._prepared(request)
        config["should_return_http_response"] = True
        asked = connection.models.generate_content(model=request.model, contents=_REPLACED, config=config)
        response = await self._guarded(request, deadline, asked)
        assembly = Assembly()
        text = self._read(request, assembly, response)
        self._check(request, assembly)
        if text:
            yield TextDelta(text)
        for delta in assembly.ending():
            yield delta

    async def _streamed(self, request: Request) -> AsyncIterator[Delta]:
        deadline = _deadline(request)
        connection, config = self._prepared(request)
        asked = connection.models.generate_content_stream(model=request.model, contents=_REPLACED, config=config)
        stream = Stream(await self._guarded(request, deadline, asked))
        assembly = Assembly()
        try:
            # the deadline is set around each chunk and not around the loop, where it would fire in our caller
            while (chunk := await self._guarded(request, deadline, stream.next())) is not None:
                if text := self._fed(request, assembly, _json_of(chunk)):
                    yield TextDelta(text)
        except (ConnectionFailed, TimedOut):
            if not assembly.is_whole:
                raise  # after the stop reason nothing is lost
        finally:
            await stream.close()
        self._check(request, assembly)
        for delta in assembly.ending():
            yield delta

    def _prepared(self, request: Request) -> tuple[Connection, GenerateContentConfigDict]:
        check_model(self._provider, self._platform, request.model)
        body = to_wire(request)
        try:
            json.dumps([body.get("tools"), body.get("generationConfig")], allow_nan=False)  # all but text is here
        except (ValueError, TypeError, RecursionError):
            raise self._failure(request, _UNWRITABLE) from None
        if self._connection is None:
            self._connection = Connection(self._provider, self._platform)
        if request.temperature is not None and not takes_temperature(request.model) and request.model not in self._told:
            self._told.add(request.model)
            log.warning("%s:%s takes no temperature: it is left out", self._provider.name, request.model)
        options: HttpOptionsDict = {"timeout": milliseconds(request.timeout_s), "extra_body": body}
        config: GenerateContentConfigDict = {
            "http_options": options,
            "automatic_function_calling": _NO_CALLS_OF_ITS_OWN,
            "automatic_continuation": False,
        }
        return self._connection, config

    async def _guarded(self, request: Request, deadline: float, work: Awaitable[T]) -> T:
        """What `work` gives, before the deadline and with persona's errors only."""
        try:
            with translated(self._provider, request.model):
                async with asyncio.timeout_at(deadline):
                    return await work
        except UNREADABLE:
            # the request is known to be sound by now: this is the SDK reading something else than the protocol
            raise self._failure(request, _UNREADABLE) from None

    def _fed(self, request: Request, assembly: Assembly, chunk: object) -> str:
        try:
            return assembly.feed(chunk)
        except (LookupError, TypeError, AttributeError):
            raise self._failure(request, _UNEXPECTED) from None

    def _read(self, request: Request, assembly: Assembly, response: GenerateContentResponse) -> str:
        """The text of a whole body."""
        raw = response.sdk_http_response
        try:
            body = json.loads(raw.body or "" if raw else "")
        except (ValueError, RecursionError):
            raise self._failure(request, _UNREADABLE) from None
        if report := report_in(body):
            raise self._failure(request, report)
        return self._fed(request, assembly, body)

    def _check(self, request: Request, assembly: Assembly) -> None:
        """Raises where nothing came, or the server says that there is no reply to read."""
        if not assembly.heard:
            raise self._failure(request, _UNEXPECTED)
        if kind := BY_FINISH.get(assembly.finish):
            raise self._failure(request, Report(kind, cause=assembly.finish))

    def _failure(self, request: Request, report: Report) -> ProviderError:
        return failure(report, self._provider, request.model)


def _json_of(chunk: GenerateContentResponse) -> object:
    """The chunk as the server wrote it, as far as it is read here."""
    return chunk.model_dump(mode="json", by_alias=True, exclude_none=True, include=_READ)


def _deadline(request: Request) -> float:
    return asyncio.get_running_loop().time() + request.timeout_s
