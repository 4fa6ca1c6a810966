"""Training files for Gemini on Vertex: supervised and preference tuning, checked by the SDK's own types.

Sources, read 2026-11-21: Vertex's pages "Prepare supervised fine-tuning data for Gemini models" and "Preference
tuning". What several tools of one call gave back is one content, in the order of the calls.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, Any

from persona.adapter import Container
from persona.errors import InvalidInput
from persona.values.example import DatasetLimits, Example, Loss, Problem, Shape, every_reply, last_of
from persona.values.message import Image, Message, Part, Text, ToolCall, ToolResult
from persona.values.request import Tool
from persona.values.roles import PARAGRAPH, Json, arguments_of, in_turn, wants

if TYPE_CHECKING:
    from google.genai import types
    from pydantic import TypeAdapter

_KEYS = {"systemInstruction", "system_instruction", "contents", "tools", "generationConfig", "completions", "labels"}


@dataclass(frozen=True, slots=True)
class Supervised:
    """`systemInstruction` and `contents`, which end with the model's."""

    name: str
    limits: DatasetLimits
    shape: Shape = "chat"
    container: Container = "jsonl"
    also: tuple[Container, ...] = ()
    loss: Loss = "every"

    def row(self, example: Example) -> Json:
        """`{"systemInstruction": …, "contents": […], "tools": […]}`."""
        _wants(example, self.shape, self.name)
        return _checked(_written(example, example.messages), self)

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What Vertex would refuse."""
        found = _problems(row)
        if not found and row["contents"][-1].get("role") != "model":
            found.append(Problem("the last content is not the model's", "end with the reply that is to be learnt"))
        return found

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms; calls are given ids."""
        messages = _read(row, row["contents"])
        return Example(id, messages, every_reply(messages), _tools_read(row))


@dataclass(frozen=True, slots=True)
class Preference:
    """`contents`, which end with the user's, and two `completions`, of which the one with score 1 is better."""

    name: str
    limits: DatasetLimits
    shape: Shape = "preference"
    container: Container = "jsonl"
    also: tuple[Container, ...] = ()
    loss: Loss = "last"

    def row(self, example: Example) -> Json:
        """`{"systemInstruction": …, "contents": […], "completions": [{"score": 1, …}, {"score": 0, …}]}`."""
        _wants(example, self.shape, self.name)
        assert example.rejected is not None, "a preference has the reply that was not wanted"  # noqa: S101 - narrows
        row = _written(example, example.messages)
        preferred = row["contents"].pop()
        unwanted = {"role": "model", "parts": _parts(example.rejected)}
        tools = row.pop("tools", None)
        row["completions"] = [{"score": 1, "completion": preferred}, {"score": 0, "completion": unwanted}]
        return _checked({**row, **({"tools": tools} if tools else {})}, self)

    def problems(self, row: Mapping[str, Any]) -> Sequence[Problem]:
        """What Vertex would refuse."""
        found = _problems(row)
        if not found and row["contents"][-1].get("role") != "user":
            found.append(Problem("the last content is not the user's", "end with the question", where="contents"))
        return found + list(_completion_problems(row.get("completions")))

    def example(self, row: Mapping[str, Any], id: str) -> Example:
        """The row in persona's terms; calls are given ids."""
        better, worse = sorted(row["completions"], key=lambda one: -one["score"])
        messages = _read(row, [*row["contents"], better["completion"]])
        said = _types()[0].validate_python(worse["completion"]).parts or ()
        rejected = Message("assistant", tuple(_parts_read(said, len(row["contents"]), [])))
        return Example(id, messages, last_of(messages), _tools_read(row), rejected)


def _wants(example: Example, shape: Shape, name: str) -> None:
    wants(example, shape, name)
    if any(isinstance(part, Image) for message in example.messages for part in message.parts):
        raise InvalidInput("pictures would have to lie in Cloud Storage", hint="drop the row, or its pictures")


def _checked(row: Json, form: "Supervised | Preference") -> Json:
    """The row, if Vertex takes it. Raises InvalidInput."""
    tools = row.get("tools")
    if faults := _turn_problems(row["contents"]) or (_untyped("tools", tools, _types()[2]) if tools else []):
        raise InvalidInput(f"the form cannot say this: {faults[0].reason}", hint=faults[0].hint)
    ends = "model" if form.shape == "chat" else "user"
    if row["contents"][-1]["role"] != ends:
        raise InvalidInput(f"contents must end with the {ends}'s", hint="drop the row")
    return row


