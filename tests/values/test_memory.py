from persona.values.memory import MemoryColumns, MemoryRow

ROWS = [
    MemoryRow("a", "turn", "rain", 1, "e", b"12", at_us=7, conversation_key=3, terms=b"t"),
    MemoryRow("b", "chunk", "snow", 2, title="t", heading="h", page=4),
    MemoryRow("c", "fact", "", 3, deleted=True),
]


def test_rows_by_column_are_the_same_rows() -> None:
    columns = MemoryColumns.of(ROWS)
    assert list(columns) == ROWS
    assert columns[-1] == ROWS[-1]
    assert list(columns[1:]) == ROWS[1:]
    assert list(columns.taken([2, 0])) == [ROWS[2], ROWS[0]]
    assert columns.text == ("rain", "snow", "")
    assert MemoryColumns.of(columns) is columns


def test_no_rows_are_no_rows_by_column_either() -> None:
    assert list(MemoryColumns.of([])) == list(MemoryColumns.of(ROWS)[:0]) == []
