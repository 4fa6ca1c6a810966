"""Comparing on a dataset of our own log: each exchange as it was known then, through the window of each arm."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from evaluation.holdouts import ROUTES, Models, asked_in, chosen, compared, harvested, written
from pydantic import BaseModel
from talking import Desk

from persona import InvalidInput, MisuseError
from persona.assistant.harvesting import Wish as Harvest
from persona.assistant.harvesting import harvest
from persona.evaluation.holdout import holdout_of
from persona.values.comparison import Comparison

TURNS = 3


def models() -> Models:
    def said(request: object) -> str:
        return "Parcel 81 is in Lyon."

    return Models({"base": lambda r: "I do not know.", "tuned": said, "judge": said})


def lived(desk: Desk) -> Path:
    """A log of two users, one of whom told something and corrected a reply."""
    assistant = desk.open(models().adapters, routes=ROUTES)
    for name in ("ada", "bob"):
        user = assistant.user(name)
        user.remember("vegetarian" if name == "ada" else "has a dog", kind="preference")
        chat = user.conversation(route="support")
        for number in range(TURNS):
            reply = chat.send(f"{name} asks where parcel {number} is")
        if name == "ada":
            chat.correct(reply.id, "Parcel 81 is in Lyon.")
    assistant.drain()
    return harvested(desk, desk.folder / "datasets" / "dst_1")


async def on(desk: Desk, where: Path, using: Models) -> Comparison:
    return await compared(desk.folder, using, where, by="exact")


async def test_every_arm_is_asked_what_was_asked_then_with_its_own_window(desk: Desk) -> None:
    where, using = lived(desk), models()
    found = await on(desk, where, using)
    assert (found.pairs, found.users, found.left_out) == (2 * TURNS, 2, 0)
    asked = {name: sorted(asked_in(one) for one in using.models[name].requests) for name in ("base", "tuned")}
    assert (
        asked["base"]
        == asked["tuned"]
        == sorted(f"{n} asks where parcel {k} is" for n in ("ada", "bob") for k in range(3))
    )
    for request in using.models["tuned"].requests:
        words = "\n".join(message.text for message in request.messages)
        assert request.messages[0].text == "Be brief."
        assert ("vegetarian" in words, "has a dog" in words) == ("ada asks" in words, "bob asks" in words)
        assert "surrogate" not in words


async def test_the_reference_is_what_somebody_said_that_the_reply_should_have_been(desk: Desk) -> None:
    found = await on(desk, lived(desk), models())
    exact = found.of("exact")
    assert exact
    assert (exact.wins, exact.losses, exact.pairs) == (1, 5, 6)  # five were answered as the base does again


async def test_the_answers_in_the_log_stand_for_a_model_that_is_gone(desk: Desk) -> None:
    where, using = lived(desk), models()
    found = await compared(desk.folder, using, where, arms=("logged", "tuned"), by="placeholders")
    assert (found.arms, found.targets, using.calls("base")) == (("logged", "tuned"), ("log:recorded", "tuned:any"), 0)
    exact = found.of("exact")
    assert exact
    assert (exact.pairs, exact.base, exact.other) == (1, 0.0, 1.0)  # what nobody corrected is no reference to itself
    other = written(desk.folder / "other.jsonl", [("When?", "At nine.")])
    with pytest.raises(InvalidInput, match="somebody else's file"):
        await compared(desk.folder, using, other, arms=("logged", "tuned"))


async def test_an_erased_user_is_not_asked_and_said_to_be_missing(desk: Desk) -> None:
    where, using = lived(desk), models()
    desk.open(using.adapters, routes=ROUTES).user("bob").erase()
    found = await on(desk, where, using)
    assert (found.examples, found.pairs) == (2 * TURNS, TURNS)
    assert f"{TURNS} examples were not asked: erased from the log" in found.notes
    assert not [one for one in using.models["tuned"].requests if "bob" in asked_in(one)]


@pytest.mark.parametrize("named", ["", "trl/test", "trl/test.jsonl"])
def test_a_dataset_is_named_by_its_folder_or_by_its_files(named: str, desk: Desk) -> None:
    holdout = holdout_of(lived(desk) / named)
    assert holdout.ours
    rows = list(holdout.rows())
    assert len(rows) == 2 * TURNS
    assert [row.origin.exchange_id for row in rows if row.origin] == [one["id"] for one in desk.log.exchanges]


def test_pieces_of_a_side_are_read_in_their_order(desk: Desk) -> None:
    where = lived(desk)
    whole = holdout_of(where)
    expected = [(row.id, row.example) for row in whole.rows()]
    lines = (where / "trl" / "test.jsonl").read_text().splitlines(keepends=True)
    for number in range(2):
        (where / "trl" / f"test-{number + 1:05d}-of-00002.jsonl").write_text("".join(lines[number * 3 :][:3]))
    (where / "trl" / "test.jsonl").unlink()
    assert [(row.id, row.example) for row in holdout_of(where / "trl" / "test").rows()] == expected


def test_a_list_that_names_fewer_examples_than_there_are_is_refused(desk: Desk) -> None:
    where = lived(desk)
    rows = (where / "rows.jsonl").read_text().splitlines(keepends=True)
    (where / "rows.jsonl").write_text(
        "".join(row for row in rows if json.loads(row).get("example") != desk.log.exchanges[2]["id"])
    )
    with pytest.raises(InvalidInput, match="names fewer examples"):
        list(holdout_of(where).rows())
    (where / "rows.jsonl").unlink()
    with pytest.raises(MisuseError, match="is missing beside"):
        holdout_of(where)


async def test_a_real_harvest_of_the_log_is_compared_on(desk: Desk) -> None:
    using = models()
    assistant = desk.open(using.adapters, routes=ROUTES)
    asked = ["where is my parcel", "when do you open on Sunday", "how do I pay a bill", "who repairs a kettle"]
    for number, words in enumerate(asked):
        user = assistant.user(f"user {number}")
        user.consent(training=True)
        chat = user.conversation(route="support")
        chat.correct(chat.send(words).id, f"{words}? That is a long story, which we tell at number {number}.")
    wish = Harvest("support", out=desk.folder / "datasets", holdout=datetime(2000, 1, 1, tzinfo=UTC))
    known = {name: {"kind": "embedded"} for name in using.models}  # it counts their tokens, and asks none of them
    settings = chosen(desk.folder, harvest={"processes": 1}, providers=known)
    outcome = await asyncio.to_thread(harvest, settings, wish)
    assistant.user("user 3").consent(training=False)
    compared_with = models()
    found = await on(desk, Path(outcome.path) / "trl" / "test", compared_with)
    assert (found.examples, found.pairs, found.users) == (4, 3, 3)
    assert "1 examples were not asked: of a user who has withdrawn their consent" in found.notes
    assert sorted(asked_in(one) for one in compared_with.models["tuned"].requests) == sorted(asked[:3])


async def test_a_reply_that_was_held_to_a_schema_is_measured_by_it(desk: Desk) -> None:
    class Day(BaseModel):
        day: str

    using = Models({"base": lambda r: '{"day": "Monday"}', "tuned": lambda r: "Monday", "judge": lambda r: "unused"})
    chat = desk.open(using.adapters, routes=ROUTES).user("ada").conversation(route="support")
    chat.send("When?", answer=Day)
    found = await compared(
        desk.folder, using, harvested(desk, desk.folder / "datasets" / "dst_1"), arms=("base", "tuned")
    )
    assert (found.by, found.of("format").base, found.of("format").other) == ("format", 1.0, 0.0)  # type: ignore[union-attr]
    assert using.models["tuned"].requests[0].answer == using.models["base"].requests[0].answer
    assert using.models["tuned"].requests[0].answer
