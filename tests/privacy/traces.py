"""Marks to say, and a search for what is left of them: in files byte by byte, in tables row by row."""

import json
import random
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stored import sql

from persona.store.engine import Database
from persona.store.tables import Table

NOBODYS = {
    "persona_calibrations",  # what providers count
    "persona_datasets",  # files made of the log, by number and place
    "persona_changes",  # of the settings, by whoever serves
    "persona_evaluations",  # of arms, in numbers
    "persona_holds",  # of routes
    "persona_imports",  # how far files are read
    "persona_promotions",  # of arms, by whoever serves
    "persona_jobs",  # what was trained where, and how that went
    "persona_prompts",  # the words of the settings
    "persona_receipts",  # what was erased, in numbers
}
"""The tables whose rows belong to no user."""

_FRAGMENT = 12  # bytes


def mark(seed: int) -> str:
    """A word that nobody else says. Letters that JSON and UTF-8 write in several ways lie far apart in it, so that
    no fragment is without letters of chance.
    """
    dice = random.Random(seed)
    pieces = ("".join(dice.choices(string.ascii_lowercase, k=12)) for _ in range(4))
    return "".join(piece + odd for piece, odd in zip(pieces, ("é", '"', "ñ", ""), strict=True))


def spellings(said: str) -> set[bytes]:
    """The text as it may lie in a file: raw, in JSON with and without escapes, in UTF-16."""
    written = (said, json.dumps(said)[1:-1], json.dumps(said, ensure_ascii=False)[1:-1])
    return {one.encode() for one in written} | {said.encode("utf-16-le")}


def fragments(marks: Iterable[str]) -> set[bytes]:
    """Every run of 12 bytes of every spelling."""
    whole = {spelling for one in marks for spelling in spellings(one)}
    return {one[at : at + _FRAGMENT] for one in whole for at in range(len(one) - _FRAGMENT + 1)}


def in_files(folder: Path, *marks: str) -> dict[str, int]:
    """How many fragments of the marks each file of a folder holds; files without any are left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            held = path.read_bytes()
            if number := sum(fragment in held for fragment in fragments(marks)):
                found[path.name] = number
    return found


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    return {
        name: database.run_now(lambda tx, name=name: tx.all(sql(f"SELECT * FROM {name}"), {}), write=False)
        for name in Table.metadata.tables
    }


def in_rows(database: Database, *marks: str) -> dict[str, int]:
    """How many rows of each table hold a fragment of the marks; tables without any are left out."""
    wanted = fragments(marks)
    found = {}
    for name, rows in everything(database).items():
        held = [b"\0".join(_bytes(cell) for cell in row) for row in rows]
        if number := sum(any(fragment in row for fragment in wanted) for row in held):
            found[name] = number
    return found


def naming(database: Database, *ids: str) -> dict[str, int]:
    """How many rows of each table hold one of these ids; those of one moment begin alike, so they count when whole."""
    found = {
        name: sum(any(id in str(row) for id in ids) for row in rows) for name, rows in everything(database).items()
    }
    return {name: number for name, number in found.items() if number}


def _bytes(cell: object) -> bytes:
    return cell if isinstance(cell, bytes) else str(cell).encode()
