"""Files of rows: JSON lines, one JSON array, comma-separated values and paragraphs, written byte for byte the same.

Writing: UTF-8 without a byte-order mark, line feeds, no space that JSON does not need, keys in the row's own order.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

from pydantic_core import PydanticSerializationError, to_json

from persona.adapter import Container, valid
from persona.errors import InvalidInput

SUFFIXES: dict[Container, str] = {"jsonl": ".jsonl", "json": ".json", "csv": ".csv", "text": ".txt"}
"""How the names of files end."""

_OPENS: dict[Container, bytes] = {"jsonl": b"", "json": b"[\n", "csv": b"", "text": b""}
_ENDS_ROW: dict[Container, bytes] = {"jsonl": b"\n", "json": b"", "csv": b"", "text": b""}
_BETWEEN: dict[Container, bytes] = {"jsonl": b"", "json": b",\n", "csv": b"", "text": b"\n"}
_encode = json.JSONEncoder(  # rows hold no rows: looking for circles takes a third of the time
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


class RowWriter:
    """Writes rows into an open file, which it neither opens nor closes. `finish` ends an array."""

    def __init__(self, file: BinaryIO, container: Container) -> None:
        self._file = file
        self._container = container
        self._columns: tuple[str, ...] = ()
        self.rows = 0

    def write(self, row: Mapping[str, object]) -> int:
        """Writes one row and returns its bytes. Raises InvalidInput for what the file cannot hold."""
        return self.extend((piece_of(row, self._container),), tuple(row))

    def extend(self, pieces: Sequence[bytes], columns: tuple[str, ...]) -> int:
        """The same for rows, one at least, of these columns that `piece_of` has written already."""
        between = _BETWEEN[self._container]
        lead = self._head(columns) if self._container == "csv" else between if self.rows else _OPENS[self._container]
        self.rows += len(pieces)
        return self._file.write(lead + between.join(pieces))

    def finish(self) -> None:
        """Ends the file: an array needs it, and one without rows most of all."""
        if self._container == "json":
            self._file.write(b"\n]\n" if self.rows else b"[]\n")

    def _head(self, columns: tuple[str, ...]) -> bytes:
        if not self.rows:
            self._columns = columns
            return _cells(columns)
        if columns != self._columns:
            raise InvalidInput("a row does not fit the columns of the CSV file", hint="write it as JSON lines")
        return b""


def piece_of(row: Mapping[str, object], container: Container, *, worded: bool = False) -> bytes:
    """One row as it lies in a file, without what parts it from the others. Raises InvalidInput.

    A row that is `worded` holds no number with a fraction: its JSON is the same from an encoder that takes a third of
    the time, and writes such numbers in another way.
    """
    if container == "csv":
        if any("\x00" in str(value) for value in row.values()):
            raise InvalidInput("a CSV file cannot hold a NUL character", hint="write it as JSON lines")
        return _cells(row.values())
    if container == "text":
        return _bytes(f"{row['text']}\n")
    end = _ENDS_ROW[container]
    if worded:
        try:
            return to_json(row) + end
        except PydanticSerializationError:  # of half of a surrogate pair, which is replaced below
            pass
    try:
        line = _encode(row)
    except ValueError as error:
        raise InvalidInput("a number of the row is not finite", hint="JSON has no NaN: drop the row") from error
    return _bytes(line) + end


def _cells(values: Iterable[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return _bytes(out.getvalue())


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return valid(text).encode()
