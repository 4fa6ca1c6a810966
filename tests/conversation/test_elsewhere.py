"""A conversation goes on in another process, or with other settings."""

import pytest
from talking import Desk, said_in, settings, window_of

from persona import Assistant, NotFound
from persona.testing import ScriptedModel, WordTokenizer
from persona.window.counting import Counter

WORDS = "some words " * 15


def test_two_processes_on_one_database_see_each_others_messages_and_facts_at_once(desk: Desk) -> None:
    here, there = desk.open().user("ada"), desk.open().user("ada")
    desk.model.then("a1", "a2", "a3", "a4")
    chat, same = here.conversation(id="c", create=True), there.conversation(id="c")
    chat.send("q1")
    same.send("q2")
    fact = here.remember("likes tea")
    same.send("q3")
    there.forget(fact.id)
    chat.send("q4")
    assert [text for _, text in window_of(desk.model.requests[-1])] == ["q1", "a1", "q2", "a2", "q3", "a3", "q4"]
    assert ["tea" in said_in(request) for request in desk.model.requests] == [False, False, True, False]


def test_what_one_process_indexed_another_recalls(desk: Desk) -> None:
    here, there = desk.open(), desk.open()
    desk.model.then("hello", "noted", "oat milk")
    there.user("ada").conversation().send("hello")  # its index is loaded, and empty
    here.user("ada").conversation().send("My coffee is made with oat milk, always.")
    here.drain()
    there.user("ada").conversation().send("What milk do I take in my coffee?")
    assert "oat milk" in said_in(desk.model.requests[-1])


def _reopened(desk: Desk, model: ScriptedModel, **window: int) -> Assistant:
    routes = {"default": {"target": "scripted:any", "window": window}}
    opened = Assistant.open(settings(desk.folder, routes=routes), adapters=[model.adapter])
    return desk.stack.enter_context(opened)


def test_with_another_counter_and_a_smaller_budget_the_history_is_counted_anew(desk: Desk) -> None:
    desk.model.then(*["ok"] * 8)
    with desk.open() as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        for _ in range(8):
            chat.send(WORDS)
    model = ScriptedModel("here", "and on", tokenizer=WordTokenizer())
    chat = _reopened(desk, model, budget=250, reserve=50).user("ada").conversation(id="c")
    for text in ("hello", "still?"):
        plan = chat.why(chat.send(text).id)
        assert plan.total == Counter(WordTokenizer()).request(model.requests[-1].messages)
        assert plan.total <= plan.limit
    first, second = (chat.why(row["reply_id"]) for row in desk.log.exchanges[-2:])
    assert (first.jumped, second.jumped) == (True, False)
    assert (first.prefix_tokens, second.prefix_tokens > 0) == (0, True)


def test_with_a_larger_budget_the_anchor_stays_where_it_was(desk: Desk) -> None:
    small, large = ScriptedModel(*["ok"] * 9), ScriptedModel("ok")
    with _reopened(desk, small, budget=400, reserve=50) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        for _ in range(9):
            plan = chat.why(chat.send(WORDS).id)
    assert plan.history.first_depth > 0
    chat = _reopened(desk, large, budget=8000, reserve=50).user("ada").conversation(id="c")
    assert chat.why(chat.send("hello").id).history.first_depth == plan.history.first_depth


def test_a_conversation_whose_route_was_taken_away_says_so_and_loses_nothing(desk: Desk) -> None:
    desk.model.then("hello")
    with desk.open() as assistant:
        assistant.user("ada").conversation(id="c", create=True).send("hi")
    chat = desk.open(routes={"other": {"target": "scripted:any"}}).user("ada").conversation(id="c")
    with pytest.raises(NotFound, match="route 'default' is no longer in the settings; the settings have other"):
        chat.send("are you there?")
    assert not desk.log.claimed
    desk.model.then("back")
    chat = desk.open().user("ada").conversation(id="c")
    assert chat.send("hello?").text == "back"


def test_a_conversation_whose_arm_was_taken_away_goes_on_with_the_one_that_serves(desk: Desk) -> None:
    arms = {"base": {"target": "scripted:any"}, "v2": {"target": "scripted:two"}}
    desk.model.then("one", "two")
    with desk.open(routes={"default": {"arms": arms, "serve": "v2"}}) as assistant:
        chat = assistant.user("ada").conversation(id="c", create=True)
        assert chat.send("hi").target == "scripted:two"
    chat = desk.open().user("ada").conversation(id="c")
    assert chat.send("hi").target == "scripted:any"
