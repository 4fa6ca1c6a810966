"""Rows of anybody's file, one after the other in bounded memory: gzip, byte-order marks, CRLF and broken lines.

Nothing that a file holds raises: what cannot be read comes back as a line with its problem.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast

from persona.adapter import Container
from persona.errors import InvalidInput
from persona.values.example import Problem

LONGEST = 64 * 1024**2
"""Bytes of the longest line or cell that is read."""

_TOLD = 10_000  # bytes of a line that is no row
_PIECE = 64 * 1024  # characters of an array that are read at a time
_BLANK = re.compile(r"[ \t\r\n]*")
_FOREIGN = re.compile("[\udc80-\udcff]")  # bytes that are no UTF-8, as they are read
Row = dict[str, Any]  # anybody's JSON


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it lies in its file: the number of its line (of its item, in an array), and itself or its problem.

    `text` is the beginning of a line that is no row.
    """

    number: int
    row: Row | None
    problem: Problem | None = None
    text: str = ""


class Place:
    """How many bytes of a file are read so far."""

    def __init__(self) -> None:
        self._file: io.BufferedReader | None = None

    def of(self, file: io.BufferedReader) -> None:
        """Follows this file, packed as it is."""
        self._file = file

    @property
    def bytes(self) -> int:
        """The bytes read, to the next megabyte or so; 0 before and after."""
        return self._file.tell() if self._file and not self._file.closed else 0


@contextmanager
def opened(path: Path, place: Place | None = None) -> Iterator[io.BufferedReader]:
    """The bytes of a file, unpacked where they are gzip's. Raises InvalidInput for a file that cannot be opened."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidInput(f"cannot read {str(path)!r}: {error.strerror}", hint="name a file that is there") from error
    if place:
        place.of(file)
    with file:
        if file.peek(2)[:2] != b"\x1f\x8b":
            yield file
            return
        with gzip.open(file) as unpacked:
            yield io.BufferedReader(cast(io.RawIOBase, unpacked), 64 * 1024)  # what a cut file loses at most


def container_of(path: Path) -> Container:
    """How the rows of a file lie in it, by what it begins with; by its name where that does not tell."""
    try:
        with opened(path) as file:
            start = file.peek(64 * 1024)[: 64 * 1024] or file.read(1)
    except (OSError, EOFError, zlib.error):
        start = b""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput(f"{path.name} is UTF-16", hint="save it as UTF-8")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return "json"
    names = {suffix for suffix in path.suffixes if suffix != ".gz"}
    if text.startswith(b"{") or names & {".jsonl", ".json", ".ndjson"}:
        return "jsonl"
    return "csv" if names & {".csv", ".tsv"} else "text"


def lines(path: Path, container: Container, after: int = 0, place: Place | None = None) -> Iterator[Line]:
    """The rows of a file in their order, those after a number. Empty lines are passed over."""
    readers = {
        "jsonl": lambda file: _json_lines(file, after),
        "json": _array,
        "csv": _table,
        "text": _paragraphs,
    }
    with opened(path, place) as file:
        last = 0
        try:
            for line in readers[container](file):
                last = line.number
                if last > after:
                    yield line
        except (OSError, EOFError, zlib.error) as error:
            hint = "the file is cut or damaged: make it again"
            yield Line(last + 1, None, Problem(f"the file cannot be read on: {type(error).__name__}", hint))


def _json_lines(file: io.BufferedReader, after: int) -> Iterator[Line]:
    number = 0
    while raw := file.readline(LONGEST + 1):
        number += 1
        if len(raw) > LONGEST:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST)
            yield Line(number, None, Problem("a line is longer than 64 MB", "part it, or leave it out"))
            continue
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if number > after and raw.strip():
            yield _parsed(number, raw)


def _parsed(number: int, raw: bytes) -> Line:
    try:
        row = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError:
        return Line(number, None, Problem("a line is not UTF-8", "save the file as UTF-8"), _start(raw))
    except (ValueError, RecursionError):
        hint = "a row is one JSON object on one line; a cut line is made again"
        return Line(number, None, Problem("a line is not JSON", hint), _start(raw))
    if not isinstance(row, dict):
        return Line(number, None, Problem("data_type: a row is no JSON object", "write each row as {…}"), _start(raw))
    return Line(number, row)


def _start(raw: bytes) -> str:
    return raw[:_TOLD].decode("utf-8", "replace")


def _refuse(constant: str) -> float:
    raise ValueError(constant)  # NaN and Infinity are no JSON


def _array(file: io.BufferedReader) -> Iterator[Line]:
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    number = 0
    try:
        for row, said in _items(text):
            number += 1
            if _FOREIGN.search(said):
                yield Line(number, None, Problem("an item is not UTF-8", "save the file as UTF-8"))
            elif isinstance(row, dict):
                yield Line(number, row)
            else:
                yield Line(number, None, Problem("data_type: a row is no JSON object", "write each row as {…}"))
    except (ValueError, RecursionError):
        hint = "nothing after this item can be read: the array is cut, or a comma or quote is wrong"
        yield Line(number + 1, None, Problem("the array is not JSON", hint))
    finally:
        text.detach()


def _items(text: TextIO) -> Iterator[tuple[object, str]]:
    """The items of an array and their text; it is read on until each is whole. Raises ValueError, RecursionError.

    By the decoder of the standard library, for readers of JSON as a stream hold every bracket that is open: 100 kB of
    "[" took ijson 23 GB.
    """
    decode = json.JSONDecoder(parse_constant=_refuse).raw_decode
    held, at, before = "", 0, "["  # what must stand before the next item
    while True:
        at = _blank(held, at)
        sign, start = held[at : at + 1], _blank(held, at + 1)
        if sign == "]" and before == ",":
            break
        if sign == before == "[" and held[start : start + 1] == "]":
            at = start
            break
        if sign == before:
            with suppress(json.JSONDecodeError):  # it is not whole yet, or broken
                item, end = decode(held, start)
                if isinstance(item, dict) or _blank(held, end) < len(held):  # a number may go on
                    yield item, held[start:end]
                    at, before = end, ","
                    continue
        elif sign:
            raise ValueError(sign)
        piece = text.read(max(_PIECE, len(held) - at))
        if not piece or len(held) - at > LONGEST:
            raise ValueError(before)
        held, at = held[at:] + piece, 0
    if held[at + 1 :].strip() or any(piece.strip() for piece in iter(partial(text.read, _PIECE), "")):
        raise ValueError("]")


def _blank(text: str, at: int) -> int:
    """Where the white space from a place on ends."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _table(file: io.BufferedReader) -> Iterator[Line]:
    csv.field_size_limit(LONGEST)
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        head = text.readline(LONGEST)
        columns = next(csv.reader([head], delimiter=(delimiter := _delimiter(head))), [])
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        while True:
            number = reader.line_num + 2
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(number, None, Problem("a line is no row of the table", f"check its quotes: {error}"))
                continue
            if cells:
                yield _cells(number, columns, cells)
    finally:
        text.detach()


