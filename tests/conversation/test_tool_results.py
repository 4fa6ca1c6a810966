"""What tools give back: results, failures and silence, all of it told to the model."""

import asyncio
import threading
from enum import Enum

import pytest
from pydantic import BaseModel
from talking import Desk, ask, results_of

from persona.values.request import Finish, Usage


def hours(day: str) -> str:
    """Says when the shop opens on a day."""
    return f"{day}: at nine"


class Day(Enum):
    MONDAY = "mon"
    SUNDAY = "sun"


class Address(BaseModel):
    street: str
    zip: int = 29200


def test_an_exception_of_a_tool_is_told_to_the_model(desk: Desk) -> None:
    def fail() -> str:
        raise LookupError("no such order")

    result = desk.result_of(fail)
    assert (result.text, result.failed) == ("error: LookupError: no such order", True)


def test_a_timeout_of_the_tools_own_is_not_taken_for_ours(desk: Desk) -> None:
    def fetch() -> str:
        raise TimeoutError("the shop did not answer")

    assert desk.result_of(fetch).text == "error: TimeoutError: the shop did not answer"


def test_a_cancellation_inside_a_tool_cancels_no_turn(desk: Desk) -> None:
    async def fetch() -> str:
        waiting = asyncio.ensure_future(asyncio.Event().wait())
        waiting.cancel()
        await waiting
        return "never"

    result = desk.result_of(fetch)
    assert (result.text, result.failed) == ("error: CancelledError: ", True)


def test_a_tool_that_wants_to_end_the_process_only_ends_its_call(desk: Desk) -> None:
    def leave() -> str:
        raise SystemExit(3)

    assert desk.result_of(leave).failed


async def test_a_tool_that_hangs_is_given_up_and_the_model_is_told(desk: Desk) -> None:
    gone: list[str] = []

    async def hang() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            gone.append("cancelled")
            raise
        return "never"

    desk.model.then(ask("hang", "{}"), "done")
    async with desk.open_async(turn={"tool_timeout_s": 0.02}) as assistant:
        assert (await assistant.user("ada").conversation().send("go", tools=[hang])).text == "done"
    (result,) = results_of(desk.model.requests[-1])
    assert (result.text, result.failed) == ("error: no result after 0.02 seconds", True)
    assert gone == ["cancelled"]


def test_a_plain_function_that_hangs_holds_up_neither_the_turn_nor_the_end(desk: Desk) -> None:
    go = threading.Event()

    def hang() -> str:
        go.wait(20)
        return "late"

    result = desk.result_of(hang, turn={"tool_timeout_s": 0.02})
    go.set()
    assert result.text == "error: no result after 0.02 seconds"


def test_a_huge_result_is_cut_and_says_so(desk: Desk) -> None:
    def everything() -> str:
        return "x" * 5_000_000

    result = desk.result_of(everything, turn={"max_tool_result_chars": 300})
    assert result.text.startswith("x" * 300 + "\n[cut: the first 300 of 5000000 characters]")
    assert len(result.text) < 400
    assert result.cut_from == 5_000_000
    stored = next(row["parts"] for row in desk.log.messages if row["role"] == "tool")
    assert stored.endswith(",5000000]}]")  # also in the log


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("weather", "{}", "there is no such tool; there are: hours"),
        ("hours", "{}", "day: Field required"),
        ("hours", '{"day": 1}', "day: Input should be a valid string"),
        ("hours", '{"day": "Monday", "week": 2}', "week: Extra inputs are not permitted"),
        ("hours", '{"day": "Mon', "Invalid JSON"),
        ("hours", "[]", "do not fit"),
        ("", "", "there is no such tool"),
    ],
)
def test_calls_that_cannot_be_made_are_told_to_the_model(desk: Desk, name: str, arguments: str, says: str) -> None:
    chat = desk.chat()
    desk.model.then(ask(name, arguments), "sorry")
    assert chat.send("When?", tools=[hours]).text == "sorry"
    (result,) = results_of(desk.model.requests[-1])
    assert result.failed
    assert says in result.text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ({"é": [1, None]}, '{"é": [1, null]}'),
        (None, "null"),
        (Address(street="quai"), '{"street":"quai","zip":29200}'),
        (Day.SUNDAY, '"Day.SUNDAY"'),
        ("a\x00b\ud800", "a\ufffdb\ufffd"),
        ({1, 2}, '"{1, 2}"'),
    ],
    ids=["str", "dict", "None", "model", "enum", "unstorable", "set"],
)
def test_whatever_a_tool_returns_becomes_text(desk: Desk, value: object, text: str) -> None:
    def give() -> object:
        return value

    assert desk.result_of(give).text == text


def test_a_result_that_cannot_be_written_is_a_failure_told_to_the_model(desk: Desk) -> None:
    loop: list[object] = []
    loop.append(loop)

    def give() -> object:
        return loop

    assert desk.result_of(give).failed


def test_usage_and_cost_of_a_turn_are_those_of_all_its_calls(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(
        [ask("hours", '{"day": "Monday"}'), Finish("tool_calls", Usage(10, 2))], ["done", Finish("end", Usage(30, 5))]
    )
    reply = chat.send("When?", tools=[hours], idempotency_key="k")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (40, 7)
    assert chat.send("When?", tools=[hours], idempotency_key="k").usage == reply.usage
