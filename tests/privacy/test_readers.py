"""SQLite's file while others use it: a reader keeps the old pages, and the receipt says so, until it ends."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from privacy.traces import in_files, mark
from talking import Desk, settings

from persona import Assistant
from persona.assistant import operator, people

SAID = mark(9)


@pytest.fixture
def assistant(desk: Desk) -> Assistant:
    """An assistant that waits for nobody for long, and a user who said something."""
    assistant = desk.open(store={"busy_timeout_s": 0.2})
    desk.model.then("noted")
    assistant.user("ada").conversation().send(SAID)
    assistant.drain()
    return assistant


@pytest.fixture
def reader(assistant: Assistant, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who is in the middle of a read transaction."""
    with closing(sqlite3.connect(tmp_path / "persona.db", isolation_level=None, check_same_thread=False)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM persona_messages").fetchall()
        yield reader


async def test_a_reader_keeps_old_pages_and_the_receipt_says_what_to_do(
    assistant: Assistant, reader: sqlite3.Connection, tmp_path: Path
) -> None:
    receipt = assistant.user("ada").erase()
    assert (receipt.left_in, receipt.scrubbed_us) == ("log", 0)
    assert "persona prune --vacuum" in receipt.remains[0]
    assert in_files(tmp_path, SAID)
    assert people.receipt(settings(tmp_path), receipt.id).left_in == "log"
    reader.execute("COMMIT")
    await operator.prune(settings(tmp_path), vacuum=True)
    assert in_files(tmp_path, SAID) == {}
    after = people.receipt(settings(tmp_path), receipt.id)
    assert (after.left_in, bool(after.scrubbed_us)) == ("", True)
    assert len(after.remains) == 1


def test_a_reader_who_ends_in_time_is_waited_for(
    assistant: Assistant, reader: sqlite3.Connection, tmp_path: Path
) -> None:
    ending = threading.Timer(0.5, reader.execute, ["COMMIT"])
    ending.start()
    receipt = assistant.user("ada").erase()
    ending.join()
    assert receipt.left_in == ""
    assert in_files(tmp_path, SAID) == {}


def test_the_next_erasure_scrubs_what_the_last_one_could_not(
    assistant: Assistant, reader: sqlite3.Connection, tmp_path: Path
) -> None:
    assistant.user("bob").remember("something")
    first = assistant.user("ada").erase()
    reader.execute("COMMIT")
    assistant.user("bob").erase()
    assert in_files(tmp_path, SAID) == {}
    assert people.receipt(settings(tmp_path), first.id).scrubbed_us


def test_connections_that_are_open_and_idle_are_in_nobodys_way(
    assistant: Assistant, desk: Desk, tmp_path: Path
) -> None:
    others = [desk.open(), desk.open()]
    for number, other in enumerate(others):
        other.user(f"user {number}").remember("something")
    assert assistant.user("ada").erase().left_in == ""
    assert in_files(tmp_path, SAID) == {}


def test_the_page_that_was_rearranged_keeps_no_copy(desk: Desk, tmp_path: Path) -> None:
    """Rows of all sizes, many of them deleted again: SQLite splits, merges and frees pages, and copies rows."""
    marks = [mark(100 + number) for number in range(60)]
    assistant = desk.open(memory={"turns": False})
    ada, bob = assistant.user("ada"), assistant.user("bob")
    for number, one in enumerate(marks):
        desk.model.then(one * (number % 7 + 1), "ok")
        ada.conversation(f"c-{number % 5}", create=True).send(one * (number % 11 + 1))
        bob.conversation(f"c-{number % 5}", create=True).send("word " * (number * 37 % 400 + 1))
    for id in ("c-1", "c-3"):
        ada.conversation(id).erase()
    assert ada.erase().left_in == ""
    assert in_files(tmp_path, *marks) == {}
    with closing(sqlite3.connect(tmp_path / "persona.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("PRAGMA freelist_count").fetchone() == (0,)
