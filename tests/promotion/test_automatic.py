"""A canary that fails is taken back without a person, and nothing of anybody is lost."""

import logging

import pytest

from persona import ProviderUnavailable
from persona.assistant import promoting, serving
from persona.settings import load
from persona.testing import Step
from persona.values.request import Request

from .conftest import Shop


def failing(request: Request) -> Step:
    """What both arms' model says: the tuned one is broken."""
    return ProviderUnavailable("it is broken") if request.model == "tuned" else "fine"


def begin(shop: Shop) -> None:
    shop.compared()
    shop.path.write_text(shop.text.replace("[tasks]", "[turn]\nretries = 0\n[tasks]"))
    promoting.promote(shop.path, "support", "tuned", "grace", to="canary")


def test_a_canary_that_fails_is_held_and_its_conversations_go_on_with_the_other_arm(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    begin(shop)
    assistant = shop.open()
    chats = [assistant.user(f"user {n}").conversation() for n in range(24)]
    shop.desk.model.then(*[failing] * 24)
    broken = []
    for chat in chats:
        try:
            chat.send("one")
        except ProviderUnavailable:
            broken.append(chat)
    assert 6 < len(broken) < 18
    assistant.drain()
    (hold,) = serving.held(load(shop.path))
    assert (hold.route, hold.arm, hold.who) == ("support", "base", "persona")
    assert hold.why.startswith(
        f"'tuned': {len(broken)} of {len(broken)} users had a turn that its model did not answer"
    )
    (warned,) = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING and "held" in one.msg]
    assert "`persona rollback support` brings the settings file after it" in warned
    shop.desk.model.then("here again")
    assert broken[0].send("two").target == "scripted:base"
    assert [message.text for message in broken[0].messages()] == ["one", "two", "here again"]
    newest = promoting.steps(load(shop.path))[0]
    assert (newest.step, newest.arm, newest.who) == ("rolled back", "tuned", "persona")
    promoting.rollback(shop.path, "support", "grace")
    assert load(shop.path).routes["support"].serve == {"base": 1.0}


def test_a_canary_that_serves_well_is_left_alone(shop: Shop) -> None:
    begin(shop)
    assistant = shop.open()
    shop.desk.model.then(*["fine"] * 20)
    for number in range(20):
        assistant.user(f"user {number}").conversation().send("one")
    assistant.drain()
    assert serving.held(load(shop.path)) == []
    assert [row["kind"] for row in shop.log.rows("SELECT kind FROM persona_tasks WHERE kind = 'canary'")] == ["canary"]


def test_what_was_released_by_a_person_is_judged_by_what_came_after(shop: Shop) -> None:
    begin(shop)
    assistant = shop.open()
    shop.desk.model.then(*[failing] * 24)
    for number in range(24):
        try:
            assistant.user(f"user {number}").conversation().send("one")
        except ProviderUnavailable:
            continue
    assistant.drain()
    serving.release(load(shop.path), "support", "grace", "the model was mended")
    shop.log.change("UPDATE persona_tasks SET run_after_us = 0")
    assistant.drain()
    assert serving.held(load(shop.path)) == []


def test_a_canary_is_only_watched_where_the_settings_want_it(shop: Shop) -> None:
    begin(shop)
    shop.path.write_text(shop.text.replace("users = 2 }", "users = 2, rollback = false }"))
    assistant = shop.open()
    shop.desk.model.then(*[failing] * 24)
    for number in range(24):
        try:
            assistant.user(f"user {number}").conversation().send("one")
        except ProviderUnavailable:
            continue
    assistant.drain()
    assert serving.held(load(shop.path)) == []
