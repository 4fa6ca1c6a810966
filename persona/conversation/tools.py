"""Python functions as tools: schemas from their signatures, arguments validated, errors given back to the model."""

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError

from persona.conversation.threads import in_thread
from persona.errors import InvalidInput
from persona.store.codec import storable
from persona.telemetry.watching import Telemetry
from persona.values.message import ToolCall, ToolResult
from persona.values.request import Tool

_SAYABLE = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what providers take as a function's name

ToolFunction = Callable[..., Any]
"""Any function, plain or async, whose parameters have types that pydantic knows."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A function the model may call, with the schema it is shown and the model its arguments must fit."""

    tool: Tool
    function: ToolFunction
    arguments: type[BaseModel]


def offer(functions: Sequence[ToolFunction]) -> dict[str, Offered]:
    """The functions by name. Raises InvalidInput for one that cannot be described, or two of one name."""
    offered: dict[str, Offered] = {}
    for function in functions:
        described = _known(function) if inspect.isroutine(function) else _describe(function)
        if described.tool.name in offered:
            raise InvalidInput(f"two tools are named {described.tool.name!r}", hint="rename one of them")
        offered[described.tool.name] = described
    return offered


async def run_all(
    calls: Sequence[ToolCall], offered: dict[str, Offered], timeout_s: float, max_chars: int, telemetry: Telemetry
) -> list[ToolResult]:
    """The results of calls that run side by side, in the order of the calls. Never raises what a tool raised."""
    return list(await asyncio.gather(*(_run(call, offered, timeout_s, max_chars, telemetry) for call in calls)))


def _describe(function: ToolFunction) -> Offered:
    inner, bound = (function.func, function.keywords) if isinstance(function, partial) else (function, {})
    name = getattr(inner, "__name__", type(inner).__name__)
    if not _SAYABLE.fullmatch(name):
        raise InvalidInput(f"a tool is named {name!r}", hint="give it a name of letters, digits, _ or -, 64 at most")
    try:
        # what a partial has bound is the caller's to say: the model is not shown it
        free = [one for one in inspect.signature(function, eval_str=True).parameters.values() if one.name not in bound]
        fields: dict[str, Any] = {f"field_{at}": _field(name, parameter) for at, parameter in enumerate(free)}
        arguments = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        schema = arguments.model_json_schema()
    except (NameError, TypeError, ValueError, PydanticUserError) as error:
        raise InvalidInput(
            f"tool {name!r} cannot be described: {type(error).__name__}",
            hint="give every parameter a type that JSON has, such as str, int, float, bool, list or a pydantic model",
        ) from error
    schema.pop("title", None)
    for described in schema.get("properties", {}).values():
        described.pop("title", None)  # it repeats the name, and costs tokens
    return Offered(Tool(name, inspect.getdoc(inner) or "", schema), function, arguments)


_known = lru_cache(maxsize=256)(_describe)  # of functions and methods; an object that can be called may have no hash


def _field(tool: str, parameter: inspect.Parameter) -> tuple[Any, Any]:
    """A parameter as a field, under a name of its own: pydantic keeps some names, such as `json`, for itself."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise InvalidInput(
            f"tool {tool!r} has the parameter {parameter}", hint="give every parameter a name and a type"
        )
    empty = parameter.empty
    annotation = Any if parameter.annotation is empty else parameter.annotation
    default = ... if parameter.default is empty else parameter.default
    return annotation, Field(default, alias=parameter.name)


async def _run(
    call: ToolCall, offered: dict[str, Offered], timeout_s: float, max_chars: int, telemetry: Telemetry
) -> ToolResult:
    found = offered.get(call.name)
    if found is None:  # nothing ran, and the name is the model's own words: nothing is told
        names = ", ".join(offered) or "none"
        return ToolResult(call.id, call.name, f"error: there is no such tool; there are: {names}", failed=True)
    with telemetry.tool(call) as span:
        result, error = await _outcome(call, found, timeout_s, max_chars)
        span.gave(result, error)
        return result


async def _outcome(call: ToolCall, found: Offered, timeout_s: float, max_chars: int) -> tuple[ToolResult, str]:
    """The result, and the name of what was raised on the way."""
    try:
        parsed = found.arguments.model_validate_json(call.arguments or "{}")
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors())
        text = f"error: the arguments do not fit: {wrong}"
        return ToolResult(call.id, call.name, text, failed=True), type(error).__name__
    fields = type(parsed).model_fields
    arguments = {str(field.alias): getattr(parsed, name) for name, field in fields.items()}
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            return _result(call, await _call(found.function, arguments), max_chars), ""
    except (Exception, SystemExit, asyncio.CancelledError) as error:  # what a tool raises is its answer
        if _cancelled_from_outside(error):
            raise
        late = f"no result after {timeout_s:g} seconds" if limit.expired() else f"{type(error).__name__}: {error}"
        kind = "TimeoutError" if limit.expired() else type(error).__name__
        return ToolResult(call.id, call.name, storable(f"error: {late}")[:max_chars], failed=True), kind


def _cancelled_from_outside(error: BaseException) -> bool:
    """Whether the turn was cancelled, and not something that the tool waited for."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


async def _call(function: ToolFunction, arguments: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    value = await in_thread(lambda: function(**arguments))
    return await value if inspect.isawaitable(value) else value


def _result(call: ToolCall, value: object, max_chars: int) -> ToolResult:
    if isinstance(value, BaseModel):
        text = value.model_dump_json()
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = storable(text)
    if len(text) <= max_chars:
        return ToolResult(call.id, call.name, text)
    cut = f"{text[:max_chars]}\n[cut: the first {max_chars} of {len(text)} characters]"
    return ToolResult(call.id, call.name, cut, cut_from=len(text))
