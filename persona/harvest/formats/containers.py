"""Files of rows: JSON lines, one JSON array, comma-separated values and paragraphs, written byte for byte the same.

Writing: UTF-8 without a byte-order mark, line feeds, no space that JSON does not need, keys in the row's own order.
"""

import csv
import io
import json
from collections.abc import Mapping
from typing import BinaryIO

from persona.adapter import Container, valid
from persona.errors import InvalidInput

SUFFIXES: dict[Container, str] = {"jsonl": ".jsonl", "json": ".json", "csv": ".csv", "text": ".txt"}
"""How the names of files end."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class RowWriter:
    """Writes rows into an open file, which it neither opens nor closes. `finish` ends an array."""

    def __init__(self, file: BinaryIO, container: Container) -> None:
        self._file = file
        self._container = container
        self._columns: tuple[str, ...] = ()
        self.rows = 0

    def write(self, row: Mapping[str, object]) -> int:
        """Writes one row and returns its bytes. Raises InvalidInput for what the file cannot hold."""
        text = self._csv(row) if self._container == "csv" else self._text(row)
        self.rows += 1
        return self._file.write(valid(text).encode())

    def finish(self) -> None:
        """Ends the file: an array needs it, and one without rows most of all."""
        if self._container == "json":
            self._file.write(b"\n]\n" if self.rows else b"[]\n")

    def _text(self, row: Mapping[str, object]) -> str:
        if self._container == "text":
            return f"\n{row['text']}\n" if self.rows else f"{row['text']}\n"
        try:
            line = _encode(row)
        except ValueError as error:
            raise InvalidInput("a number of the row is not finite", hint="JSON has no NaN: drop the row") from error
        if self._container == "json":
            return f",\n{line}" if self.rows else f"[\n{line}"
        return f"{line}\n"

    def _csv(self, row: Mapping[str, object]) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        if not self.rows:
            self._columns = tuple(row)
            writer.writerow(self._columns)
        if tuple(row) != self._columns or any("\x00" in str(value) for value in row.values()):
            raise InvalidInput("a row does not fit the columns of the CSV file", hint="write it as JSON lines")
        writer.writerow([row[column] for column in self._columns])
        return out.getvalue()
