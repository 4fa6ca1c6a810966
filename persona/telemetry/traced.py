"""Spans and metrics by the OpenTelemetry API, to whatever the process has configured: an SDK, or nothing.

No user, tenant, key or word of a conversation is in them; words only with `content`. An exception is told by the
name of its class: its message is for the log.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from time import perf_counter

from opentelemetry import metrics, trace
from opentelemetry.metrics import Histogram
from opentelemetry.trace import Span, SpanKind, StatusCode

from persona.errors import TurnCancelled
from persona.telemetry import names
from persona.telemetry.content import FINISH, answer_json, messages_json
from persona.telemetry.watching import Outgoing
from persona.values.message import ToolCall, ToolResult
from persona.values.request import Finish
from persona.values.turn import Reply

_NAME = "persona"
Attributes = dict[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class _Turn:
    span: Span

    def opened(self, turn_id: str, route: str, arm: str) -> None:
        """Says which turn it is, and who serves it."""
        self.span.set_attributes({names.TURN_ID: turn_id, names.ROUTE: route, names.ARM: arm})

    def replied(self, reply: Reply) -> None:
        """Says which reply it came to."""
        self.span.set_attribute(names.REPLY_ID, reply.id)
        if reply.repeated:
            self.span.set_attribute(names.REPEATED, True)


@dataclass(slots=True)
class _Call:
    span: Span
    shared: Attributes
    streams: bool
    content: bool
    tokens: Histogram
    first_chunk: Histogram

    def answered(
        self, finish: Finish, first_token_ms: float | None, text: Sequence[str], calls: Sequence[ToolCall]
    ) -> None:
        """Says what came back and what it used; later metrics of the call carry the model that served it."""
        told: Attributes = {}
        if finish.model:
            self.shared[names.RESPONSE_MODEL] = told[names.RESPONSE_MODEL] = finish.model
        if finish.request_id:
            told[names.RESPONSE_ID] = finish.request_id
        for one in fields(finish.usage):
            number = getattr(finish.usage, one.name)
            if number is not None:
                told[names.USAGE[one.name]] = number
        if self.streams and first_token_ms is not None:
            told[names.TIME_TO_FIRST_CHUNK] = first_token_ms / 1000
            self.first_chunk.record(first_token_ms / 1000, self.shared)
        if self.content:
            told[names.OUTPUT_MESSAGES] = answer_json(text, calls, finish.stop)
        self.span.set_attributes({**told, names.FINISH_REASONS: (FINISH[finish.stop],)})
        for kind, number in (("input", finish.usage.input_tokens), ("output", finish.usage.output_tokens)):
            if number is not None:
                self.tokens.record(number, {**self.shared, names.TOKEN_TYPE: kind})


@dataclass(frozen=True, slots=True)
class _Tool:
    span: Span
    content: bool

    def gave(self, result: ToolResult, error: str = "") -> None:
        """Says how it ended."""
        if result.failed:
            _failed(self.span, error or "failed")
        if self.content:
            self.span.set_attribute(names.TOOL_RESULT, result.text)


class Traced:
    """Tells the process's own OpenTelemetry; with `content` what was said too."""

    def __init__(self, *, content: bool) -> None:
        self._content = content
        self._tracer = trace.get_tracer(_NAME)
        meter = metrics.get_meter(_NAME)
        self._duration = meter.create_histogram(
            names.METRIC_DURATION, "s", "How long one request took.", explicit_bucket_boundaries_advisory=names.SECONDS
        )
        self._tokens = meter.create_histogram(
            names.METRIC_TOKENS, "{token}", "Tokens that one used.", explicit_bucket_boundaries_advisory=names.TOKENS
        )
        self._first_chunk = meter.create_histogram(
            names.METRIC_FIRST_CHUNK,
            "s",
            "How long the first words of a stream took.",
            explicit_bucket_boundaries_advisory=names.SECONDS,
        )

    @contextmanager
    def turn(self, conversation_id: str) -> Iterator[_Turn]:
        """A span of persona's own."""
        with self._span(names.TURN, SpanKind.INTERNAL, {names.CONVERSATION: conversation_id}) as span:
            yield _Turn(span)

    @contextmanager
    def call(self, outgoing: Outgoing, attempt: int) -> Iterator[_Call]:
        """A client span, and the metrics of the call."""
        request = outgoing.request
        shared: Attributes = {
            names.OPERATION: "chat",
            names.PROVIDER: outgoing.provider,
            names.REQUEST_MODEL: request.model,
            names.ROUTE: outgoing.route,
            names.ARM: outgoing.arm,
        }
        told = {**shared, **_asked(outgoing, attempt)}
        if self._content:
            told[names.INPUT_MESSAGES] = messages_json(request.messages)
        with self._timed(shared), self._span(f"chat {request.model}", SpanKind.CLIENT, told) as span:
            yield _Call(span, shared, request.stream, self._content, self._tokens, self._first_chunk)

    @contextmanager
    def tool(self, call: ToolCall) -> Iterator[_Tool]:
        """A span of the tool's run: beside the call that asked for it, which has ended by then."""
        told: Attributes = {
            names.OPERATION: "execute_tool",
            names.TOOL_NAME: call.name,
            names.TOOL_CALL_ID: call.id,
            names.TOOL_TYPE: "function",
        }
        if self._content:
            told[names.TOOL_ARGUMENTS] = call.arguments
        with self._span(f"execute_tool {call.name}", SpanKind.INTERNAL, told) as span:
            yield _Tool(span, self._content)

    @contextmanager
    def embedding(self, provider: str, model: str, dimension: int) -> Iterator[None]:
        """A client span and its duration; embedders do not say what they used."""
        shared: Attributes = {names.OPERATION: "embeddings", names.PROVIDER: provider, names.REQUEST_MODEL: model}
        told = {**shared, names.DIMENSION_COUNT: dimension}
        with self._timed(shared), self._span(f"embeddings {model}", SpanKind.CLIENT, told):
            yield

    @contextmanager
    def _span(self, name: str, kind: SpanKind, told: Mapping[str, str | int | float | bool]) -> Iterator[Span]:
        started = self._tracer.start_as_current_span(
            name, kind=kind, attributes=told, record_exception=False, set_status_on_exception=False
        )
        with started as span:
            try:
                yield span
            except BaseException as error:
                _failed(span, _name_of(error))
                raise

    @contextmanager
    def _timed(self, shared: Attributes) -> Iterator[None]:
        clock, failed = perf_counter(), {}
        try:
            yield
        except BaseException as error:
            failed = {names.ERROR_TYPE: _name_of(error)}
            raise
        finally:
            self._duration.record(perf_counter() - clock, {**shared, **failed})


def _asked(outgoing: Outgoing, attempt: int) -> Attributes:
    """What the span of a call says beyond what its metrics say."""
    request = outgoing.request
    told: Attributes = {
        names.REQUEST_STREAM: request.stream,
        names.TARGET: str(outgoing.target),
        names.PURPOSE: outgoing.purpose,
        names.EXCHANGE_ID: outgoing.exchange_id,
        names.ATTEMPT: attempt,
    }
    if outgoing.conversation_id:
        told[names.CONVERSATION] = outgoing.conversation_id
    if request.max_output_tokens is not None:
        told[names.REQUEST_MAX_TOKENS] = request.max_output_tokens
    if request.temperature is not None:
        told[names.REQUEST_TEMPERATURE] = request.temperature
    return told


def _name_of(error: BaseException) -> str:
    return TurnCancelled.__name__ if isinstance(error, asyncio.CancelledError) else type(error).__name__


def _failed(span: Span, error: str) -> None:
    span.set_attribute(names.ERROR_TYPE, error)
    span.set_status(StatusCode.ERROR)
