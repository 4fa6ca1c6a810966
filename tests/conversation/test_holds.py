"""A hold serves one arm whatever the settings say, in running conversations and in other processes too."""

import asyncio
import logging
from typing import Any

import programs
import pytest
from talking import Desk, settings

from persona import NotFound
from persona.assistant import serving
from persona.testing import Step
from persona.values.request import Request

BASE, TUNED = {"target": "scripted:base"}, {"target": "scripted:tuned", "instructions": "You are the tuned one."}
ROUTE: dict[str, Any] = {"arms": {"base": BASE, "tuned": TUNED}, "serve": "tuned"}
TABLES: dict[str, Any] = {"routes": {"support": ROUTE}}


def hold(desk: Desk, arm: str = "base", **tables: Any) -> None:
    serving.hold(settings(desk.folder, **(tables or TABLES)), "support", arm, "grace", "tuned invents prices")


def release(desk: Desk) -> None:
    serving.release(settings(desk.folder, **TABLES), "support", "grace", "tuned was mended")


def arms(desk: Desk) -> list[str]:
    return [row["arm"] for row in desk.log.exchanges]


def test_a_hold_moves_running_conversations_and_new_ones_until_it_is_released(desk: Desk) -> None:
    desk.model.then(*"abcdef")
    assistants = desk.open(**TABLES), desk.open(**TABLES)
    old = assistants[0].user("ada").conversation()
    targets = [old.send("one").target]
    hold(desk)
    targets.append(old.send("two").target)
    new = assistants[1].user("bob").conversation(arm="tuned")
    targets.append(new.send("three").target)
    release(desk)
    targets += [
        old.send("four").target,
        new.send("five").target,
        assistants[1].user("eve").conversation().send("6").target,
    ]
    assert targets == [f"scripted:{arm}" for arm in ("tuned", "base", "base", "tuned", "tuned", "tuned")]
    assert arms(desk) == ["tuned", "base", "base", "tuned", "tuned", "tuned"]
    said = [
        [message.text for message in request.messages if message.role == "system"] for request in desk.model.requests
    ]
    assert [text == ["You are the tuned one."] for text in said] == [True, False, False, True, True, True]


def test_a_hold_of_another_process_is_obeyed_with_the_next_turn(desk: Desk) -> None:
    desk.model.then("a", "b")
    chat = desk.open(**TABLES).user("ada").conversation()
    chat.send("one")
    config = desk.folder / "persona.toml"
    config.write_text(
        f'[store]\nurl = "sqlite:///{desk.folder / "persona.db"}"\n'
        '[routes.support.arms]\nbase.target = "embedded:extractive-1"\n'
    )
    command = ["routes", "hold", "support", "base", "--why", "it invents prices", "--config", str(config)]
    assert programs.run([*programs.PERSONA, *command]).returncode == 0
    assert chat.send("two").target == "scripted:base"


async def test_a_turn_that_runs_when_its_route_is_held_ends_on_its_arm(desk: Desk) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly(request: Request) -> Step:
        begun.set()
        await go.wait()
        return "from tuned"

    desk.model.then(slowly, "from base")
    async with desk.open_async(**TABLES) as assistant:
        chat = assistant.user("ada").conversation()
        running = asyncio.create_task(chat.send("one"))
        await begun.wait()
        await asyncio.to_thread(hold, desk)
        go.set()
        assert (await running).text == "from tuned"
        await chat.send("two")
    assert arms(desk) == ["tuned", "base"]


def test_a_hold_on_an_arm_that_the_settings_lost_does_nothing_and_is_told_of_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    more = {"routes": {"support": {**ROUTE, "arms": {**ROUTE["arms"], "gone": BASE}}}}
    desk.model.then("a", "b")
    hold(desk, "gone", **more)
    chat = desk.open(**TABLES).user("ada").conversation()
    assert [chat.send("one").target, chat.send("two").target] == ["scripted:tuned", "scripted:tuned"]
    (warned,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert warned.getMessage() == (
        "route 'support' is held on arm 'gone', which the settings do not have: the hold does nothing"
    )


def test_background_work_goes_through_the_held_arm(desk: Desk) -> None:
    tables = {**TABLES, "memory": {"learn": "support"}}
    desk.model.then("a", "[]")
    assistant = desk.open(**tables)
    hold(desk)
    assistant.user("ada").conversation().send("I live in Lyon.")
    assistant.drain()
    assert [(row["purpose"], row["arm"]) for row in desk.log.exchanges] == [("turn", "base"), ("learn", "base")]


def test_each_hold_and_release_is_recorded_with_who_and_why(desk: Desk) -> None:
    hold(desk)
    hold(desk, "tuned")
    release(desk)
    found = serving.history(settings(desk.folder, **TABLES), 9)
    assert [(one.key, one.before, one.after, one.who, one.why) for one in found] == [
        ("routes.support.hold", "tuned", "", "grace", "tuned was mended"),
        ("routes.support.hold", "base", "tuned", "grace", "tuned invents prices"),
        ("routes.support.hold", "", "base", "grace", "tuned invents prices"),
    ]
    assert serving.held(settings(desk.folder, **TABLES)) == []


@pytest.mark.parametrize(("route", "arm"), [("nowhere", "base"), ("support", "nobody")])
def test_what_is_not_in_the_settings_cannot_be_held(desk: Desk, route: str, arm: str) -> None:
    with pytest.raises(NotFound, match=r"no route named 'nowhere'|no arm 'nobody'"):
        serving.hold(settings(desk.folder, **TABLES), route, arm, "grace", "")
    assert not desk.log.path.exists()


def test_a_route_that_is_not_held_cannot_be_released(desk: Desk) -> None:
    desk.open(**TABLES)
    with pytest.raises(NotFound, match="route 'support' is not held"):
        release(desk)
