"""The tool loop: functions described, run side by side, answered, and never left half in a window."""

import asyncio
import threading
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from talking import Desk, ask, assert_no_orphans, results_of

from persona import Event, InvalidInput, TextDelta, ToolFinished, ToolLoopExceeded, ToolResult, ToolStarted


def hours(day: str) -> str:
    """Says when the shop opens on a day."""
    return f"{day}: at nine"


class Day(Enum):
    MONDAY = "mon"
    SUNDAY = "sun"


class Address(BaseModel):
    street: str
    zip: int = 29200


def test_the_schema_comes_from_the_signature_and_the_docstring(desk: Desk) -> None:
    def find(
        text: str,
        day: Day,
        to: Address,
        limit: Annotated[int, Field(description="Most of them.", ge=1)] = 10,
        mode: Literal["fast", "full"] = "fast",
        tags: list[str] | None = None,
    ) -> str:
        """Finds orders.

        Slowly.
        """
        return ""

    chat = desk.chat()
    desk.model.then("no need")
    chat.send("hello", tools=[find])
    (tool,) = desk.model.requests[0].tools
    assert (tool.name, tool.description) == ("find", "Finds orders.\n\nSlowly.")
    shown = tool.parameters["properties"]
    assert list(shown) == ["text", "day", "to", "limit", "mode", "tags"]
    assert tool.parameters["required"] == ["text", "day", "to"]
    assert shown["text"] == {"type": "string"}
    assert shown["limit"] == {"default": 10, "description": "Most of them.", "minimum": 1, "type": "integer"}
    assert tool.parameters["additionalProperties"] is False
    assert tool.parameters["$defs"]["Day"]["enum"] == ["mon", "sun"]


def test_arguments_arrive_as_the_types_that_were_declared(desk: Desk) -> None:
    got: list[object] = []

    def go(day: Day, to: Address, limit: int = 3) -> None:
        got.extend((day, to, limit))

    arguments = '{"day": "sun", "to": {"street": "quai"}}'
    assert desk.result_of(go, arguments).text == "null"
    assert got == [Day.SUNDAY, Address(street="quai"), 3]


@pytest.mark.parametrize("name", ["json", "schema", "self_", "copy", "model_config", "validate", "class_"])
def test_a_parameter_may_have_any_name(desk: Desk, name: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def tool({name}: str) -> str:\n    return {name}", scope)  # noqa: S102 - the name is the test's
    assert desk.result_of(scope["tool"], f'{{"{name}": "x"}}').text == "x"


def _more(*args: str) -> None: ...
def _any(**kwargs: str) -> None: ...
def _file(at: threading.Thread) -> None: ...


@pytest.mark.parametrize("tool", [_more, _any, _file], ids=["args", "kwargs", "not JSON"])
def test_a_function_that_cannot_be_described_is_refused_before_anything_is_stored(desk: Desk, tool: Any) -> None:
    chat = desk.chat()
    with pytest.raises(InvalidInput, match="every parameter a"):
        chat.send("hello", tools=[tool])
    assert desk.log.turns == []


def test_two_tools_of_one_name_are_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="two tools are named 'hours'"):
        desk.chat().send("hello", tools=[hours, hours])


def test_a_function_without_a_name_that_a_model_can_say_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="give it a name of letters, digits, _ or -"):
        desk.chat().send("hello", tools=[lambda: "x"])


def test_what_a_partial_has_bound_is_neither_shown_to_the_model_nor_taken_from_it(desk: Desk) -> None:
    def orders(user: str, day: str, limit: int = 3) -> str:
        """Lists orders."""
        return f"{user} {day} {limit}"

    chat = desk.chat()
    mine = partial(orders, "ada", limit=9)
    desk.model.then(
        [ask("orders", '{"day": "Monday"}'), ask("orders", '{"day": "Monday", "limit": 1000}', "call_2")], "done"
    )
    chat.send("go", tools=[mine])
    (tool,) = desk.model.requests[0].tools
    assert (tool.description, list(tool.parameters["properties"])) == ("Lists orders.", ["day"])
    one, other = results_of(desk.model.requests[-1])
    assert one.text == "ada Monday 9"
    assert other.failed


