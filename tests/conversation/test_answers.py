"""Replies held to a pydantic model: the schema, its tokens, and what is kept of a try that failed."""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, RootModel
from talking import Desk, ask

from persona import AnswerRejected, BadRequest, InvalidAnswer, InvalidInput, WindowTooSmall
from persona.conversation.answers import expected
from persona.testing import ScriptedModel, WordTokenizer
from persona.values.request import AnswerSchema, Finish
from persona.window.counting import Counter

COUNTER = Counter(WordTokenizer())


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(9, ge=0)


class Dog(BaseModel):
    kind: Literal["dog"]
    title: str = Field(description="how it is called")


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Home(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Field(description="who lives there")
    other: Cat = Field(description="who else")
    mood: Mood = Mood.GOOD


class Person(BaseModel):
    name: str = Field(alias="Name")
    children: list["Person"] = []


class Anything(BaseModel):
    value: Any
    pair: tuple[int, str]


class Numbers(RootModel[list[int]]):
    pass


class Hour(BaseModel):
    hour: int = Field(lt=24)


class Day(BaseModel):
    day: int = Field(lt=24)


def schema_of(model: type[BaseModel]) -> AnswerSchema:
    awaited = expected(model)
    assert awaited is not None
    return awaited.schema


# the schema


def test_every_object_is_closed_and_what_the_subset_cannot_say_is_described() -> None:
    cat = {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["cat"]},
            "lives": {"description": "(default: 9, minimum: 0)", "type": "integer"},
        },
        "required": ["kind", "lives"],
        "additionalProperties": False,
    }
    dog = {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["dog"]},
            "title": {"description": "how it is called", "type": "string"},
        },
        "required": ["kind", "title"],
        "additionalProperties": False,
    }
    pets = [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]
    assert schema_of(Home) == AnswerSchema(
        "Home",
        {
            "type": "object",
            "properties": {
                "pet": {"description": "who lives there", "anyOf": pets},
                "other": {"description": "who else", "anyOf": [{"$ref": "#/$defs/Cat"}]},
                "mood": {"description": '(default: "good")', "anyOf": [{"$ref": "#/$defs/Mood"}]},
            },
            "required": ["pet", "other", "mood"],
            "additionalProperties": False,
            "$defs": {"Cat": cat, "Dog": dog, "Mood": {"type": "string", "enum": ["good", "bad"]}},
        },
    )


def test_a_model_that_holds_its_own_kind_has_an_object_at_its_root() -> None:
    schema = schema_of(Person)
    assert schema.strict
    assert schema.schema["properties"]["Name"] == {"type": "string"}
    assert schema.schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Person"}
    assert schema.schema["$defs"]["Person"]["required"] == ["Name", "children"]


def test_what_no_strict_schema_can_say_is_left_as_it_is() -> None:
    schema = schema_of(Anything)
    assert not schema.strict
    assert schema.schema["properties"]["value"] == {}
    assert [one["type"] for one in schema.schema["properties"]["pair"]["prefixItems"]] == ["integer", "string"]


def test_the_name_is_one_that_providers_take() -> None:
    class Geöffnet(BaseModel):
        hour: int

    assert schema_of(Geöffnet).name == "Ge_ffnet"


@pytest.mark.parametrize("answer", [int, list[int], "Hour", Numbers])
def test_what_is_no_model_with_fields_is_refused_before_anything_is_stored(desk: Desk, answer: Any) -> None:
    chat = desk.chat()
    with pytest.raises(InvalidInput):
        chat.send("When?", answer=answer)
    assert desk.log.messages == []


def test_a_field_that_json_does_not_have_is_named() -> None:
    class Called(BaseModel):
        back: Callable[[], None]

    with pytest.raises(InvalidInput, match="answer 'Called' cannot be described"):
        expected(Called)


# the turn


def test_the_plan_counts_what_goes_out_on_every_call(desk: Desk) -> None:
    def hours() -> str:
        """Says when."""
        return "at nine"

    desk.model = ScriptedModel(ask("hours"), '{"hour": 99}', '{"hour": 9}', tokenizer=WordTokenizer())
    chat = desk.chat()
    reply = chat.send("When do you open?", tools=[hours], answer=Hour)
    assert reply.answer == Hour(hour=9)
    totals = [COUNTER.request(one.messages, one.tools, one.answer) for one in desk.model.requests]
    assert totals[0] > COUNTER.request(desk.model.requests[0].messages, desk.model.requests[0].tools)
    plan = chat.why(reply.id)
    assert (plan.total, plan.answer) == (totals[-1], COUNTER.answer(schema_of(Hour)))
    assert plan.prefix_tokens == totals[-2] - COUNTER.framing.per_request
    assert "answer" in str(plan)


