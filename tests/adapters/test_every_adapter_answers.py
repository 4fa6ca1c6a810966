"""Every chat adapter held to a pydantic model: what it asks for, what it reads, and how it is asked again."""

from datetime import date

import pytest
from pydantic import BaseModel, Field
from talking import Desk
from ways import WAYS, Talk, Way
from wire import WireServer
from wires.shape import Wire, tables

from persona import AnswerRejected, BadRequest, InvalidAnswer, TextDelta

ways = pytest.mark.parametrize("way", WAYS)
GOOD = '{"number": "R-7", "due": "2026-12-01", "lines": [{"what": "tea", "cents": 350}]}'
BAD = '{"number": "R-7", "due": "soon", "lines": [{"what": "tea", "cents": "Zanzibar"}]}'


class Line(BaseModel):
    what: str
    cents: int = Field(ge=0, description="the price")


class Invoice(BaseModel):
    """One bill."""

    number: str
    due: date | None = None
    lines: list[Line]


INVOICE = Invoice(number="R-7", due=date(2026, 12, 1), lines=[Line(what="tea", cents=350)])
SCHEMA = {
    "description": "One bill.",
    "type": "object",
    "properties": {
        "number": {"type": "string"},
        "due": {"anyOf": [{"description": '(format: "date")', "type": "string"}, {"type": "null"}]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
    },
    "required": ["number", "due", "lines"],
    "additionalProperties": False,
    "$defs": {
        "Line": {
            "type": "object",
            "properties": {
                "what": {"type": "string"},
                "cents": {"description": "the price (minimum: 0)", "type": "integer"},
            },
            "required": ["what", "cents"],
            "additionalProperties": False,
        }
    },
}


class Free(BaseModel):
    """What no strict schema can say."""

    amounts: dict[str, int]


def prices(what: str) -> int:
    """The price of something."""
    return 350


@ways
def test_a_valid_reply_is_an_object_of_the_model(way: Way, wire: Wire, server: WireServer, desk: Desk) -> None:
    server.reply(GOOD)
    with Talk(way, desk, **tables(wire, server)) as talk:
        reply = talk.say("What do I owe?", answer=Invoice)
    assert (reply.answer, reply.text, reply.stop) == (INVOICE, GOOD, "end")
    assert wire.read(server.requests[-1]).answer == SCHEMA
    assert len(server.requests) == 1


@ways
def test_an_invalid_reply_is_asked_for_once_more(way: Way, wire: Wire, server: WireServer, desk: Desk) -> None:
    server.reply(BAD).reply(GOOD)
    with Talk(way, desk, **tables(wire, server)) as talk:
        reply = talk.say("What do I owe?", answer=Invoice)
        events = talk.events
    assert (reply.answer, reply.text, reply.usage.input_tokens) == (INVOICE, GOOD, 40)
    sent = wire.read(server.requests[-1])
    assert (sent.messages[-2].role, sent.messages[-2].texts) == ("assistant", (BAD,))
    assert "lines.0.cents: Input should be a valid integer" in sent.messages[-1].texts[-1]
    assert sent.answer == SCHEMA
    assert desk.log.outcomes() == [("failed", "InvalidAnswer"), ("answered", "")]
    assert [row["partial"] for row in desk.log.exchanges] == [BAD, ""]
    assert [row["role"] for row in desk.log.messages] == ["user", "assistant"]
    if way == "streamed":
        at = next(at for at, event in enumerate(events) if isinstance(event, AnswerRejected))
        said = ["".join(e.text for e in part if isinstance(e, TextDelta)) for part in (events[:at], events[at:])]
        assert said == [BAD, GOOD]


@ways
def test_a_reply_that_is_invalid_twice_is_an_error_and_no_reply(
    way: Way, wire: Wire, server: WireServer, desk: Desk
) -> None:
    server.reply("I cannot").reply(BAD).reply("Hello.")
    with Talk(way, desk, **tables(wire, server)) as talk:
        with pytest.raises(InvalidAnswer) as caught:
            talk.say("What do I owe?", answer=Invoice)
        assert talk.say("Hello?").text == "Hello."
    error = caught.value
    assert error.text == BAD
    assert [problem.partition(":")[0] for problem in error.problems] == ["due", "lines.0.cents"]
    assert f"suite:{wire.cool} gave no valid Invoice: 2 problem(s) (date_from_datetime_parsing, int_parsing)" in str(
        error
    )
    assert "Zanzibar" not in str(error)
    assert desk.log.outcomes() == [("failed", "InvalidAnswer")] * 2 + [("answered", "")]
    assert (desk.log.turns[0]["state"], desk.log.turns[0]["error"]) == ("failed", "InvalidAnswer")
    said = [text for message in wire.read(server.requests[-1]).messages for text in message.texts]
    assert said[-2:] == ["What do I owe?", "Hello?"]
    assert wire.read(server.requests[-1]).answer is None


def test_tools_run_before_the_answer_and_between_its_two_tries(wire: Wire, server: WireServer, desk: Desk) -> None:
    server.tool_call("prices", {"what": "tea"}, id="a").reply(BAD)
    server.tool_call("prices", {"what": "milk"}, id="b").reply(GOOD)
    reply = desk.chat(**tables(wire, server)).send("What do I owe?", tools=[prices], answer=Invoice)
    assert reply.answer == INVOICE
    sent = wire.read(server.requests[-1])
    assert [name for name, _ in sent.tools] == ["prices"]
    assert sent.answer == SCHEMA
    order: list[str] = []
    for message in sent.messages:
        order += [text for text in message.texts if text == BAD] + [id for id, _ in message.results]
    assert order == ["a", BAD, "b"]


def test_the_same_key_again_brings_the_stored_answer(wire: Wire, server: WireServer, desk: Desk) -> None:
    chat = desk.chat(**tables(wire, server))
    server.reply(GOOD)
    first = chat.send("What do I owe?", answer=Invoice, idempotency_key="k")
    again = chat.send("What do I owe?", answer=Invoice, idempotency_key="k")
    assert (again.id, again.answer, again.repeated) == (first.id, INVOICE, True)
    with pytest.raises(InvalidAnswer, match="under a new idempotency key"):
        chat.send("What do I owe?", answer=Free, idempotency_key="k")
    assert len(server.requests) == 1


def test_the_schema_is_in_the_plan_of_every_call(wire: Wire, server: WireServer, desk: Desk) -> None:
    chat = desk.chat(**tables(wire, server))
    server.reply("x").reply(GOOD)
    with_schema = chat.why(chat.send("What do I owe?", answer=Invoice).id)
    without = chat.why(chat.send("Thanks.").id)
    assert with_schema.answer > 50
    assert f"answer       {with_schema.answer:>6} tokens" in str(with_schema)
    assert (without.answer, without.prefix_tokens) == (0, 0)


def test_free_keys_are_asked_for_where_they_are_taken(wire: Wire, server: WireServer, desk: Desk) -> None:
    chat = desk.chat(**tables(wire, server))
    server.reply('{"amounts": {"tea": 350}}')
    if wire.free_keys:
        assert chat.send("What do I owe?", answer=Free).answer == Free(amounts={"tea": 350})
        return
    with pytest.raises(BadRequest, match="'Free' has"):
        chat.send("What do I owe?", answer=Free)
    assert server.requests == []
