"""A logged exchange, rendered through the arm that it had, is byte for byte what was sent."""

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limited
from hypothesis import strategies as st
from pydantic import BaseModel
from render.replayed import on_the_wire, replay
from talking import Desk, ask, settings

from persona import Assistant, Conversation, User
from persona.render.rendered import Rendered
from persona.testing import ScriptedModel
from persona.values.plan import SECTIONS

SHOTS = {"items": [{"user": "When do you open?", "assistant": "At nine."}, {"user": "Why?", "assistant": "So."}]}
LIKE = {"choose": "similar", "limit": 1, **SHOTS}
ROUTES: dict[str, dict[str, Any]] = {
    "roomy": {"window": {"budget": 4000, "reserve": 200}},
    "tight": {"window": {"budget": 420, "reserve": 60}, "shots": SHOTS},
    "summed up": {"window": {"budget": 520, "reserve": 60}, "summarise": "brief"},
    "bare": {"window": {"budget": 600, "reserve": 100}, "input": [], "shots": LIKE},
}
WORDS = ["the", "parcel", "of", "Tuesday", "is", "late", "and", "the", "post", "office", "in", "Lyon", "does", "not"]
ACTIONS = [
    "say",
    "say",
    "say long",
    "tool",
    "answer",
    "remember",
    "forget",
    "index",
    "edit",
    "again",
    "new",
    "address",
    "rate",
]


class Hour(BaseModel):
    hour: int


def opening_hours(day: str) -> str:
    """When the post office opens on a day."""
    return f"{day}: nine to five, closed over lunch"


class Life:
    """What a user does, one action after the other."""

    def __init__(self, desk: Desk, assistant: Assistant) -> None:
        self.desk, self.assistant = desk, assistant
        self.user: User = assistant.user("ada")
        self.chat: Conversation = self.user.conversation()
        self.number = count()

    def text(self, words: int) -> str:
        """Words that no earlier message had in this order."""
        start = next(self.number)
        return f"message {start}: " + " ".join(WORDS[(start + at) % len(WORDS)] for at in range(words)) + "?"

    def do(self, action: str) -> None:
        """One action; what needs a reply is left out while there is none."""
        turns = [one for one in self.desk.log.turns if one["reply_id"]]
        if action in ("say", "say long", "tool", "answer"):
            self.talk(action)
        elif action == "remember":
            self.user.remember(self.text(7), kind="preference")
        elif action == "forget":
            for fact in self.user.facts()[:1]:
                self.user.forget(fact.id)
        elif action == "index":
            self.assistant.drain()
        elif action == "new":
            self.chat = self.user.conversation()
        elif action == "address":
            self.user.address("Ada", locale="fr-FR", time_zone="Europe/Paris")
        elif turns and self.chat_of(turns[-1]):
            self.change(action, turns[-1])

    def talk(self, action: str) -> None:
        """A turn: some words, many, one with a tool, or one that is held to a schema."""
        model = self.desk.model
        if action == "tool":
            model.then(["I look it up.", ask("opening_hours", '{"day": "Monday"}')], "At nine.")
            self.chat.send(self.text(6), tools=[opening_hours])
        elif action == "answer":
            model.then('{"hour": 9}')
            self.chat.send(self.text(6), answer=Hour)
        else:
            model.then(f"answer {next(self.number)}")
            self.chat.send(self.text(50 if action == "say long" else 9))

    def chat_of(self, turn: dict[str, Any]) -> bool:
        """Whether the turn is one of the conversation that is open."""
        key = self.desk.log.rows("SELECT key FROM persona_conversations WHERE id = ?", self.chat.id)
        return bool(key) and key[0]["key"] == turn["conversation_key"]

    def change(self, action: str, turn: dict[str, Any]) -> None:
        """What is done with a reply."""
        if action == "edit":
            self.desk.model.then("another answer")
            self.chat.edit(turn["message_id"], self.text(8))
        elif action == "again":
            self.desk.model.then("a second answer")
            self.chat.regenerate(turn["reply_id"])
        else:
            self.chat.rate(turn["reply_id"], 1)


