import os
from pathlib import Path

import pytest

from persona.errors import InvalidInput, SettingsError
from persona.knowledge.documents import Document, expand, read
from persona.knowledge.sync import diff


def write(path: Path, content: bytes = b"words") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_document_is_read_without_its_mark_and_with_plain_line_ends(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf# Horaires\r\n\r\nOuvert \xc3\xa0 9 h\rferm\xc3\xa9"
    document = read(write(tmp_path / "docs" / "horaires.md", raw), tmp_path)
    assert document.text == "# Horaires\n\nOuvert à 9 h\nfermé"
    assert (document.path, document.title) == ("docs/horaires.md", "horaires.md")


def test_the_hash_follows_the_bytes_of_the_file(tmp_path: Path) -> None:
    first, same, other = (
        read(write(tmp_path / name, raw)) for name, raw in [("a.txt", b"x"), ("b.txt", b"x"), ("c.txt", b"y")]
    )
    assert first.sha256 == same.sha256 != other.sha256
    assert first.path == (tmp_path / "a.txt").as_posix()


@pytest.mark.parametrize(
    ("name", "raw", "what"),
    [
        ("latin.txt", "un été\nà la poste".encode("cp1252"), "is not UTF-8 (line 1, byte 0xe9); save it as UTF-8"),
        ("wide.txt", "été".encode("utf-16"), "is not text (it holds a zero byte); save it as UTF-8 text"),
        ("picture.png", b"\x89PNG", "is not one of .md, .txt; convert it"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_what_to_do(tmp_path: Path, name: str, raw: bytes, what: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read(write(tmp_path / name, raw))
    assert what in str(raised.value)
    assert name in str(raised.value)


def test_what_is_no_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nothing\.md' is not there; check the path"):
        read(tmp_path / "nothing.md")
    with pytest.raises(InvalidInput, match=r"is a directory; name its files"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(InvalidInput, match=r"is not a regular file"):
        read(tmp_path / "pipe.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "secret.txt")
    path.chmod(0)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read(path)


def test_patterns_give_sorted_files_each_once(tmp_path: Path) -> None:
    for name in ("docs/b.md", "docs/a.md", "docs/deep/c.md", "other.txt"):
        write(tmp_path / name)
    found = expand(["docs/**/*.md", "docs/a.md", str(tmp_path / "*.txt")], tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "docs/a.md",
        "docs/b.md",
        "docs/deep/c.md",
        "other.txt",
    ]


@pytest.mark.parametrize("pattern", ["*.md", "docs", "missing.txt", "", "/", "**.md"])
def test_a_pattern_that_matches_no_file_is_an_error(tmp_path: Path, pattern: str) -> None:
    write(tmp_path / "docs" / "a.txt")
    with pytest.raises(SettingsError) as raised:
        expand([pattern], tmp_path)
    assert repr(pattern) in str(raised.value)


def document(path: str, sha256: str) -> Document:
    return Document(path, path, "", sha256)


def test_changes_name_what_is_new_what_differs_and_what_is_gone() -> None:
    changes = diff({"a": "1", "b": "1", "c": "1"}, [document("d", "1"), document("b", "2"), document("a", "1")])
    assert [found.path for found in changes.added] == ["d"]
    assert [found.path for found in changes.changed] == ["b"]
    assert changes.removed == ("c",)
    assert changes


def test_nothing_changed_is_no_change() -> None:
    assert not diff({"a": "1"}, [document("a", "1")])
    assert not diff({}, [])
