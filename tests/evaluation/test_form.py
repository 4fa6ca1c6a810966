"""The form that is wanted of an answer."""

import json
from pathlib import Path

import pytest

from persona import InvalidInput
from persona.evaluation.form import form_of, leaked

SCHEMA = {"type": "object", "required": ["day"], "properties": {"day": {"type": "string"}}}


def test_a_json_schema_is_followed_or_not(tmp_path: Path) -> None:
    (tmp_path / "day.json").write_text(json.dumps(SCHEMA))
    valid = form_of(tmp_path / "day.json", "")
    assert valid
    assert valid('{"day": "Monday"}')
    assert not any(map(valid, ['{"day": 1}', "{}", "Monday", '```json\n{"day": "Monday"}\n```', "[" * 10_000]))


def test_a_pattern_is_for_the_whole_answer() -> None:
    valid = form_of(None, r"At \w+\..*")
    assert valid
    assert valid("At nine.\nEvery day.\n")
    assert not valid("We open. At nine.")
    assert form_of(None, "") is None


@pytest.mark.parametrize("content", ['{"type": 1}', "{", None])
def test_what_is_no_schema_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "day.json").write_text(content)
    with pytest.raises(InvalidInput, match="holds no JSON schema"):
        form_of(tmp_path / "day.json", "")


def test_what_is_no_pattern_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no regular expression"):
        form_of(None, "(")
    with pytest.raises(InvalidInput, match="not both"):
        form_of(tmp_path, "x")


@pytest.mark.parametrize("answer", ["Write to [email_1].", "Dear <NAME>,", "Hello {{ user }}!", "<PHONE_NUMBER_2>"])
def test_a_placeholder_that_nobody_asked_with_has_leaked(answer: str) -> None:
    assert leaked(answer)
    assert not leaked(answer, f"What does this mean: {answer}")


@pytest.mark.parametrize("answer", ["See [1] and [note].", "x < Y > z", "<b>no</b>", "a {b} c", "list[int]"])
def test_other_brackets_are_no_placeholders(answer: str) -> None:
    assert not leaked(answer)
