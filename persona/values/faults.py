"""What can be wrong with messages that are objects with a role and content, and with declared tools."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona.values.example import Problem

ROLES = {"system", "developer", "user", "assistant", "tool"}
_KNOWN = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "refusal", "audio", "reasoning_content"}
_KNOWN |= {"function_call", "prefix", "thinking", "channels", "reasoning"}


@dataclass(frozen=True, slots=True)
class RoleForm:
    """What the messages of one form may hold.

    `weights`: an assistant's message may say that it carries no loss. `objects`: the arguments of a call are an
    object, not JSON text. `named`: a result names its tool. `apart`: an assistant's message has either words or calls.
    `strict`: one system message at most, and it is first; then user and assistant in turn. `call_id` is a pattern that
    ids of calls must match.
    """

    weights: bool = False
    images: bool = False
    objects: bool = False
    named: bool = False
    apart: bool = False
    strict: bool = False
    call_id: str = ""


def tool_problems(value: object) -> list[Problem]:
    """What is wrong with declared functions."""
    try:
        found = json.loads(value) if isinstance(value, str) and value else value or []
    except (ValueError, RecursionError):
        return [Problem("tools is not JSON", "write the list of tools as JSON", where="tools")]
    if not isinstance(found, list):
        return [Problem("tools is not a list", "write the tools as a list of functions", where="tools")]
    faults = []
    for place, one in enumerate(found):
        function = one.get("function", one) if isinstance(one, Mapping) else None
        named = isinstance(function, Mapping) and isinstance(function.get("name"), str) and function["name"]
        if not named or not isinstance(function.get("parameters") or {}, Mapping):  # type: ignore[union-attr]
            hint = 'write {"type": "function", "function": {"name": …, "parameters": {…}}}'
            faults.append(Problem("a tool is not a function with a name and parameters", hint, where=f"tools[{place}]"))
    return faults


def problems(rows: object, form: RoleForm, where: str = "messages") -> list[Problem]:
    """What is wrong with messages that anybody wrote."""
    if not isinstance(rows, list) or not rows:
        return [Problem(f"missing_messages_list: {where} is no list of messages", "write at least two", where=where)]
    faults: list[Problem] = []
    for place, row in enumerate(rows):
        found = _row_problems(row, form)
        if found:
            faults += [Problem(p.reason, p.hint, p.error, f"{where}[{place}]{p.where}") for p in found]
    if any(fault.error for fault in faults):
        return faults  # the order of messages that cannot be read says nothing
    return faults + [Problem(p.reason, p.hint, p.error, f"{where}{p.where}") for p in _order_problems(rows, form)]


def _row_problems(row: object, form: RoleForm) -> list[Problem]:
    if not isinstance(row, Mapping):
        return [Problem("data_type: a message is no object", 'write {"role": …, "content": …}')]
    role, faults = row.get("role"), []
    if role is None:
        return [Problem("message_missing_key: a message has no role", "add its role: system, user or assistant")]
    if not isinstance(role, str) or role not in ROLES:
        return [Problem("unrecognized_role", "the roles are system, user, assistant and tool")]
    if not row.keys() <= _KNOWN:
        faults.append(Problem("message_unrecognized_key: a message has a key nobody reads", "remove it"))
    weight = row.get("weight")
    if weight is not None and (weight not in (0, 1) or role != "assistant" or isinstance(weight, bool)):
        faults.append(Problem("a weight is not 0 or 1 of an assistant's message", "correct or remove it"))
    elif weight == 0 and not form.weights:
        hint = "leave the weight out, or write a form that trains on the last message alone"
        faults.append(Problem("a weight is there, and the consumer knows none", hint, error=False))
    calls = row.get("tool_calls")
    if calls:
        faults += _call_problems(calls, form, role)
        if form.apart and row.get("content"):
            faults.append(Problem("an assistant's message has words beside its tool calls", "remove its content"))
    return faults + _content_problems(row, role, form, bool(calls))


def _content_problems(row: Mapping[str, Any], role: str, form: RoleForm, calls: bool) -> list[Problem]:
    content = row.get("content")
    if isinstance(content, str):
        if content.strip() or role == "tool" or calls:
            return []
        return [Problem("missing_content: a message is empty", "remove the message, or write its text")]
    if content is None:
        if calls or row.get("function_call"):
            return []
        kind = "missing_content: a message has no content" if "content" in row else None
        return [Problem(kind or "message_missing_key: a message has no content", "add its content as text")]
    if not isinstance(content, list) or not content:
        return [Problem("missing_content: content is not text", "write the content as text")]
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            continue
        if kind != "image_url" or not _picture_address(part):
            return [Problem("a part of the content is neither text nor picture", "write the content as text")]
        if not form.images or role != "user":
            return [Problem("a picture where none is taken", "remove the picture")]
    return []


def _call_problems(calls: object, form: RoleForm, role: str) -> list[Problem]:
    if role != "assistant" or not isinstance(calls, list):
        return [Problem("tool_calls is not a list of an assistant's calls", "only an assistant calls tools")]
    for call in calls:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str) or not function["name"]:
            return [Problem("a tool call names no function", 'write {"id": …, "function": {"name": …}}')]
        id = call.get("id")
        if form.call_id and not (isinstance(id, str) and re.fullmatch(form.call_id, id)):
            return [Problem("the id of a tool call has the wrong form", f"it must match {form.call_id}")]
        if not form.objects and (not isinstance(id, str) or not id):
            return [Problem("a tool call has no id", "give it one, and name it in the result's tool_call_id")]
        if not _arguments_fit(function.get("arguments"), form):
            wanted = "an object" if form.objects else "JSON text of an object"
            return [Problem("the arguments of a tool call have the wrong form", f"write them as {wanted}")]
    return []


def _arguments_fit(arguments: object, form: RoleForm) -> bool:
    if form.objects:
        return isinstance(arguments, Mapping)
    try:
        return isinstance(arguments, str) and isinstance(json.loads(arguments or "{}"), dict)
    except (ValueError, RecursionError):
        return False


def _order_problems(rows: Sequence[Mapping[str, Any]], form: RoleForm) -> Iterator[Problem]:
    waiting: list[str] | None = None  # the calls of the last assistant that are not answered
    before = ""
    for place, row in enumerate(rows):
        role, where = row["role"], f"[{place}]"
        if role == "tool":
            id = row.get("tool_call_id")
            if not waiting or (id is not None and id not in waiting) or (id is None and not form.objects):
                yield Problem(
                    "a tool's result answers no call", "put it after the call, with its tool_call_id", True, where
                )
                return
            waiting.remove(id if id is not None else waiting[0])
        elif waiting:
            yield Problem("a tool call has no result", "add the tool message that answers it", True, where)
            return
        elif form.strict and not _follows(before, role, place):
            hint = "begin with system or user, then user and assistant in turn"
            yield Problem("a message out of turn", hint, True, where)
            return
        if role == "assistant":
            waiting = [str(call.get("id", f"call_{n}")) for n, call in enumerate(row.get("tool_calls") or ())]
        before = role
    if before != "assistant":
        hint = "end with the reply that is to be learnt"
        found = any(row["role"] == "assistant" for row in rows)
        reason = "the last message is not the assistant's" if found else "example_missing_assistant_message"
        yield Problem(reason, hint, True)
    elif all(row.get("weight") == 0 for row in rows if row["role"] == "assistant"):
        yield Problem("every assistant's message has weight 0", "leave weight 1 on what is to be learnt", True)


def _follows(before: str, role: str, place: int) -> bool:
    if role in ("system", "developer"):
        return place == 0
    if role == "user":
        return before in ("", "system", "developer", "assistant")
    return before in ("user", "tool")


def _picture_address(part: Mapping[str, Any]) -> bool:
    picture = part.get("image_url")
    return isinstance(picture, str) or (isinstance(picture, Mapping) and isinstance(picture.get("url"), str))
