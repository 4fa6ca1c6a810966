"""Summaries are written in the background, by the route that is configured for it, and used when history jumps."""

import re

import pytest
from talking import Desk, said_in

from persona import AuthenticationFailed
from persona.testing import ScriptedModel, Step
from persona.values.request import Finish, Request, Usage

ROUTES = {
    "default": {
        "target": "scripted:any",
        "window": {"budget": 700, "reserve": 100},
        "summarise": "brief",
    },
    "brief": {"target": "writer:any", "instructions": "Summarise."},
}
TEXT = "message {}: " + "some more words to fill the window " * 3


@pytest.fixture
def writer() -> ScriptedModel:
    return ScriptedModel(name="writer")


def _talk_until(desk: Desk, chat: object, drained: object, most: int = 40) -> list[Request]:
    """Talks until the history has jumped; returns the requests."""
    for at in range(most):
        desk.model.then("ok")
        reply = chat.send(TEXT.format(at))  # type: ignore[attr-defined]
        drained()  # type: ignore[operator]
        if chat.why(reply.id).jumped:  # type: ignore[attr-defined]
            return desk.model.requests
    raise AssertionError("history never jumped")


def test_the_summary_is_made_in_the_background_and_used_at_the_jump(desk: Desk, writer: ScriptedModel) -> None:
    writer.then(*["They filled the window with words."] * 3)
    assistant = desk.open([writer.adapter], routes=ROUTES)
    chat = assistant.user("ada").conversation()
    *_, before, jumped = _talk_until(desk, chat, assistant.drain)
    assert "<summary>" not in said_in(before)
    assert "<summary>They filled the window with words.</summary>" in said_in(jumped)
    asked = said_in(writer.requests[0])
    assert asked.startswith("Summarise.")
    assert "message 0:" in asked
    assert "message 0:" not in said_in(jumped)
    plan = chat.why(desk.log.turns[-1]["reply_id"])
    assert plan.section("summary").tokens > 0
    assert not [note for note in plan.notes if "summary" in note]
    assert len(writer.requests) < 4


def test_between_summary_and_history_nothing_is_lost(desk: Desk, writer: ScriptedModel) -> None:
    def numbers(request: Request) -> str:
        return " ".join(f"no.{at}" for at in _numbers(said_in(request)))

    writer.then(*[numbers] * 3)
    assistant = desk.open([writer.adapter], routes=ROUTES)
    chat = assistant.user("ada").conversation()
    jumped = said_in(_talk_until(desk, chat, assistant.drain)[-1])
    assert "<summary>no.0 no.1 " in jumped
    assert _numbers(jumped) == list(range(len(desk.log.turns)))


def _numbers(text: str) -> list[int]:
    """The numbers of the messages that a text shows or tells of."""
    return sorted({int(found) for found in re.findall(r"(?:message |no\.)(\d+)", text)})


def test_without_a_summary_in_time_it_jumps_and_the_plan_says_so(desk: Desk, writer: ScriptedModel) -> None:
    chat = desk.open([writer.adapter], routes=ROUTES).user("ada").conversation()
    jumped = _talk_until(desk, chat, lambda: None)[-1]
    assert "<summary>" not in said_in(jumped)
    plan = chat.why(desk.log.turns[-1]["reply_id"])
    assert "no summary was ready, so the older messages left without one" in plan.notes


@pytest.mark.parametrize(
    "bad", [AuthenticationFailed("no key"), ["half of", Finish("length")], "  "], ids=["error", "too long", "nothing"]
)
def test_a_summary_that_fails_disturbs_no_turn(desk: Desk, writer: ScriptedModel, bad: Step) -> None:
    assistant = desk.open([writer.adapter], routes=ROUTES)
    chat = assistant.user("ada").conversation()
    writer.then(*[bad] * 40)
    jumped = _talk_until(desk, chat, assistant.drain)[-1]
    assert writer.requests
    assert "<summary>" not in said_in(jumped)
    assert "no summary was ready" in str(chat.why(desk.log.turns[-1]["reply_id"]).notes)


def test_a_route_that_names_no_summariser_has_none(desk: Desk) -> None:
    routes = {"default": {key: value for key, value in ROUTES["default"].items() if key != "summarise"}}
    assistant = desk.open(routes=routes)
    chat = assistant.user("ada").conversation()
    _talk_until(desk, chat, assistant.drain)
    assert not [note for note in chat.why(desk.log.turns[-1]["reply_id"]).notes if "summary" in note]


def test_an_edit_far_back_drops_the_summary_of_what_it_leaves(desk: Desk, writer: ScriptedModel) -> None:
    writer.then(*["They spoke of the secret."] * 3)
    assistant = desk.open([writer.adapter], routes=ROUTES)
    chat = assistant.user("ada").conversation()
    _talk_until(desk, chat, assistant.drain)
    desk.model.then("a new start", "and on")
    chat.edit(chat.messages()[0].id, "let us begin again")
    chat.send("go on")
    for request in desk.model.requests[-2:]:
        assert "secret" not in said_in(request)


def test_what_a_summary_costs_is_logged_beside_the_turn_that_it_ends_with(desk: Desk, writer: ScriptedModel) -> None:
    writer.then(*[["They spoke of a secret.", Finish("end", Usage(600, 7))]] * 3)
    assistant = desk.open([writer.adapter], routes=ROUTES)
    _talk_until(desk, assistant.user("ada").conversation(), assistant.drain)
    logged = [one for one in desk.log.exchanges if one["purpose"] == "summarise"]
    assert len(logged) == len(writer.requests)
    assert {(one["route"], one["input_tokens"], one["output_tokens"], one["reply_id"]) for one in logged} == {
        ("brief", 600, 7, "")
    }
    assert {one["turn_id"] for one in logged} < {one["id"] for one in desk.log.turns}
    assert "secret" not in str(logged)