def _written(example: Example, messages: Sequence[Message]) -> Json:
    said, _ = in_turn(messages, [False] * len(messages))
    row: Json = {}
    if said[0].role == "system":
        row["systemInstruction"] = {"role": "system", "parts": _parts(said.pop(0))}
    if any(message.role == "system" for message in said):
        raise InvalidInput("the form has one system instruction, at the beginning", hint="drop the row")
    roles = {"user": "user", "tool": "user", "assistant": "model"}
    row["contents"] = [{"role": roles[message.role], "parts": _parts(message)} for message in said]
    if example.tools:
        declared = [
            {"name": t.name, "description": t.description, "parameters": dict(t.parameters)} for t in example.tools
        ]
        row["tools"] = [{"functionDeclarations": declared}]
    return row


def _parts(message: Message) -> list[Json]:
    written: list[Json] = []
    for part in message.parts:
        if isinstance(part, Text) and part.text.strip():
            written.append({"text": part.text})
        elif isinstance(part, ToolCall):
            written.append({"functionCall": {"name": part.name, "args": arguments_of(part)}})
        elif isinstance(part, ToolResult):
            said = {"error" if part.failed else "output": part.text}
            written.append({"functionResponse": {"name": part.name, "response": said}})
    if not written:
        raise InvalidInput("a message is empty", hint="drop the row")
    return written


@cache
def _types() -> "tuple[TypeAdapter[Any], TypeAdapter[Any], TypeAdapter[Any]]":
    from google.genai import types  # a second of CPU, and only needed to check
    from pydantic import TypeAdapter

    return TypeAdapter(types.Content), TypeAdapter(list[types.Content]), TypeAdapter(list[types.Tool])


def _problems(row: Mapping[str, Any]) -> list[Problem]:
    contents = row.get("contents")
    if not isinstance(contents, list) or not contents:
        return [Problem("contents is missing or no list", 'write "contents": [{"role": "user", "parts": […]}]')]
    one, several, tools = _types()
    system = row.get("systemInstruction", row.get("system_instruction"))
    found = _untyped("systemInstruction", system, one) or _untyped("contents", contents, several)
    found = found or _untyped("tools", row.get("tools"), tools) or _turn_problems(contents)
    if not row.keys() <= _KEYS:
        found.append(Problem("keys that the consumer does not read", "remove them", False))
    return found


def _untyped(key: str, value: object, kind: "TypeAdapter[Any]") -> list[Problem]:
    """What the SDK's own types say against a value."""
    from pydantic import ValidationError

    if value is None:
        return []
    try:
        made = kind.validate_python(value)
    except UserWarning as error:  # where the app has made errors of warnings
        return [_unknown(key, str(error))]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = f"{key}{''.join(f'[{at}]' if isinstance(at, int) else f'.{at}' for at in first['loc'])}"
        return [Problem(f"{key} is not what the SDK's types say: {first['type']}", str(first["msg"]), where=where)]
    except (AttributeError, TypeError):  # its enums stumble over what is no text, such as a list of JSON types
        hint = "write each type as one word, and nullable beside it"
        return [Problem(f"{key} is not what the SDK's types say: type", hint, where=key)]
    return [_unknown(key, f"{one.value} is not a valid {type(one).__name__}") for one in islice(_made_up(made), 1)]


def _unknown(key: str, hint: str) -> Problem:
    return Problem(f"{key} is not what the SDK's types say: enum", hint, where=key)


def _made_up(value: object) -> Iterator[Enum]:
    """The members that the SDK's enums made up: of a word that they do not know they only warn."""
    from pydantic import BaseModel

    if isinstance(value, Enum):
        if value.name not in type(value).__members__:
            yield value
    elif isinstance(value, BaseModel):
        yield from chain.from_iterable(map(_made_up, vars(value).values()))
    elif isinstance(value, list | dict):
        yield from chain.from_iterable(map(_made_up, value.values() if isinstance(value, dict) else value))


def _content_problems(content: Mapping[str, Any], where: str) -> list[Problem]:
    if content.get("role") not in ("user", "model"):
        return [Problem("unknown role", "the roles are user and model", where=where)]
    parts = content.get("parts")
    if not parts:
        return [Problem("a content has no parts", 'write "parts": [{"text": …}]', where=where)]
    if any("text" in part and not str(part["text"] or "").strip() for part in parts):
        return [Problem("a part is empty", "remove the part, or write its text", where=where)]
    if not any(_holds_something(part) for part in parts):
        return [Problem("a content holds neither words nor calls", "remove it, or write its text", where=where)]
    return []


