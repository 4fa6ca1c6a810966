"""A desk on a settings file, and comparisons as they are stored."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from talking import Desk, Log

from persona import Assistant
from persona.assistant.database import prepared
from persona.settings import load
from persona.store import evaluations
from persona.values.comparison import Comparison, Verdict

TEXT = """\
# what we serve
[store]
url = "sqlite:///persona.db"
[tasks]
run = false
[routes.support]
serve = "base"                # since 2026
canary = { share = 0.5, users = 2 }
[routes.support.arms.base]
target = "scripted:base"
[routes.support.arms.tuned]
target = "scripted:tuned"     # of November
"""


@dataclass(slots=True)
class Shop:
    """A settings file with two arms, its database, and a scripted model behind both."""

    desk: Desk
    path: Path

    @property
    def text(self) -> str:
        """What the settings file holds."""
        return self.path.read_text()

    @property
    def log(self) -> Log:
        """What the database says."""
        return self.desk.log

    def open(self) -> Assistant:
        """An assistant on the file."""
        return self.desk.stack.enter_context(Assistant.open(self.path, adapters=[self.desk.model.adapter]))

    def compared(self, verdict: Verdict = "better", words: str = "tuned is better than base", **told: Any) -> None:
        """Stores a comparison of the two arms."""
        made = Comparison(
            *("evl_1", "support", ("base", "tuned"), ("scripted:base", "scripted:tuned"), "datasets/dst_1", "", ""),
            *("exact", 0.05, verdict, words, 60, 60, 30, 0, ()),
            costs={"base": "0.02", "tuned": "0.01"},
            created_us=5,
        )
        with prepared(load(self.path), make=True) as database:
            database.run_now(lambda tx: evaluations.add(tx, replace(made, **told)))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "persona.toml"
    path.write_text(TEXT)
    desk = Desk(tmp_path)
    with desk.stack:
        yield Shop(desk, path)
    desk.model.check()
