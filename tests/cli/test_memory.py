"""Which embedder made the vectors, at the command line, and moving them to the one in use."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from persona.cli.app import app


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_vectors_of_another_embedder_are_counted_and_moved() -> None:
    for text in ("vegetarian", "lives in Brest"):
        said("remember", text, "--user", "ada")
    said("work", "--once")
    used = json.loads(said("memory", "status", "--json"))["in_use"]
    with closing(sqlite3.connect("persona.db")) as connection, connection:
        connection.execute("UPDATE persona_memories SET embedder = 'older', vector = x'0000'")
    assert json.loads(said("memory", "status", "--json"))["memories"] == {"older": 2}
    assert said("memory", "status").splitlines() == [f"{used}\t0\tin use", "older\t2\tstale"]
    assert json.loads(said("memory", "reembed", "--json")) == {"embedder": used, "renewed": 2, "memories": 2}
    assert said("memory", "reembed") == f"0 of 2 memories got a new vector by {used}\n"
    assert json.loads(said("memory", "status", "--json")) == {"in_use": used, "memories": {used: 2}}
