"""A shadow arm is asked what another arm has answered: logged beside it, and never seen anywhere else."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from talking import Desk, ask, said_in, window_of

from persona import Assistant, LimitReached, Overloaded, SettingsError
from persona.assistant.spending import spent
from persona.store.codec import decode_parts
from persona.testing import ScriptedModel
from persona.values.message import Text, ToolCall
from persona.values.request import Finish, Usage

ARMS = {
    "base": {"target": "scripted:any"},
    "v2": {"target": "second:any", "instructions": "You are the second version.", "window": {"budget": 3000}},
}
ROUTES: dict[str, Any] = {"default": {"arms": ARMS, "shadow": "v2"}}


@pytest.fixture
def second() -> Iterator[ScriptedModel]:
    model = ScriptedModel(name="second")
    yield model
    model.check()


@pytest.fixture
def assistant(desk: Desk, second: ScriptedModel) -> Assistant:
    return desk.open([second.adapter], routes=ROUTES)


def shadows(desk: Desk) -> list[dict[str, Any]]:
    """The exchanges with the shadow arm, as they are logged."""
    return [one for one in desk.log.exchanges if one["purpose"] == "shadow"]


def test_the_shadow_is_asked_what_the_arm_was_asked_in_its_own_words(
    desk: Desk, assistant: Assistant, second: ScriptedModel
) -> None:
    user = assistant.user("ada")
    user.remember("vegetarian", kind="preference")
    chat = user.conversation()
    desk.model.then("At nine.", "Closed.")
    second.then("I said nine.", [Finish("end", Usage(120, 7))])
    chat.send("When does the post office open?")
    assistant.drain()
    chat.send("And on Sunday?")
    assistant.drain()
    live, asked = desk.model.requests[-1], second.requests[-1]
    assert window_of(asked) == window_of(live)
    assert asked.messages[0].text == "You are the second version."
    assert asked.messages[-1].parts == live.messages[-1].parts
    assert asked.max_output_tokens == live.max_output_tokens


def test_its_answer_is_an_exchange_beside_the_reply(desk: Desk, assistant: Assistant, second: ScriptedModel) -> None:
    desk.model.then("At nine.")
    second.then(["Nine ", "sharp.", Finish("end", Usage(120, 7))])
    reply = assistant.user("ada").conversation().send("When?")
    assistant.drain()
    (logged,) = shadows(desk)
    assert decode_parts(logged["said"]) == (Text("Nine sharp."),)
    assert (logged["route"], logged["arm"], logged["model"], logged["reply_id"]) == ("default", "v2", "any", "")
    assert (logged["outcome"], logged["input_tokens"], logged["output_tokens"]) == ("answered", 120, 7)
    turn = next(one for one in desk.log.turns if one["reply_id"] == reply.id)
    assert logged["turn_id"] == turn["id"]
    digest = json.loads(logged["plan"])[8][0][-1]
    assert desk.log.rows("SELECT text FROM persona_prompts WHERE digest = ?", digest) == [
        {"text": "You are the second version."}
    ]


def test_what_it_costs_is_counted_by_its_purpose(desk: Desk, assistant: Assistant, second: ScriptedModel) -> None:
    desk.model.then(["At nine.", Finish("end", Usage(100, 3))])
    second.then(["Nine.", Finish("end", Usage(120, 7))])
    assistant.user("ada").conversation().send("When?")
    assistant.drain()
    rows = spent(assistant.settings, ["purpose", "arm"], date(2000, 1, 1), date(2999, 1, 1))
    assert [(row.of, row.calls, row.input_tokens, row.output_tokens) for row in rows] == [
        (("shadow", "v2"), 1, 120, 7),
        (("turn", "base"), 1, 100, 3),
    ]


def test_limits_count_it(desk: Desk, second: ScriptedModel) -> None:
    assistant = desk.open([second.adapter], routes=ROUTES, limits=[{"by": "user", "per": "day", "tokens": 200}])
    desk.model.then(["At nine.", Finish("end", Usage(100, 3))])
    second.then(["Nine.", Finish("end", Usage(120, 7))])
    chat = assistant.user("ada").conversation()
    chat.send("When?")
    assistant.drain()
    with pytest.raises(LimitReached):
        chat.send("And on Sunday?")


def test_nobody_ever_sees_what_the_shadow_said(desk: Desk, assistant: Assistant, second: ScriptedModel) -> None:
    user = assistant.user("ada")
    chat = user.conversation()
    desk.model.then("At nine.", "Yes.", "Indeed.")
    second.then(*["the word of the shadow is xylophone"] * 3)
    for said in ("When does it open?", "Are you sure about the xylophone?"):
        chat.send(said)
        assistant.drain()
    user.conversation().send("What about the xylophone?")
    assistant.drain()
    everything = "\n".join(map(said_in, [*desk.model.requests, *second.requests]))
    assert "the word of the shadow" not in everything
    assert [one.role for one in chat.messages()] == ["user", "assistant"] * 2
    kept = str(desk.log.rows("SELECT text FROM persona_memories")) + str(desk.log.messages)
    assert "the word of the shadow" not in kept


def test_of_a_turn_with_tools_it_is_asked_the_question_and_runs_nothing(
    desk: Desk, assistant: Assistant, second: ScriptedModel
) -> None:
    ran = []

    def look_up(day: str) -> str:
        """When the post office opens."""
        ran.append(day)
        return "at nine"

    desk.model.then(ask("look_up", '{"day": "Monday"}'), "At nine.")
    second.then(["Let me see.", ask("look_up", '{"day": "Tuesday"}')])
    assistant.user("ada").conversation().send("When?", tools=[look_up])
    assistant.drain()
    assert ran == ["Monday"]
    assert second.requests[0].tools == desk.model.requests[0].tools
    assert len(second.requests[0].messages) == 2
    (logged,) = shadows(desk)
    assert decode_parts(logged["said"]) == (
        Text("Let me see."),
        ToolCall("call_1", "look_up", '{"day": "Tuesday"}'),
    )


def test_a_failed_call_is_logged_and_tried_again(desk: Desk, second: ScriptedModel) -> None:
    assistant = desk.open([second.adapter], routes=ROUTES, turn={"retries": 0})
    desk.model.then("At nine.")
    second.then(Overloaded("busy"), "Nine.")
    assistant.user("ada").conversation().send("When?")
    assistant.drain()
    assert [(one["outcome"], one["error"], one["said"]) for one in shadows(desk)] == [("failed", "Overloaded", "")]
    desk.log.change("UPDATE persona_tasks SET run_after_us = 0")
    assistant.drain()
    assert [one["outcome"] for one in shadows(desk)] == ["failed", "answered"]
    assert desk.log.rows("SELECT * FROM persona_tasks WHERE kind = 'shadow'") == []


def test_a_process_that_dies_in_the_call_leaves_the_task_to_the_next(desk: Desk, second: ScriptedModel) -> None:
    assistant = desk.open([second.adapter], routes=ROUTES)
    desk.model.then("At nine.")
    copy = desk.folder / "as it was"
    copy.mkdir()

    def dies(request: object) -> str:
        desk.log.copy(copy / "persona.db")
        return "Nine."

    second.then(dies, "Nine again.")
    assistant.user("ada").conversation().send("When?")
    assistant.drain()
    after = Desk(copy, desk.model)
    after.log.change("UPDATE persona_tasks SET lease_until_us = 0")
    with after.stack:
        after.open([second.adapter], routes=ROUTES).drain()
    (logged,) = shadows(after)
    assert decode_parts(logged["said"]) == (Text("Nine again."),)


def test_without_a_shadow_or_on_its_own_arm_nothing_is_asked(desk: Desk, second: ScriptedModel) -> None:
    plain = desk.open([second.adapter], routes={"default": {"arms": ARMS}})
    desk.model.then("At nine.")
    plain.user("ada").conversation().send("When?")
    assert desk.log.rows("SELECT * FROM persona_tasks WHERE kind = 'shadow'") == []
    shadowed = desk.open([second.adapter], routes=ROUTES)
    second.then("Nine.")
    shadowed.user("ada").conversation(arm="v2").send("When?")
    assert desk.log.rows("SELECT * FROM persona_tasks WHERE kind = 'shadow'") == []


def test_a_shadow_that_is_taken_out_meanwhile_is_not_asked(desk: Desk, second: ScriptedModel) -> None:
    desk.model.then("At nine.")
    desk.open([second.adapter], routes=ROUTES).user("ada").conversation().send("When?")
    desk.open([second.adapter], routes={"default": {"arms": ARMS}}).drain()
    assert desk.log.rows("SELECT * FROM persona_tasks") == []


def test_erasing_a_user_takes_what_the_shadow_said(desk: Desk, assistant: Assistant, second: ScriptedModel) -> None:
    desk.model.then("At nine.")
    second.then("the secret of the shadow")
    user = assistant.user("ada")
    user.conversation().send("When?")
    assistant.drain()
    told = desk.folder / "ada.json"
    user.export(told)
    assert "the secret of the shadow" in told.read_text(encoding="utf-8")
    user.erase()
    assert b"the secret of the shadow" not in desk.log.path.read_bytes()
    assert shadows(desk) == []


def test_an_erased_question_is_not_asked_of_the_shadow(desk: Desk, assistant: Assistant, second: ScriptedModel) -> None:
    desk.model.then("At nine.")
    user = assistant.user("ada")
    chat = user.conversation()
    chat.send("When?")
    user.erase_message(chat.messages()[0].id)
    assistant.drain()
    assert second.requests == []


def test_a_user_that_is_erased_while_the_shadow_thinks_leaves_nothing_of_it(
    desk: Desk, assistant: Assistant, second: ScriptedModel
) -> None:
    desk.model.then("At nine.")
    user = assistant.user("ada")
    user.conversation().send("When?")
    elsewhere = desk.open([second.adapter], routes=ROUTES)

    def erased(request: object) -> str:
        elsewhere.user("ada").erase()
        return "the secret of the shadow"

    second.then(erased)
    assistant.drain()
    assert desk.log.exchanges == []
    assert desk.log.rows("SELECT * FROM persona_tasks") == []


def test_no_word_of_another_user_reaches_the_shadow(desk: Desk, assistant: Assistant, second: ScriptedModel) -> None:
    desk.model.then("Noted.", "At nine.")
    second.then("Noted.", "Nine.")
    assistant.user("bob").remember("lives at the old mill")
    assistant.user("bob").conversation().send("My parcel for the old mill is late")
    assistant.drain()
    assistant.user("ada").conversation().send("Where is the parcel for the mill?")
    assistant.drain()
    assert "old mill" not in said_in(second.requests[-1])


def test_a_shadow_that_is_no_arm_is_refused(desk: Desk) -> None:
    with pytest.raises(SettingsError, match=r"'routes\.default\.shadow' names an unknown arm 'v3'"):
        desk.open(routes={"default": {"arms": ARMS, "shadow": "v3"}})
