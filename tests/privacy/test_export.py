"""An export holds everything that belongs to the user, and nothing of anybody else."""

import json
import os
import resource
import stat
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from privacy.life import Life, live
from privacy.traces import NOBODYS, everything
from sqlalchemy import LargeBinary
from stored import sql
from talking import Desk

from persona import Assistant, InvalidInput, NotFound
from persona.privacy.export import FORMAT, VERSION, write_export
from persona.store import conversations, messages, owners
from persona.store.belongings import BELONGING, LINKED, OWNED
from persona.store.engine import Database
from persona.store.ids import new_id
from persona.store.tables import Table
from persona.store.transaction import Transaction
from persona.values.message import Message, Text
from persona.values.owner import Owner

OWNER = "persona_owners"  # the owner's own row is the head of the export


@pytest.fixture
def assistant(desk: Desk, url: str) -> Assistant:
    return desk.open(store={"url": url})


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url, busy_timeout_s=5)
    yield database
    database.close()


def exported(assistant: Assistant, path: Path, name: str = "ada", tenant: str = "") -> dict[str, Any]:
    counts = assistant.user(name, tenant).export(path).counts
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert document["counts"] == counts
    return document


def test_every_table_with_rows_of_somebody_is_in_an_export() -> None:
    """A new table needs an `owner_key`, or its line in `store/belongings.py`, or in `NOBODYS`."""
    assert {one.name for one in BELONGING} | NOBODYS | {OWNER} == set(Table.metadata.tables)
    assert {one.name for one in OWNED} | {*LINKED} == {one.name for one in BELONGING}


def test_an_export_holds_every_row_and_column_of_the_user_but_vectors(
    desk: Desk, url: str, assistant: Assistant, database: Database, tmp_path: Path
) -> None:
    life = live(url, assistant, desk.model, "ada", 1)
    document = exported(assistant, tmp_path / "ada.json")
    stored = {name: rows for name, rows in everything(database).items() if name not in {*NOBODYS, OWNER}}
    assert {name.removeprefix("persona_"): len(rows) for name, rows in stored.items()} == document["counts"]
    for one in BELONGING:
        wanted = {column.name for column in one.c if not isinstance(column.type, LargeBinary)}
        for row in document[one.name.removeprefix("persona_")]:
            assert row.keys() == wanted
    raw = json.dumps(document, ensure_ascii=False)
    for mark in life.all():
        assert mark[:12] in raw, "its first letters, which no JSON within JSON escapes"
    assert (document["format"], document["version"]) == (FORMAT, VERSION)
    assert (document["owner"]["name"], document["owner"]["display_name"]) == ("ada", life.marks["name"])
    assert document["owner"]["consent"] is True


def test_an_export_reads_plans_parts_and_anchors_and_keeps_the_tree(
    desk: Desk, assistant: Assistant, tmp_path: Path
) -> None:
    desk.model.then("one", "two", "three")
    chat = assistant.user("ada").conversation()
    first = chat.send("hello")
    chat.regenerate(first.id)
    chat.edit(chat.messages()[0].id, "good day")
    document = exported(assistant, tmp_path / "ada.json")
    by_id = {row["id"]: row for row in document["messages"]}
    assert by_id[first.id]["parts"] == [{"text": "one"}]
    roots = [row for row in by_id.values() if not row["parent_id"]]
    assert [row["parts"][0]["text"] for row in roots] == ["hello", "good day"]
    assert len([row for row in by_id.values() if row["parent_id"] == roots[0]["id"]]) == 2
    (plan,) = [row["plan"] for row in document["exchanges"] if row["reply_id"] == first.id]
    assert plan["sections"][-1]["name"] == "input"
    assert document["conversations"][0]["anchor"][0] == 0
    assert {row["exchange_id"] for row in document["attempts"]} == {row["id"] for row in document["exchanges"]}


def test_an_export_holds_nothing_of_anybody_else(desk: Desk, url: str, assistant: Assistant, tmp_path: Path) -> None:
    others: list[Life] = [
        live(url, assistant, desk.model, name, seed, tenant)
        for seed, (name, tenant) in enumerate([("bob", ""), ("ada", "acme")], start=2)
    ]
    live(url, assistant, desk.model, "ada", 1)
    exported(assistant, tmp_path / "ada.json")
    raw = (tmp_path / "ada.json").read_text(encoding="utf-8")
    for life in others:
        assert not [mark for mark in life.all() if mark[:12] in raw]


def many_messages(database: Database, number: int) -> None:
    """Writes so many messages of ada's, of a kilobyte each."""

    def write(tx: Transaction) -> None:
        key = owners.find_or_make(tx, Owner("", "ada"), 1).key
        conversations.make(tx, key, "c-1", "default", "base", "", 1)
        for depth in range(number):
            said = Message("user", (Text(f"{depth} " + "x" * 1000),), new_id("msg"), "", "", depth, 1)
            messages.insert(tx, key, 1, said, {})

    database.run_now(write)


def test_an_export_of_many_pages_is_whole_and_in_order(
    assistant: Assistant, database: Database, tmp_path: Path
) -> None:
    assistant.user("bob").remember("something")
    database.run_now(lambda tx: tx.run(sql("DELETE FROM persona_owners"), {}))
    many_messages(database, 1001)
    document = exported(assistant, tmp_path / "ada.json")
    assert document["counts"]["messages"] == 1001
    assert len({row["id"] for row in document["messages"]}) == 1001
    ids = [row["id"] for row in document["messages"]]
    assert ids == sorted(ids)


def test_an_export_needs_no_more_memory_for_more_rows(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'persona.db'}")
    from persona.store.schema import prepare

    prepare(database)
    many_messages(database, 20_000)
    write_export(database, Owner("", "ada"), StringIO(), 1)  # so that every buffer is as large as it gets

    class Counting(StringIO):
        written = 0

        def write(self, text: str) -> int:
            Counting.written += len(text)
            return len(text)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_export(database, Owner("", "ada"), Counting(), 1)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    database.close()
    assert Counting.written > 20_000_000
    assert grown_kb < 10_000


def test_a_file_is_for_its_owner_alone_and_never_half(assistant: Assistant, tmp_path: Path) -> None:
    assistant.user("ada").remember("something")
    target = tmp_path / "out" / "ada.json"
    target.parent.mkdir()
    assistant.user("ada").export(str(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(NotFound):
        assistant.user("nobody").export(target)
    assert [path.name for path in target.parent.iterdir()] == ["ada.json"]
    assert json.loads(target.read_text())["owner"]["name"] == "ada"
    with pytest.raises(InvalidInput, match="cannot write"):
        assistant.user("ada").export(tmp_path / "nowhere" / "ada.json")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_not_exchanged_for_one(
    assistant: Assistant, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    assistant.user("ada").remember("something")
    target = tmp_path / "out" / "ada.json"
    target.parent.mkdir()
    make(target)
    with pytest.raises(InvalidInput, match="it is no file"):
        assistant.user("ada").export(target)
    assert [path.name for path in target.parent.iterdir()] == ["ada.json"]
    assert not target.is_file()
