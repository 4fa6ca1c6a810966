"""A logged exchange through another arm: the same is known as then, and that arm's own words and window decide."""

from typing import Any

import pytest
from render.replayed import Replay, replay
from talking import Desk, settings

from persona import NotFound
from persona.render.past import Past
from persona.render.rendered import Rendered
from persona.store.codec import decode_plan
from persona.testing import ScriptedModel, WordTokenizer
from persona.values.log import LoggedMemory
from persona.values.message import Message, text_of
from persona.window.blocks import PROFILE_OPEN, RECALL_OPEN

SHOTS = {"items": [{"user": "When do you open?", "assistant": "At nine."}]}
ROUTES: dict[str, Any] = {
    "default": {
        "arms": {
            "base": {"target": "scripted:any"},
            "tuned": {"target": "words:any", "instructions": "Be brief.", "window": {"shots": False}},
            "small": {"target": "scripted:any", "window": {"budget": 420, "reserve": 60}},
            "twin": {"target": "scripted:any"},
            "large": {"target": "scripted:any", "window": {"budget": 8000, "reserve": 60}},
        },
        "window": {"budget": 600, "reserve": 60},
        "shots": SHOTS,
    }
}
TEXT = "message {}: my parcel of Tuesday is late and the post office in Lyon does not answer about it"


def lived(desk: Desk, turns: int) -> Replay:
    """A log in which a user told something, spoke of it for some turns, and told more at the end."""
    words = ScriptedModel(name="words", tokenizer=WordTokenizer())
    assistant = desk.open([words.adapter], routes=ROUTES)
    user = assistant.user("ada")
    user.remember("vegetarian", kind="preference")
    earlier = user.conversation()
    desk.model.then("Noted.", *[f"answer {number}" for number in range(turns)])
    earlier.send("I live near the canal in Lyon")
    assistant.drain()
    chat = user.conversation()
    for number in range(turns):
        if number == turns - 1:
            user.remember("has a dog")
        chat.send(TEXT.format(number))
    user.forget(user.facts()[0].id)
    return replay(desk, settings(desk.folder, routes=ROUTES), words.adapter)


def last(log: Replay, past: Past, *, whole: bool = False) -> Rendered:
    """The rendering of the newest exchange."""
    return [one for _, one in log.rendered(past, whole=whole)][-1]


def in_section(rendered: Rendered, name: str) -> list[Message]:
    """The messages of one section."""
    return [one for one, section in zip(rendered.messages, rendered.sections, strict=True) if section == name]


def test_another_arm_has_its_own_instructions_and_shots_and_knows_what_was_known_then(desk: Desk) -> None:
    log = lived(desk, 3)
    base, tuned = last(log, log.past()), last(log, log.past(arm="tuned"))
    assert [one.text for one in in_section(tuned, "instructions")] == ["Be brief."]
    assert (len(in_section(base, "shots")), in_section(tuned, "shots")) == (2, [])
    assert in_section(tuned, "profile") == in_section(base, "profile")  # the fact that was forgotten since, too
    assert "vegetarian" in in_section(tuned, "profile")[0].text
    assert in_section(tuned, "history") == in_section(base, "history")
    assert in_section(tuned, "input") == in_section(base, "input")
    assert "has a dog" in tuned.recall
    assert "has a dog" not in in_section(tuned, "profile")[0].text
    assert "canal" in tuned.recall
    assert tuned.notes == ()


def test_tokens_are_those_of_the_arms_own_counter(desk: Desk) -> None:
    log = lived(desk, 3)
    tuned = last(log, log.past(arm="tuned"))
    assert tuned.plan.counter == "words"
    counter = log.past(arm="tuned").counter
    assert tuned.tokens == counter.request(tuned.messages)


def test_a_smaller_window_shows_less_and_a_larger_one_starts_earlier(desk: Desk) -> None:
    log = lived(desk, 14)
    base, small, large = (last(log, log.past(arm=arm)) for arm in ("base", "small", "large"))
    shown = [len(in_section(one, "history")) for one in (small, base, large)]
    assert shown[0] < shown[1] < shown[2] == 2 * 13
    assert small.tokens <= small.plan.limit
    assert in_section(small, "history") == in_section(base, "history")[-shown[0] :]