def _delimiter(head: str) -> str:
    return max(",;\t", key=head.count)


def _cells(number: int, columns: list[str], cells: list[str]) -> Line:
    if len(cells) != len(columns):
        hint = "quote cells that hold commas or line ends"
        return Line(number, None, Problem("a row has more or fewer cells than columns", hint))
    if any(map(_FOREIGN.search, cells)):
        return Line(number, None, Problem("a line is not UTF-8", "save the file as UTF-8"))
    return Line(number, dict(zip(columns, cells, strict=True)))


def _paragraphs(file: io.BufferedReader) -> Iterator[Line]:
    number = begun = size = 0
    held: list[bytes] = []
    while raw := file.readline(LONGEST):
        number += 1
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if raw.strip():
            begun = begun or number
            size += len(raw)
            if size <= LONGEST:
                held.append(raw.rstrip(b"\r\n"))
        elif begun:
            yield _paragraph(begun, held, size)
            held, begun, size = [], 0, 0
    if begun:
        yield _paragraph(begun, held, size)


def _paragraph(number: int, held: list[bytes], size: int) -> Line:
    if size > LONGEST:
        return Line(number, None, Problem("a paragraph is longer than 64 MB", "part it by empty lines"))
    try:
        return Line(number, {"text": b"\n".join(held).decode("utf-8")})
    except UnicodeDecodeError:
        return Line(number, None, Problem("a line is not UTF-8", "save the file as UTF-8"))
