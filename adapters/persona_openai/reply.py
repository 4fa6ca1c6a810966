"""A reply put together from what the server sent, whole or in chunks: pure, no I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from persona.values.message import ToolCall
from persona.values.request import Delta, Finish, StopReason, TextDelta
from persona_openai.convert import STOPS, calls_from_wire, json_text, usage_from_wire, words

Json = Mapping[str, Any]


def deltas_of(body: Any, request_id: str) -> Iterator[Delta]:
    """A whole `chat.completion`, as parsed JSON, in deltas.

    Raises LookupError, TypeError or AttributeError where the protocol is broken.
    """
    choice = body["choices"][0]
    message = choice["message"]
    refusal = message.get("refusal")
    if text := words(message.get("content")) or words(refusal):
        yield TextDelta(text)
    yield from calls_from_wire(message)
    if finish := choice.get("finish_reason"):
        stop = "refused" if refusal else STOPS.get(finish, "other")
        yield Finish(stop, usage_from_wire(body.get("usage")), _name(body.get("model")), request_id)


@dataclass(slots=True)
class _Fragments:
    """One tool call as it arrives."""

    id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Assembly:
    """A stream's chunks so far: text leaves at once, tool calls and the end when all is there."""

    stop: StopReason | None = None
    model: str = ""
    usage: object = None
    _refused: bool = False
    _calls: list[_Fragments] = field(default_factory=list)
    _open: dict[object, _Fragments] = field(default_factory=dict)

    def feed(self, chunk: Any) -> str:
        """The text that this chunk, as parsed JSON, adds.

        Raises LookupError, TypeError or AttributeError where the protocol is broken.
        """
        self.model = self.model or _name(chunk.get("model"))
        self.usage = chunk.get("usage") or self.usage
        if not (choices := chunk.get("choices")):
            return ""
        choice = choices[0]
        delta = choice.get("delta") or {}
        for fragment in delta.get("tool_calls") or ():
            self._add(fragment)
        refusal = words(delta.get("refusal"))
        self._refused = self._refused or bool(refusal)
        if finish := choice.get("finish_reason"):
            self.stop = STOPS.get(finish, "other")
        return words(delta.get("content")) or refusal

    def _add(self, fragment: Json) -> None:
        key, id = fragment.get("index", len(self._open)), fragment.get("id")
        call = self._open.get(key)
        # some servers send every call with index 0: a new id is a new call
        if call is None or (id and id != call.id):
            call = self._open[key] = _Fragments(id or f"call_{len(self._calls)}")
            self._calls.append(call)
        function = fragment.get("function") or {}
        call.name = function.get("name") or call.name
        call.arguments.append(json_text(function.get("arguments")))

    def ending(self, request_id: str) -> Iterator[Delta]:
        """The tool calls and the finish; nothing when no stop reason came, for the call was cut."""
        if self.stop is None:
            return
        for call in self._calls:
            yield ToolCall(call.id, call.name, "".join(call.arguments))
        stop: StopReason = "refused" if self._refused else self.stop
        yield Finish(stop, usage_from_wire(self.usage), self.model, request_id)


def _name(model: object) -> str:
    return model if isinstance(model, str) else ""