def lived(folder: Path, route: str, actions: list[str]) -> tuple[Desk, list[Rendered]]:
    """A life on one route, and its exchanges rendered through their own arm."""
    desk, writer = Desk(folder), ScriptedModel(name="writer")
    writer.then(*["They spoke of parcels."] * 40)
    routes = {
        "default": {"target": "scripted:any", **ROUTES[route]},
        "brief": {"target": "writer:any", "instructions": "Summarise."},
    }
    with desk.stack:
        life = Life(desk, desk.open([writer.adapter], routes=routes))
        life.user.address("Ada", locale="fr-FR", time_zone="Europe/Paris")
        for action in ["say", *actions, "say"]:
            life.do(action)
    log = replay(desk, settings(desk.folder, routes=routes), writer.adapter)
    rendered = [one for _, one in log.rendered(log.past())]
    assert [_shown(one) for _, one in log.rendered(log.past(), counted=False)] == [_shown(one) for one in rendered]
    return desk, rendered


def _shown(one: Rendered) -> tuple[object, ...]:
    """What of a rendering does not depend on whether it is counted."""
    return one.messages, one.sections, one.asked, one.recall, one.context, one.tools, one.answer


@pytest.mark.parametrize("route", ROUTES)
@given(actions=st.lists(st.sampled_from(ACTIONS), min_size=4, max_size=14))
@limited(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_an_exchange_through_its_own_arm_is_what_was_sent(route: str, actions: list[str]) -> None:
    with TemporaryDirectory() as folder:
        desk, rendered = lived(Path(folder), route, actions)
    assert len(rendered) == len(desk.model.requests)
    for one, sent in zip(rendered, desk.model.requests, strict=True):
        assert (on_the_wire(one) == on_the_wire(sent)) == (not one.notes)  # a note exactly where it differs
        assert (one.tools, one.answer, one.stable) == (sent.tools, sent.answer, sent.stable)
    taken_back = {"edit", "forget"} & {*actions}
    assert taken_back or not any(one.notes for one in rendered)


def test_a_long_life_with_everything_in_it_is_what_was_sent(tmp_path: Path) -> None:
    talk = ["say long", "index", "say long", "tool", "answer", "index"]
    desk, rendered = lived(tmp_path, "summed up", ["remember", *talk * 4, "new", "say", "remember", *talk])
    assert [on_the_wire(one) for one in rendered] == [on_the_wire(one) for one in desk.model.requests]
    assert {section for one in rendered for section in one.sections} == {*SECTIONS} - {"shots", "recall"}
    assert any(one.recall for one in rendered)
    assert any(one.plan.history.left_out for one in rendered)
    assert any(one.messages[-1].role == "tool" for one in rendered)
    assert not any(one.notes for one in rendered)


def test_an_answer_that_was_mended_is_rendered_as_if_it_had_come_at_once(desk: Desk) -> None:
    desk.model.then("At nine.", '{"hour": 9}')
    desk.chat().send("When do you open?", answer=Hour)
    log = replay(desk, settings(desk.folder))
    ((_, rendered),) = log.rendered(log.past())
    assert on_the_wire(rendered) == on_the_wire(desk.model.requests[0])
    assert [note for note in rendered.notes if "an answer was mended" in note]


def test_a_window_that_has_no_room_any_more_for_what_is_stated_loses_the_same_uncounted(desk: Desk) -> None:
    route = {"target": "scripted:any", "window": {"budget": 420, "reserve": 60}}
    life = Life(desk, desk.open(routes={"default": route}))
    for _ in range(9):
        life.do("say")
    life.user.address("Ada " + "ሀ" * 90)  # some 170 tokens
    log = replay(desk, settings(desk.folder, routes={"default": route}))
    counted = [one for _, one in log.rendered(log.past())]
    assert [_shown(one) for _, one in log.rendered(log.past(), counted=False)] == [_shown(one) for one in counted]
    sent = [len(one.messages) for one in desk.model.requests]
    shown = [len(one.messages) for one in counted]
    assert shown[:3] == sent[:3], "these have room"
    assert [one for one, before in zip(shown, sent, strict=True) if one < before], "others had none to spare"