def test_an_arm_with_the_same_window_starts_where_the_logged_one_did(desk: Desk) -> None:
    log = lived(desk, 14)
    base, twin = (last(log, log.past(arm=arm)) for arm in ("base", "twin"))
    assert base.plan.history.left_out
    assert (twin.messages, twin.sections) == (base.messages, base.sections)


def test_sections_tell_what_each_message_is(desk: Desk) -> None:
    log = lived(desk, 3)
    base = last(log, log.past())
    assert base.sections == ("instructions", "shots", "shots", "profile", *["history"] * 4, "input")
    assert in_section(base, "profile")[0].text.startswith(PROFILE_OPEN)
    assert base.recall.startswith(RECALL_OPEN)
    assert base.messages[-1].text == base.recall + base.context + text_of(base.asked.parts)


def test_sections_can_be_left_out(desk: Desk) -> None:
    log = lived(desk, 3)
    base = last(log, log.past())
    bare = base.without({"instructions", "shots", "profile", "recall"})
    assert [one.text for one in bare[:-1]] == [one.text for one in in_section(base, "history")]
    assert bare[-1].text == base.context + base.asked.text
    assert base.without(()) == base.messages


def test_the_whole_conversation_goes_past_the_window_and_needs_no_summary(desk: Desk) -> None:
    log = lived(desk, 14)
    past = log.past()
    windowed, whole = last(log, past), last(log, past, whole=True)
    history = in_section(whole, "history")
    assert len(in_section(windowed, "history")) < len(history) == 2 * 13
    assert history[0].text.startswith("message 0")
    assert in_section(whole, "input") == in_section(windowed, "input")
    assert "summary" not in whole.sections
    assert whole.tokens == past.counter.request(whole.messages)


def test_what_was_erased_since_is_missing_and_said(desk: Desk) -> None:
    log = lived(desk, 3)
    assistant = desk.open(routes={"default": {"target": "scripted:any"}})
    user = assistant.user("ada")
    user.erase_fact(next(fact.id for fact in user.facts(history=True) if fact.text == "vegetarian"))
    base = last(log, log.past())
    assert "vegetarian" not in str(base.messages)
    assert "1 fact(s) that it was shown are no longer stored" in base.notes
    assert "the section profile is not as it was sent" in base.notes


def test_an_erased_message_of_the_history_is_said(desk: Desk) -> None:
    log = lived(desk, 3)
    user = desk.open(routes={"default": {"target": "scripted:any"}}).user("ada")
    chat = user.conversation(id=user.conversations().conversations[0].id)
    user.erase_message(chat.messages()[0].id)
    base = last(log, log.past())
    assert [one.text.partition(":")[0] for one in in_section(base, "history")] == ["message 1", "answer 1"]
    assert "messages of the history were erased" in base.notes


def test_changed_instructions_of_the_same_arm_are_said(desk: Desk) -> None:
    log = lived(desk, 2)
    changed = {"default": {**ROUTES["default"], "instructions": "Say it in verse."}}
    other = Replay(log.url, settings(desk.folder, routes=changed), log.adapters)
    base = last(other, other.past())
    assert base.messages[0].text == "Say it in verse."
    assert base.notes == ("the section instructions is not as it was sent",)


def test_a_memory_of_somebody_else_is_not_shown_whatever_the_lookup_holds(desk: Desk) -> None:
    log = lived(desk, 2)
    conversation = log.conversations()[-1]
    exchange = conversation.exchanges[-1]
    plan = decode_plan(exchange.plan)
    named = next(one.id for one in plan.section("recall").candidates if one.included and one.score is not None)
    theirs = LoggedMemory(named, conversation.owner_key + 1, "turn", "bob's secret", "", "", "", "", 0, 1)
    rendered = log.past().render(conversation, exchange, {named: theirs})
    assert "bob's secret" not in str(rendered.messages)
    assert "1 memory(s) that it was shown are no longer stored" in rendered.notes


def test_an_exchange_without_a_reply_is_not_rendered(desk: Desk) -> None:
    log = lived(desk, 1)
    conversation = log.conversations()[-1]
    user = desk.open(routes={"default": {"target": "scripted:any"}}).user("ada")
    user.erase_message(conversation.messages[0].id)
    with pytest.raises(NotFound):
        log.past().render(log.conversations()[-1], conversation.exchanges[-1], {})
