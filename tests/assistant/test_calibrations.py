"""What a process learnt of token counts is kept when it closes, and nothing else."""

from pathlib import Path

from talking import Log, settings

from persona import Assistant
from persona.testing import ScriptedModel
from persona.values.request import Finish, Usage


def seen(folder: Path) -> list[tuple[str, float, int]]:
    rows = Log(folder / "persona.db").rows("SELECT * FROM persona_calibrations")
    return [(row["target"], round(row["ratio"], 1), row["samples"]) for row in rows]


def opened(folder: Path, model: ScriptedModel) -> Assistant:
    return Assistant.open(settings(folder), adapters=[model.adapter])


def test_a_process_that_learnt_nothing_keeps_what_another_one_learnt_meanwhile(tmp_path: Path) -> None:
    counts, silent = ScriptedModel(["hello", Finish("end", Usage(100_000, 5))]), ScriptedModel("hello")
    with opened(tmp_path, silent) as idle:
        idle.user("ada").conversation().send("hello")
        with opened(tmp_path, counts) as learning:
            learning.user("ada").conversation().send("hello")
        (kept,) = seen(tmp_path)
        assert kept[1] > 100
        assert (kept[0], kept[2]) == ("scripted:any", 1)
    assert seen(tmp_path) == [kept]


def test_a_provider_that_reports_nothing_teaches_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, ScriptedModel("hello")) as assistant:
        assistant.user("ada").conversation().send("hello")
    assert seen(tmp_path) == []
