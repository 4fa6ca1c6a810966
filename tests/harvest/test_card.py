"""The card that a harvest writes beside its files: how to load them, and what they are."""

import ast
import re
from pathlib import Path

import pytest
from harvest.harvested import harvested, settings_of
from harvest.logged import write_log

from persona.settings import Settings
from persona.values.harvest import Outcome


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A log of 300 conversations of 60 users."""
    return settings_of(write_log(tmp_path_factory.mktemp("many") / "persona.db", 300, turns=1, users=60))


def card(outcome: Outcome) -> str:
    return (Path(outcome.path) / "card.md").read_text(encoding="utf-8")


def test_the_card_tells_how_to_load_every_file(many: Settings, tmp_path: Path) -> None:
    sharded = many.model_copy(update={"harvest": many.harvest.model_copy(update={"shard_examples": 100})})
    outcome = harvested(sharded, tmp_path / "out", "trl", "text")
    (code,) = re.findall(r"```python\n(.*?)```", card(outcome), re.DOTALL)
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    named = [ast.literal_eval(word.value) for call in calls for word in call.keywords if word.arg == "data_files"]
    assert [ast.literal_eval(call.args[0]) for call in calls] == ["json", "text"]
    assert {side for files in named for side in files} == {"train", "validation", "test"}
    found = {path for files in named for pattern in files.values() for path in Path(outcome.path).glob(pattern)}
    assert len(found) > len([pattern for files in named for pattern in files])
    assert found == {Path(outcome.path) / path for one in outcome.formats for path in one.files}


def test_the_card_tells_what_it_is_made_of_and_how_to_make_it_again(many: Settings, tmp_path: Path) -> None:
    outcome = harvested(many, tmp_path / "out")
    told = card(outcome)
    for words in (
        f"# Dataset {outcome.id}",
        "**Ready:",
        "300 conversations of the route\n  `default`",
        "agreed to training",
        "Tokens are estimates",
        "persona harvest default --format trl --arm base --raw",
        f"| train | {outcome.sides[0].examples:,} |",
        *(digest for one in outcome.formats for digest in one.files.values()),
    ):
        assert words in told


def test_the_card_tells_where_users_are_named(many: Settings, tmp_path: Path) -> None:
    some = harvested(many, tmp_path / "out", users=("user-3",))
    assert "user-3" in (Path(some.path) / "manifest.json").read_text()
    assert "`manifest.json` names those who were asked for" in card(some)
    assert "names those" not in card(harvested(many, tmp_path / "out"))
