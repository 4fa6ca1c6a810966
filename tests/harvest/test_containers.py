"""Files of rows: the same bytes every time, and nothing that somebody wrote makes the reader fall."""

import gzip
import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona.adapter import Container
from persona.errors import InvalidInput
from persona.harvest.formats.containers import RowWriter, piece_of
from persona.harvest.formats.reading import Line, container_of, lines

ROW = {"input_text": "Où ?", "output_text": 'À "Lyon",\nlà.'}


def _bytes(container: Container, rows: list[dict[str, object]]) -> bytes:
    out = io.BytesIO()
    writer = RowWriter(out, container)
    for row in rows:
        writer.write(row)
    writer.finish()
    return out.getvalue()


def _read(folder: Path, name: str, raw: bytes) -> list[Line]:
    path = folder / name
    path.write_bytes(raw)
    return list(lines(path, container_of(path)))


def test_rows_are_written_in_the_same_bytes() -> None:
    assert _bytes("jsonl", [ROW]) == b'{"input_text":"O\xc3\xb9 ?","output_text":"\xc3\x80 \\"Lyon\\",\\nl\xc3\xa0."}\n'
    assert _bytes("json", [{"a": 1}, {"a": 2}]) == b'[\n{"a":1},\n{"a":2}\n]\n'
    assert _bytes("json", []) == b"[]\n"
    assert _bytes("csv", [ROW]) == 'input_text,output_text\nOù ?,"À ""Lyon"",\nlà."\n'.encode()
    assert _bytes("text", [{"text": "one"}, {"text": "two"}]) == b"one\n\ntwo\n"


def test_half_a_surrogate_pair_is_replaced_and_a_number_that_is_none_is_refused() -> None:
    assert json.loads(_bytes("jsonl", [{"a": "x\ud800"}])) == {"a": "x\ufffd"}
    with pytest.raises(InvalidInput):
        _bytes("jsonl", [{"a": float("nan")}])


_SAID = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["\x00\x1f\x7f\x85\u2028\\/\"'", "a\ud83d", "😀"]
)


@given(st.lists(st.fixed_dictionaries({"role": _SAID, "content": _SAID, "weight": st.integers(0, 1)}), max_size=4))
@settings(max_examples=200, deadline=None)
def test_words_are_written_in_the_same_bytes_by_either_encoder(messages: list[dict[str, object]]) -> None:
    for container in ("jsonl", "json"):
        assert piece_of({"messages": messages}, container, worded=True) == piece_of({"messages": messages}, container)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_marks_line_ends_and_gzip_are_read(name: str, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"a": "é", "b": "1"}, {"a": "x", "b": "2"}]
    container: dict[str, Container] = {"a.jsonl": "jsonl", "a.json": "json", "a.csv": "csv"}
    raw = b"\xef\xbb\xbf" + _bytes(container[name], rows).replace(b"\n", b"\r\n")

    assert [line.row for line in _read(tmp_path, name, raw)] == rows
    assert [line.row for line in _read(tmp_path, f"{name}.gz", gzip.compress(raw))] == rows


def test_broken_lines_come_with_their_number_and_the_rest_is_read(tmp_path: Path) -> None:
    raw = b'{"a":1}\n\n{"a":\n[1]\n{"a":"\xff"}\n{"a":NaN}\n{"a":2}'

    found = _read(tmp_path, "a.jsonl", raw)

    assert [(line.number, line.row, line.problem and line.problem.reason) for line in found] == [
        (1, {"a": 1}, None),
        (3, None, "a line is not JSON"),
        (4, None, "data_type: a row is no JSON object"),
        (5, None, "a line is not UTF-8"),
        (6, None, "a line is not JSON"),
        (7, {"a": 2}, None),
    ]


def test_an_array_that_is_cut_gives_what_came_before(tmp_path: Path) -> None:
    first, last = _read(tmp_path, "a.json", b'[{"a":1},{"a":')
    assert (first.row, last.number, last.row) == ({"a": 1}, 2, None)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"[]", []),
        (b" [ ] \n", []),
        (b'[{"a":1}]x', [1, None]),
        (b'[{"a":1},]', [1, None]),
        (b'[{"a":1},{"a":2}', [1, 2, None]),
        (b'[{"a":1},{"a":2} \n', [1, 2, None]),
        (b'[{"a":1},12', [1, None]),
        (b'[,{"a":1}]', [None]),
        (b'[{"a":1} {"a":2}]', [1, None]),
        (b'[{"a":NaN}]', [None]),
        (b'[12,{"a":2}]', [None, 2]),
        (b'[{"a":1},{"a":"\xff"},{"a":2}]', [1, None, 2]),
        (b'[{"a":"\\udcff"}]', ["\udcff"]),
    ],
)
def test_an_array_is_read_up_to_what_is_wrong_with_it(tmp_path: Path, raw: bytes, said: list[object]) -> None:
    found = _read(tmp_path, "a.json", raw)
    assert [line.row["a"] if line.row else None for line in found] == said


def test_rows_of_an_array_that_lie_across_what_is_read_at_a_time_are_whole(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"a": "é" * size} for size in (1, 65_530, 5, 200_000, 7)]
    assert [line.row for line in _read(tmp_path, "a.json", json.dumps(rows, indent=1).encode())] == rows


def test_an_array_in_many_others_is_no_json_and_takes_no_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        (only,) = _read(tmp_path, "a.json", b"[" * 100_000)
        assert only.problem is not None
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_gzip_that_is_cut_gives_what_came_before(tmp_path: Path) -> None:
    raw = gzip.compress(_bytes("jsonl", [{"a": number} for number in range(20_000)]))
    found = _read(tmp_path, "a.jsonl.gz", raw[:-2_000])
    assert found[0].row == {"a": 0}
    assert found[-1].problem is not None


def test_cells_and_columns_that_do_not_match_are_told(tmp_path: Path) -> None:
    found = _read(tmp_path, "a.csv", b'a;b\n1;2\n1\n"x\ny";3\n')
    assert [(line.number, line.row) for line in found] == [
        (2, {"a": "1", "b": "2"}),
        (3, None),
        (4, {"a": "x\ny", "b": "3"}),
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt", "a.jsonl.gz"])
def test_no_bytes_make_the_reader_fall(name: str, tmp_path: Path) -> None:
    @given(st.binary(max_size=80), st.sampled_from([b"", b"[", b"{", b"a,b\n", b"\x1f\x8b", b'[{"a":1},']))
    @settings(max_examples=30, deadline=None)
    def check(raw: bytes, start: bytes) -> None:
        try:
            _read(tmp_path, name, start + raw)
        except InvalidInput:
            assert start + raw[:2] != start  # UTF-16

    check()


def test_an_array_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        writer = RowWriter(file, "json")
        for _ in range(2_000):
            writer.write({"a": "x" * 10_000})
        writer.finish()

    tracemalloc.start()
    try:
        assert sum(1 for _ in lines(path, "json")) == 2_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