def _turn_problems(contents: Sequence[Mapping[str, Any]]) -> list[Problem]:
    for place, content in enumerate(contents):
        if found := _content_problems(content, f"contents[{place}]"):
            return found
    if contents[0]["role"] != "user":
        return [Problem("the first content is not the user's", "begin with the question", where="contents[0]")]
    for place, (before, after) in enumerate(pairwise(contents), start=1):
        if before["role"] == after["role"]:
            hint = "put what one side says, and all that tools gave back, into one content"
            return [Problem("two contents of one role follow each other", hint, where=f"contents[{place}]")]
        if "" in (*_names(before, "functionCall"), *_names(after, "functionResponse")):
            return [Problem("a call or its response names no function", "name it", where=f"contents[{place}]")]
        calls, answers = _names(before, "functionCall"), _names(after, "functionResponse")
        if calls != answers:
            hint = "answer every functionCall by a functionResponse of its name in the next content"
            return [Problem("calls and responses do not match", hint, where=f"contents[{place}]")]
    return []


def _holds_something(part: Mapping[str, Any]) -> bool:
    return any(part.get(key) for key in part.keys() - {"thought", "thoughtSignature", "thought_signature"})


def _names(content: Mapping[str, Any], key: str) -> list[str]:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
    found = (part.get(key, part.get(snake)) for part in content["parts"])
    return sorted(str(one.get("name") or "") for one in found if one)


def _completion_problems(completions: object) -> Iterator[Problem]:
    if not isinstance(completions, list) or len(completions) != 2:
        yield Problem("completions are not two", "write the better with score 1 and the other with score 0")
        return
    if [one.get("score") if isinstance(one, Mapping) else None for one in completions] not in ([1, 0], [0, 1]):
        yield Problem("the scores are not 1 and 0", "score the better 1 and the other 0", where="completions")
        return
    said = [one.get("completion") for one in completions]
    for place, one in enumerate(said):
        if not isinstance(one, Mapping) or one.get("role") != "model" or not one.get("parts"):
            yield Problem(
                "a completion is not the model's",
                'write {"role": "model", "parts": […]}',
                True,
                f"completions[{place}]",
            )
            return
    if untyped := _untyped("completions", said, _types()[1]):
        yield from untyped
    elif said[0] == said[1]:
        yield Problem("both completions are the same", "remove the row: it prefers nothing", where="completions")


def _read(row: Mapping[str, Any], contents: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    one, several, _ = _types()
    messages: list[Message] = []
    if system := row.get("systemInstruction", row.get("system_instruction")):
        texts = [part.text for part in one.validate_python(system).parts or () if part.text]
        messages.append(Message("system", (Text(PARAGRAPH.join(texts)),)))
    for place, content in enumerate(several.validate_python(list(contents))):
        calls = list(messages[-1].tool_calls) if messages else []
        parts = tuple(_parts_read(content.parts or (), place, calls))
        results = tuple(part for part in parts if isinstance(part, ToolResult))
        rest = tuple(part for part in parts if not isinstance(part, ToolResult))
        if results:
            messages.append(Message("tool", results))
        if rest:
            messages.append(Message("assistant" if content.role == "model" else "user", rest))
    return tuple(messages)


def _parts_read(parts: "Sequence[types.Part]", place: int, calls: list[ToolCall]) -> Iterator[Part]:
    for number, part in enumerate(parts):
        if call := part.function_call:
            arguments = json.dumps(call.args or {}, ensure_ascii=False)
            yield ToolCall(f"call_{place}_{number}", call.name or "", arguments)
        elif answer := part.function_response:
            asked = next((one for one in calls if one.name == (answer.name or "")), None)
            if asked:
                calls.remove(asked)
            said = answer.response or {}
            text = said.get("output", said.get("error"))
            words = text if isinstance(text, str) else json.dumps(said, ensure_ascii=False)
            yield ToolResult(asked.id if asked else "", answer.name or "", words, failed="error" in said)
        elif part.text:
            yield Text(part.text)


def _tools_read(row: Mapping[str, Any]) -> tuple[Tool, ...]:
    declared = [
        one
        for tool in row.get("tools") or ()
        for one in tool.get("functionDeclarations", tool.get("function_declarations")) or ()
    ]
    schemas = [one.get("parameters") or one.get("parametersJsonSchema") for one in declared]
    return tuple(
        Tool(one.get("name") or "", one.get("description") or "", schema if isinstance(schema, Mapping) else {})
        for one, schema in zip(declared, schemas, strict=True)
    )


_GB = 1024**3
FORMATS = (
    Supervised(
        "gemini",
        DatasetLimits(
            *(None, 1_000_000, 131_072, _GB, 5_000),
            source="Vertex: supervised fine-tuning of Gemini 2.5 Flash; 100 examples to begin with",
            checked="2026-11-21",
        ),
    ),
    Preference(
        "gemini-preference",
        DatasetLimits(*(None, 10_000_000, None, _GB, 5_000), source="Vertex: preference tuning", checked="2026-11-21"),
    ),
)
"""What the adapter brings."""
