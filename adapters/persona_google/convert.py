"""persona's values to the generateContent format and back: pure, no I/O.

System messages leave the sequence and become the system instruction. The rest alternates between user and model:
messages of one side that follow each other (an unanswered message and the next, a tool's results and what the user
says then) share one.
"""

import json
import mimetypes
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from persona.adapter import valid
from persona.values.message import Image, Part, Role, Text, ToolCall, ToolResult
from persona.values.request import Request, StopReason, Tool, Usage
from persona_google.catalog import answers_beside_tools, signs_calls, takes_temperature

Json = dict[str, Any]  # the wire's own shapes: JSON is open-ended by nature

STOPS: dict[str, StopReason] = {
    "STOP": "end",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "refused",
    "RECITATION": "refused",
    "BLOCKLIST": "refused",
    "PROHIBITED_CONTENT": "refused",
    "SPII": "refused",
    "IMAGE_SAFETY": "refused",
    "IMAGE_PROHIBITED_CONTENT": "refused",
    "ESCALATION": "refused",
    "MODEL_ARMOR": "refused",
}

UNSIGNED = "skip_thought_signature_validator"
"""What the vendor lets stand for the signature of a call that another model made (guide "Thought signatures")."""

ONLY_ASKED = "Once no tool is needed, reply with JSON alone, by this JSON Schema: "
"""What asks for an answer where tools are offered and the API cannot hold the model to a schema beside them."""

_MARK = "google:"  # tells our signatures from another vendor's, in a conversation that changes its model
_SIDES: dict[Role, str] = {"system": "system", "user": "user", "assistant": "model", "tool": "user"}
_DATA_URL = re.compile(r"data:(image/[\w.+-]+);base64,(.*)", re.DOTALL)


def to_wire(request: Request) -> Json:
    """The JSON body of one call: only the options that were set, a temperature only where the model takes one.

    Messages without a word in them are left out: the API refuses empty text.
    """
    signs = signs_calls(request.model)
    system: list[Json] = []
    contents: list[Json] = []
    for side, group in groupby(request.messages, key=lambda message: _SIDES[message.role]):
        parts = [wire for message in group for wire in _parts(message.parts, signs)]
        if side == "system":
            system += parts
        elif contents and contents[-1]["role"] == side:  # a system message stood between them
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": side, "parts": parts})
    if request.answer and not _enforces(request):
        system.append({"text": f"{ONLY_ASKED}{json.dumps(request.answer.schema, ensure_ascii=False)}"})
    body: Json = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    if request.tools:
        body["tools"] = [{"functionDeclarations": tools_to_wire(request.tools)}]
    if options := _options(request):
        body["generationConfig"] = options
    return body


def tools_to_wire(tools: Iterable[Tool]) -> list[Json]:
    """Declared functions, in the given order."""
    return [{"name": t.name, "description": t.description, "parametersJsonSchema": t.parameters} for t in tools]


def call_from_wire(part: Mapping[str, Any], id: str) -> ToolCall | None:
    """The tool call that a part of a reply holds, with its signature; `id` is for one that came without."""
    call = part.get("functionCall")
    if call is None:
        return None
    signature = part.get("thoughtSignature")
    arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
    return ToolCall(call.get("id") or id, call["name"], arguments, f"{_MARK}{signature}" if signature else "")


def usage_from_wire(usage: object) -> Usage:
    """Tokens as reported; what is missing or no whole number is None.

    The format counts thoughts beside the reply, and here they are a part of the output.
    """
    if not isinstance(usage, Mapping):
        return Usage()
    prompt, tools = _count(usage, "promptTokenCount"), _count(usage, "toolUsePromptTokenCount")
    reply, thoughts = _count(usage, "candidatesTokenCount"), _count(usage, "thoughtsTokenCount")
    return Usage(
        input_tokens=None if prompt is None else prompt + (tools or 0),
        output_tokens=None if reply is None and thoughts is None else (reply or 0) + (thoughts or 0),
        cache_read_tokens=_count(usage, "cachedContentTokenCount"),
        reasoning_tokens=thoughts,
    )


def _count(counts: Mapping[str, Any], key: str) -> int | None:
    value = counts.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _options(request: Request) -> Json:
    options: Json = {}
    if request.max_output_tokens is not None:
        options["maxOutputTokens"] = request.max_output_tokens
    if request.temperature is not None and takes_temperature(request.model):
        options["temperature"] = request.temperature
    if request.answer and _enforces(request):
        options["responseMimeType"] = "application/json"
        options["responseJsonSchema"] = request.answer.schema
    return options


def _enforces(request: Request) -> bool:
    """Whether the API can hold this reply to a schema."""
    return not request.tools or answers_beside_tools(request.model)


def _parts(parts: Sequence[Part], signs: bool) -> Iterator[Json]:
    first = True
    for part in parts:
        if isinstance(part, Text):
            if part.text:
                yield {"text": valid(part.text)}
        elif isinstance(part, ToolCall):
            yield _call(part, signs and first)
            first = False
        elif isinstance(part, ToolResult):
            yield _result(part)
        else:
            yield _image(part)


def _call(call: ToolCall, must_sign: bool) -> Json:
    """A call as the model made it; of several at once, only the first has a signature."""
    wire: Json = {"functionCall": {"id": call.id, "name": valid(call.name), "args": _arguments(call.arguments)}}
    if call.signature.startswith(_MARK):
        wire["thoughtSignature"] = call.signature.removeprefix(_MARK)
    elif must_sign:
        wire["thoughtSignature"] = UNSIGNED
    return wire


def _arguments(written: str) -> Json:
    """The arguments as an object, which the format requires; text that is none is wrapped in one."""
    try:
        parsed = json.loads(valid(written))
        json.dumps(parsed, allow_nan=False)
    except (ValueError, RecursionError):
        return {"arguments": valid(written)} if written.strip() else {}
    return cleaned(parsed) if isinstance(parsed, dict) else {"arguments": cleaned(parsed)}


def _result(result: ToolResult) -> Json:
    said = {"error" if result.failed else "output": valid(result.text)}
    return {"functionResponse": {"id": result.call_id, "name": valid(result.name), "response": said}}


def _image(image: Image) -> Json:
    """A picture inside the request when its URL holds it, else by its address, which the vendor fetches."""
    if inline := _DATA_URL.fullmatch(image.url):
        return {"inlineData": {"mimeType": inline[1], "data": inline[2]}}
    kind, _ = mimetypes.guess_type(image.url.partition("?")[0])
    return {"fileData": {"mimeType": kind or "image/jpeg", "fileUri": valid(image.url)}}


def cleaned(value: Any) -> Any:
    """The same JSON with every text as `valid` makes it: escapes may hold halves of surrogate pairs."""
    if isinstance(value, str):
        return valid(value)
    if isinstance(value, dict):
        return {valid(key): cleaned(one) for key, one in value.items()}
    return [cleaned(one) for one in value] if isinstance(value, list) else value