@dataclass
class Shelf:
    """An object that can be called, and that is equal to others like it: such a one has no hash."""

    content: str

    def __call__(self, at: str) -> str:
        """Looks at a shelf."""
        return f"{self.content} at {at}"


def test_an_object_that_can_be_called_is_a_tool_of_its_own(desk: Desk) -> None:
    for content in ("tea", "books"):
        chat = desk.chat()
        desk.model.then(ask("Shelf", '{"at": "a1"}'), "done")
        chat.send("go", tools=[Shelf(content)])
        assert results_of(desk.model.requests[-1])[0].text == f"{content} at a1"


def test_a_stream_shows_calls_and_results_between_the_words(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(["Wait.", ask("hours", '{"day": "Monday"}')], "At nine.")
    with chat.stream("When?", tools=[hours]) as turn:
        events: list[Event] = list(turn)
    result = ToolResult("call_1", "hours", "Monday: at nine")
    assert events[0] == TextDelta("Wait.")
    assert events[1:3] == [ToolStarted(ask("hours", '{"day": "Monday"}')), ToolFinished(result)]
    assert turn.reply.text == "At nine."
    assert [message.role for message in chat.messages()] == ["user", "assistant", "tool", "assistant"]


async def test_calls_of_one_round_run_side_by_side_whether_async_or_not(desk: Desk) -> None:
    both = asyncio.Barrier(2)
    threads = threading.Barrier(2)

    async def asynchronous(n: int) -> int:
        await asyncio.wait_for(both.wait(), 5)
        return n

    def synchronous(n: int) -> int:
        threads.wait(5)
        return n

    calls = [ask("asynchronous" if n < 2 else "synchronous", f'{{"n": {n}}}', f"c{n}") for n in range(4)]
    desk.model.then(calls, "done")
    async with desk.open_async() as assistant:
        await assistant.user("ada").conversation().send("go", tools=[asynchronous, synchronous])
    assert [(part.call_id, part.text) for part in results_of(desk.model.requests[-1])] == [
        ("c0", "0"),
        ("c1", "1"),
        ("c2", "2"),
        ("c3", "3"),
    ]


async def test_a_tool_sees_the_context_of_its_caller(desk: Desk) -> None:
    who: ContextVar[str] = ContextVar("who")

    def whoami() -> str:
        return who.get()

    desk.model.then(ask("whoami", "{}"), "done")
    async with desk.open_async() as assistant:
        who.set("the caller")
        await assistant.user("ada").conversation().send("go", tools=[whoami])
    assert results_of(desk.model.requests[-1])[0].text == "the caller"


def test_each_round_is_committed_before_its_tools_run(desk: Desk) -> None:
    seen: list[object] = []

    def look() -> str:
        exchanges = [(row["outcome"], row["stop"]) for row in desk.log.exchanges]
        seen.append((exchanges, [row["role"] for row in desk.log.messages]))
        return "seen"

    chat = desk.chat()
    desk.model.then(ask("look", "{}"), ask("look", "{}"), "done")
    chat.send("go", tools=[look])
    one = ("answered", "tool_calls")
    assert seen == [
        ([one], ["user", "assistant"]),
        ([one, one], ["user", "assistant", "tool", "assistant"]),
    ]
    assert [row["number"] for row in desk.log.exchanges] == [0, 1, 2]


def test_the_model_may_call_as_often_as_the_limit_says_and_no_more(desk: Desk) -> None:
    chat = desk.chat(turn={"max_tool_rounds": 2})
    desk.model.then(ask("hours", '{"day": "Monday"}'), ask("hours", '{"day": "Monday"}'), "done")
    assert chat.send("When?", tools=[hours]).text == "done"
    ran: list[str] = []

    def count(day: str) -> str:
        ran.append(day)
        return "ok"

    desk.model.then(*[ask("count", '{"day": "Monday"}')] * 3)
    with pytest.raises(ToolLoopExceeded, match=r"more than 2 times.*max_tool_rounds"):
        chat.send("And then?", tools=[count])
    assert ran == ["Monday", "Monday"]
    assert (desk.log.turns[-1]["state"], desk.log.turns[-1]["error"]) == ("failed", "ToolLoopExceeded")
    assert not desk.log.claimed
    desk.model.then("back")
    assert chat.send("still there?").text == "back"
    assert_no_orphans(desk.model.requests[-1])
