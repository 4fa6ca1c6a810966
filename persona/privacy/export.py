"""Hands over everything that belongs to a user as one JSON document, written as it is read.

    {"format": "persona-export", "version": 1, "exported_at": "2026-11-21T12:00:00+00:00",
     "owner": {…}, "attempts": [{…}, …], "conversations": […], …, "counts": {"attempts": 2, …}}

One list for each table, its rows with the names of their columns; docs/privacy.md says what they are. `counts` comes
last: a document without it was cut short. Vectors are left out: a text and its embedder make them again.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from persona.errors import InvalidInput, NotFound
from persona.store import export
from persona.store.belongings import BELONGING
from persona.store.engine import Database
from persona.values.owner import Owner
from persona.values.privacy import Exported
from persona.values.time import from_us

FORMAT, VERSION = "persona-export", 1

_encode = json.JSONEncoder(ensure_ascii=False).encode


def write_export(database: Database, owner: Owner, out: TextIO, now_us: int) -> Exported:
    """Writes the user's document to an open text file, in this thread. Raises NotFound.

    What is stored meanwhile may be in it or not: the database is not held up.
    """
    found = database.run_now(lambda tx: export.owner_of(tx, owner), write=False)
    if found is None:
        raise NotFound("nothing is stored for this user", hint="`persona users list` says who there is")
    key, row = found
    counts: dict[str, int] = {}
    for piece in _document(database, key, row, now_us, counts):
        out.write(piece)
    return Exported(counts)


def write_file(database: Database, owner: Owner, path: str | Path, now_us: int) -> Exported:
    """The same into a file that is there when it is whole, and that nobody but its owner may read."""
    if not isinstance(path, str | Path):
        raise InvalidInput(f"the file is a {type(path).__name__}", hint="pass a path")
    target = Path(path)
    if target.exists() and not target.is_file():  # a device or a pipe would be exchanged for a file
        raise InvalidInput(f"cannot write {str(target)!r}: it is no file", hint="name another one")
    try:
        number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(number, "w", encoding="utf-8", errors="replace") as out:
                exported = write_export(database, owner, out, now_us)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink()
            raise
    except OSError as error:
        raise InvalidInput(f"cannot write {str(target)!r}: {error.strerror}", hint="name another file") from error
    return exported


def _document(
    database: Database, key: int, row: dict[str, object], now_us: int, counts: dict[str, int]
) -> Iterator[str]:
    head = {"format": FORMAT, "version": VERSION, "exported_at": from_us(now_us).isoformat(), "owner": row}
    yield "{\n" + ",\n".join(f"{_encode(name)}: {_encode(value)}" for name, value in head.items())
    for table in sorted(one.name for one in BELONGING):
        name = table.removeprefix("persona_")
        counts[name] = 0
        yield f",\n{_encode(name)}: ["
        for each in export.rows(database, key, table):
            yield ("," if counts[name] else "") + "\n" + _encode(each)
            counts[name] += 1
        yield "\n]" if counts[name] else "]"
    yield f',\n"counts": {_encode(counts)}\n}}\n'
