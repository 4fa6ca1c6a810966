"""Finding files and taking their bytes, whatever a folder holds."""

import os
import socket
import time
from pathlib import Path

import pytest

from persona.errors import SettingsError
from persona.knowledge.files import expand, found_at, stamp, take, walk
from persona.knowledge.unreadable import Gone, Unreadable

MEGABYTE = 1_000_000


def write(path: Path, content: bytes = b"words") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refused(root: Path) -> dict[str, str]:
    return {found.key: why.reason.partition(";")[0] for found, why in walk(root, root).refused}


def test_patterns_give_sorted_files_each_once_with_a_name_from_where_the_pattern_is_wild(tmp_path: Path) -> None:
    for name in ("docs/b.md", "docs/a.md", "docs/deep/c.md", "other.txt"):
        write(tmp_path / name)
    found = expand(["docs/**/*.md", "docs/a.md", str(tmp_path / "*.txt")], tmp_path)
    assert [(one.key, one.title) for one in found] == [
        ("docs/a.md", "a.md"),
        ("docs/b.md", "b.md"),
        ("docs/deep/c.md", "deep/c.md"),
        ("other.txt", "other.txt"),
    ]
    assert expand([], tmp_path) == ()


@pytest.mark.parametrize("pattern", ["*.md", "docs", "missing.txt", "", "/", "**.md"])
def test_a_pattern_that_matches_no_file_is_an_error(tmp_path: Path, pattern: str) -> None:
    write(tmp_path / "docs" / "a.txt")
    with pytest.raises(SettingsError) as raised:
        expand([pattern], tmp_path)
    assert repr(pattern) in str(raised.value)


def test_a_file_outside_the_folder_is_known_by_its_whole_path(tmp_path: Path) -> None:
    here, inside = tmp_path / "here", tmp_path / "here" / "deep" / ".." / "a.md"
    assert found_at(inside, here).key == "a.md"
    assert found_at(tmp_path / "b.md", here).key == (tmp_path / "b.md").as_posix()


def test_a_name_that_is_no_utf8_can_be_kept(tmp_path: Path) -> None:
    (found,) = walk(write(Path(os.fsdecode(os.fsencode(tmp_path / "d") + b"/caf\xe9.md"))).parent, tmp_path).files
    assert found.key == "d/caf\ufffd.md"
    assert take(found.path, MEGABYTE).data == b"words"


def test_a_folder_is_walked_without_its_hidden_files(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.md", ".git/config", ".hidden.md", "a/.cache/x.md"):
        write(tmp_path / name)
    assert [one.title for one in walk(tmp_path, tmp_path).files] == ["b.md", "a/z.md"]


def test_links_are_followed_only_within_the_folder(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt")
    root = tmp_path / "root"
    write(root / "a.md")
    for name, target in {"in.md": "a.md", "out.md": str(secret), "loop.md": "loop.md", "again": "."}.items():
        (root / name).symlink_to(target)
    assert [one.key for one in walk(root, root).files] == ["a.md", "in.md"]
    assert refused(root) == {
        "again": "is a link to a folder",
        "loop.md": "is a link that leads nowhere",
        "out.md": "is a link that leads out of the folder",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    write(tmp_path / "secret.txt").chmod(0)
    write(tmp_path / "closed" / "a.md").parent.chmod(0)
    try:
        with pytest.raises(Unreadable, match="cannot be read"):
            take(tmp_path / "secret.txt", MEGABYTE)
        assert refused(tmp_path) == {"closed": "cannot be listed (Permission denied)"}
        assert walk(tmp_path, tmp_path).unseen == ("closed",)
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_pipes_sockets_and_folders_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "s.txt"))
        for name in ("pipe.txt", "s.txt"):
            with pytest.raises(Unreadable, match="is not a regular file"):
                take(tmp_path / name, MEGABYTE)
            assert stamp(tmp_path / name) is None
    with pytest.raises(Unreadable, match="is not a regular file"):
        take(Path("/dev/zero"), MEGABYTE)
    with pytest.raises(Unreadable, match="is a directory; name its files"):
        take(tmp_path, MEGABYTE)


@pytest.mark.parametrize("name", ["nothing.md", "a.md/b.md"])
def test_what_is_not_there_is_gone(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a.md")
    (tmp_path / "link.md").symlink_to("nothing.md")
    with pytest.raises(Unreadable, match="is a link that leads nowhere"):
        take(tmp_path / "link.md", MEGABYTE)
    with pytest.raises(Gone, match="is not there"):
        take(tmp_path / name, MEGABYTE)


def test_a_large_log_is_refused_without_being_read(tmp_path: Path) -> None:
    with (tmp_path / "server.log").open("wb") as file:
        file.truncate(500 * MEGABYTE)  # a file of holes: it takes no room
    with pytest.raises(Unreadable, match=r"is too large \(500\.0 MB, and max_file_mb is 32\)"):
        take(tmp_path / "server.log", 32 * MEGABYTE)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs a file whose size says nothing")
def test_what_grows_past_its_size_is_read_to_the_limit() -> None:
    assert take(Path("/proc/self/status"), MEGABYTE).data.startswith(b"Name:")
    with pytest.raises(Unreadable, match="is too large"):
        take(Path("/proc/self/status"), 100)


def test_the_time_of_a_fresh_change_is_not_relied_on(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md")
    assert take(path, MEGABYTE).mtime_ns == 0
    old_ns = time.time_ns() - 3_000_000_000
    os.utime(path, ns=(old_ns, old_ns))
    assert take(path, MEGABYTE).mtime_ns == old_ns
    assert stamp(path) == (5, old_ns)
