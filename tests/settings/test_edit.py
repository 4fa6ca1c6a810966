"""One value is changed in a settings file, and not a letter beside it."""

import stat
from pathlib import Path

import pytest

from persona.errors import SettingsError
from persona.settings.edit import set_value
from persona.settings.load import load

TEXT = """\
# what we serve, été comme hiver
[routes.support]
serve    = { base = 0.9, tuned = 0.1 }     # or "base"
knowledge = []

[routes.support.arms.base]   # the usual one
target = "embedded:extractive-1"
[routes.support.arms.tuned]
target = "embedded:extractive-1"
"""
KEY = "routes.support.serve"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "persona.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("value", "written", "meant"),
    [
        ("tuned", '"tuned"', {"tuned": 1.0}),
        ('"base"', '"base"', {"base": 1.0}),
        ("{ base = 0.8, tuned = 0.2 }", "{ base = 0.8, tuned = 0.2 }", {"base": 0.8, "tuned": 0.2}),
    ],
)
def test_the_value_is_changed_and_every_comment_stays(
    path: Path, value: str, written: str, meant: dict[str, float]
) -> None:
    assert set_value(path, KEY, value, {}) == ("{ base = 0.9, tuned = 0.1 }", written)
    assert path.read_text(encoding="utf-8") == TEXT.replace("{ base = 0.9, tuned = 0.1 }", written)
    assert dict(load(path, {}).routes["support"].serve) == meant


def test_a_key_that_was_not_there_is_added(path: Path) -> None:
    assert set_value(path, "routes.support.fallback", '["embedded:extractive-1"]', {})[0] == ""
    assert len(load(path, {}).routes["support"].fallback) == 1
    assert path.read_text(encoding="utf-8").startswith(TEXT.splitlines()[0])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (KEY, "nobody", "nobody"),
        (KEY, "{ base = 0.5 }", "must sum to 1"),
        ("routes.support.colour", "red", "colour"),
        ("routes.support.serve.base.deep", "1", "is no table"),
    ],
)
def test_a_change_that_would_break_the_settings_is_refused_and_the_file_stays(
    path: Path, key: str, value: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        set_value(path, key, value, {})
    assert path.read_text(encoding="utf-8") == TEXT
    assert [one.name for one in path.parent.iterdir()] == ["persona.toml"]


def test_an_error_names_the_file_and_not_the_copy_that_was_tried(path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        set_value(path, KEY, "nobody", {})
    assert str(path) in str(refused.value)
    assert f".{path.name}." not in str(refused.value)


def test_the_file_keeps_its_mode_and_its_line_ends(path: Path) -> None:
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    path.chmod(0o600)
    set_value(path, KEY, "tuned", {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().count(b"\r\n") == TEXT.count("\n")


def test_a_file_that_is_not_there_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="persona init"):
        set_value(tmp_path / "none.toml", KEY, "base", {})
    (tmp_path / "bad.toml").write_text("[routes")
    with pytest.raises(SettingsError, match=r"bad\.toml"):
        set_value(tmp_path / "bad.toml", KEY, "base", {})


def test_a_link_to_the_file_stays_a_link(path: Path) -> None:
    link = path.parent / "linked.toml"
    link.symlink_to(path)
    set_value(link, KEY, "base", {})
    assert link.is_symlink()
    assert dict(load(path, {}).routes["support"].serve) == {"base": 1.0}


def test_a_place_where_nothing_can_be_written_beside_the_file_is_a_settings_error(path: Path) -> None:
    long = path.rename(path.with_name("a" * 245 + ".toml"))  # no name beside it is short enough
    with pytest.raises(SettingsError, match="cannot write the settings file"):
        set_value(long, KEY, "base", {})
    assert long.read_text(encoding="utf-8") == TEXT
