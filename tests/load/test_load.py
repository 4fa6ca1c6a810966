"""The load benchmark works, and what judges it sees what is wrong."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from talking import Desk

from benchmarks.load_client import Turn, name_of
from benchmarks.load_database import sqlite_rows
from benchmarks.load_oracle import Verdict, judge
from benchmarks.load_picture import page, sparkline
from benchmarks.load_words import reply, said, took_us
from benchmarks.load_worker import ANSWERED

ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk


def talked(desk: Desk) -> list[Turn]:
    """Three turns in one conversation, answered as the load's server answers, and acknowledged."""
    turns = [answered(number) for number in range(3)]
    chat = desk.open().user("ada").conversation(id=name_of(0), create=True)
    for turn in turns:
        desk.model.then(reply(turn.number, turn.took_us))
        chat.send(said(turn.number))
    return turns


def answered(number: int) -> Turn:
    return Turn(number, 0, float(number), False, True, number + 0.5, ANSWERED, wall_us=2_000, took_us=1_000 + number)


def verdict_on(desk: Desk, turns: list[Turn]) -> Verdict:
    return judge(turns, sqlite_rows(desk.log.path))


def test_nothing_is_wrong_with_turns_that_are_all_there(desk: Desk) -> None:
    assert verdict_on(desk, talked(desk)) == Verdict()


@pytest.mark.parametrize("depth", range(6))
def test_a_message_that_was_removed_is_lost(desk: Desk, depth: int) -> None:
    turns = talked(desk)
    desk.log.change("DELETE FROM persona_messages WHERE depth = ?", depth)
    assert verdict_on(desk, turns).lost


def test_every_message_of_a_conversation_that_is_gone_is_lost(desk: Desk) -> None:
    turns = talked(desk)
    desk.log.change("DELETE FROM persona_conversations")
    assert verdict_on(desk, turns).lost == len(turns)


def test_a_message_that_is_there_twice_is_doubled(desk: Desk) -> None:
    turns = talked(desk)
    rows = desk.log.rows("SELECT * FROM persona_messages WHERE depth = 0")
    (twin,) = [{**row, "id": "msg_twin"} for row in rows]
    marks = ", ".join("?" * len(twin))
    desk.log.change(f"INSERT INTO persona_messages ({', '.join(twin)}) VALUES ({marks})", *twin.values())
    assert verdict_on(desk, turns) == Verdict(doubled=1, problems=[f"{said(0)[-40:]!r} is there 2 times"])


def test_turns_that_changed_places_are_out_of_order(desk: Desk) -> None:
    turns = talked(desk)
    turns[0].began, turns[0].ended, turns[2].began, turns[2].ended = 2.0, 2.5, 0.0, 0.5
    assert verdict_on(desk, turns).out_of_order == 2  # the middle one came late, and so did the last


def test_a_reply_to_another_message_is_out_of_order(desk: Desk) -> None:
    turns = talked(desk)
    first, second = (desk.log.rows("SELECT parts FROM persona_messages WHERE depth = ?", at)[0] for at in (1, 3))
    desk.log.change("UPDATE persona_messages SET parts = ? WHERE depth = 1", second["parts"])
    desk.log.change("UPDATE persona_messages SET parts = ? WHERE depth = 3", first["parts"])
    assert verdict_on(desk, turns).out_of_order == 2


def test_a_message_that_was_refused_and_is_there_is_strange(desk: Desk) -> None:
    turns = talked(desk)
    turns[1].outcome = "ConversationBusy"
    assert f"message {turns[1].number} was refused and is there" in verdict_on(desk, turns).problems


def test_a_message_that_nobody_sent_and_its_reply_are_strange(desk: Desk) -> None:
    turns = talked(desk)
    assert verdict_on(desk, turns[:2]).strange == 2


def test_what_is_added_is_the_call_without_the_time_that_the_server_tells() -> None:
    assert took_us(reply(7, 1_234)) == 1_234
    assert answered(0).added_ms == 1.0


def test_a_short_run_loses_nothing_and_draws_its_pictures(tmp_path: Path) -> None:
    small = ["--seconds", "2", "--conversations", "12", "--concurrency", "6", "--latency-ms", "30", "--processes", "2"]
    command = [sys.executable, "-m", "benchmarks", "--only", "load", "--json", "--out", str(tmp_path), *small]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=100)
    tables = json.loads(done.stdout)["load"]
    kept = {row["what"]: row["value"] for table in tables if "kept" in table["title"] for row in table["rows"]}
    assert {name: kept[name] for name in ("lost", "doubled", "out of order", "errors")} == {
        "lost": 0,
        "doubled": 0,
        "out of order": 0,
        "errors": 0,
    }
    assert kept["acknowledged"] > 24
    (drawn,) = tmp_path.iterdir()
    assert drawn.read_text().count("<polyline") == 5


def test_a_sparkline_rises_with_its_values() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], width=8) == "▁▂▃▄▅▆▇█"
    assert sparkline([5, 5, 5], width=8) == "▁▁▁"


def test_a_page_needs_nothing_from_elsewhere() -> None:
    drawn = page("a <run>", [0.0, 1.0], {"memory": [1.0, 2.0]}, "text")
    assert "a &lt;run&gt;" in drawn
    assert not {"<script", "<link", "src=", "href="} & set(drawn.split())