def test_the_same_schema_is_part_of_the_unchanged_prefix_and_another_one_ends_it(desk: Desk) -> None:
    desk.model = ScriptedModel(*['{"hour": 9}'] * 3, '{"day": 9}', tokenizer=WordTokenizer())
    chat = desk.chat()
    first, second = (chat.why(chat.send("When?", answer=Hour).id) for _ in range(2))
    shared = second.section("instructions").tokens + COUNTER.answer(schema_of(Hour))
    assert (first.prefix_tokens, second.prefix_tokens) == (0, shared)
    third = chat.why(chat.send("When?", answer=Hour).id)
    assert third.prefix_tokens == shared + second.history.tokens
    other = chat.why(chat.send("When?", answer=Day).id)
    assert (other.answer, other.prefix_tokens) == (third.answer, 0)


def test_the_mending_stays_out_of_history_and_of_the_next_request(desk: Desk) -> None:
    desk.model = ScriptedModel('{"hour": 99}', '{"hour": 9}', "You are welcome.")
    chat = desk.chat()
    chat.send("When do you open?", answer=Hour)
    chat.send("Thanks.")
    assert [message.text for message in chat.messages()] == [
        "When do you open?",
        '{"hour": 9}',
        "Thanks.",
        "You are welcome.",
    ]
    assert "99" not in "".join(message.text for message in desk.model.requests[-1].messages)
    assert desk.model.requests[-1].answer is None


def test_a_stream_says_when_what_it_showed_is_to_be_forgotten(desk: Desk) -> None:
    desk.model = ScriptedModel("nine", '{"hour": 9}')
    with desk.chat().stream("When?", answer=Hour) as turn:
        events = [event for event in turn if isinstance(event, AnswerRejected)]
    assert events == [AnswerRejected(("the text: Invalid JSON: expected ident at line 1 column 2",))]
    assert turn.reply.answer == Hour(hour=9)


def test_a_reply_that_was_cut_says_so_and_what_to_raise(desk: Desk) -> None:
    desk.model = ScriptedModel(['{"hou', Finish("length")], ['{"ho', Finish("length")])
    with pytest.raises(InvalidAnswer, match="raise max_output_tokens") as caught:
        desk.chat().send("When?", answer=Hour)
    assert caught.value.problems == ("the reply was cut: it is longer than replies may be here",)
    assert "it is longer than replies may be" in desk.model.requests[-1].messages[-1].text


def test_a_turn_that_failed_is_taken_up_again_under_its_key(desk: Desk) -> None:
    desk.model = ScriptedModel("no", "no", '{"hour": 9}')
    chat = desk.chat()
    with pytest.raises(InvalidAnswer):
        chat.send("When?", answer=Hour, idempotency_key="k")
    assert chat.send("When?", answer=Hour, idempotency_key="k").answer == Hour(hour=9)
    assert [row["role"] for row in desk.log.messages] == ["user", "assistant"]


def test_an_edit_and_a_regeneration_take_an_answer_too(desk: Desk) -> None:
    desk.model = ScriptedModel('{"hour": 9}', '{"hour": 10}', '{"hour": 11}')
    chat = desk.chat()
    first = chat.send("When?", answer=Hour)
    assert chat.regenerate(first.id, answer=Hour).answer == Hour(hour=10)
    edited = chat.edit(chat.messages()[0].id, "When on Sunday?", answer=Hour)
    assert edited.answer == Hour(hour=11)


def test_a_mending_that_does_not_fit_is_a_window_too_small_with_the_schema_in_its_arithmetic(desk: Desk) -> None:
    desk.model = ScriptedModel("word " * 400, tokenizer=WordTokenizer())
    chat = desk.chat(routes={"default": {"target": "scripted:any", "window": {"budget": 400, "reserve": 100}}})
    with pytest.raises(WindowTooSmall, match=f"answer {COUNTER.answer(schema_of(Hour))}"):
        chat.send("When?", answer=Hour)
    assert desk.log.outcomes() == [("failed", "InvalidAnswer")]
    assert desk.log.turns[-1]["state"] == "failed"


def test_the_embedded_responder_says_that_it_fills_in_no_fields(desk: Desk) -> None:
    chat = desk.chat(routes={"default": {"target": "embedded:extractive-1"}})
    with pytest.raises(BadRequest, match="name a language model"):
        chat.send("When?", answer=Hour)
    assert chat.send("Bonjour").text
