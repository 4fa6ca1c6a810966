"""Runs that are written for somebody else's tool: as the tool wants them, and done when their result is there."""

import ast
import asyncio
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from persona_recipes.jobs import WrittenTuning
from tuning_backend import chats, pairs
from typer.testing import CliRunner, Result

from persona import Jobs, Settings, TuningOrder
from persona.adapter import Provider, load
from persona.cli.app import app
from persona.errors import InvalidInput, NotFound, SettingsError
from persona.harvest.formats import available
from persona.values.tuning import Training

TOOLS = ("autotrain", "axolotl", "litgpt", "notebook")
MODEL = "Qwen/Qwen3-0.6B"


def tuning_of(tool: str) -> WrittenTuning:
    return WrittenTuning(Provider(tool, tool), tool)


@pytest.fixture
def training(tmp_path: Path) -> Training:
    files = chats(tmp_path / "train.jsonl"), chats(tmp_path / "validation.jsonl", 2, "validation")
    return Training("job_1", MODEL, "sft", *files, tmp_path / "job", "support", 7, 2.0)


def written(folder: Path) -> Any:
    return yaml.safe_load((folder / "config.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_run_waits_with_its_command_until_its_result_is_there(tool: str, training: Training) -> None:
    tuning, folder = tuning_of(tool), training.folder
    handle = await tuning.start(training)
    waits = await tuning.follow(handle)
    assert (waits.state, waits.notes[0].startswith(f"in {folder}: ")) == ("queued", True)
    (folder / "result" / "checkpoint-5").mkdir(parents=True)
    (folder / "result" / "checkpoint-5" / "model.safetensors").touch()
    assert (await tuning.follow(handle)).state == "queued"
    (folder / "result" / "adapter_model.safetensors").touch()
    done = await tuning.follow(handle)
    assert (done.state, done.tuned_model, done.bills) == ("succeeded", str(folder / "result"), ())
    assert list(await tuning.clean(handle)) == [str(folder / "data")]
    assert list(await tuning.clean(handle)) == []
    assert (await tuning.follow(handle)).state == "succeeded"


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_run_that_was_given_up_is_cancelled_and_one_that_is_written_is_adopted(
    tool: str, training: Training
) -> None:
    tuning = tuning_of(tool)
    with pytest.raises(NotFound):
        await tuning.start(replace(training, adopt=True))
    handle = await tuning.start(training)
    assert await tuning.start(replace(training, adopt=True)) == handle
    await tuning.cancel(handle)
    assert (await tuning.follow(handle)).state == "cancelled"


@pytest.mark.parametrize("tool", TOOLS)
async def test_what_a_tool_cannot_be_told_is_refused_with_nothing_written(tool: str, training: Training) -> None:
    for changes in ({"options": {"speed": "9"}}, {"options": {"lora_r": "many"}}):
        with pytest.raises(SettingsError):
            await tuning_of(tool).start(replace(training, **changes))
    with pytest.raises(InvalidInput):
        await tuning_of(tool).start(replace(training, epochs=1.5))
    assert not training.folder.exists()


@pytest.mark.parametrize("tool", TOOLS)
def test_a_card_names_forms_that_there_are(tool: str) -> None:
    card = load(tool).tuning_card
    assert card is not None
    known = card(Provider(tool, tool), "any")
    assert known is not None
    forms = available()
    assert forms[known.format].shape == "chat"
    assert ("dpo" in known.methods) is bool(known.preference_format)
    assert card(Provider("other", "other"), "any") is None


async def test_axolotl_is_told_which_turns_carry_loss(training: Training) -> None:
    await tuning_of("axolotl").start(replace(training, options={"learning_rate": "1e-5"}))
    config = written(training.folder)
    assert config["base_model"] == MODEL
    (data,) = config["datasets"]
    assert (data["type"], data["roles_to_train"]) == ("chat_template", ["assistant"])
    assert config["test_datasets"][0]["path"] == "data/validation.jsonl"
    assert (config["num_epochs"], config["learning_rate"], config["seed"]) == (2, 1e-5, 7)
    assert (training.folder / "data" / "validation.jsonl").read_bytes() == (training.validation or Path()).read_bytes()
    assert "axolotl train config.yml" in (training.folder / "run.sh").read_text()


async def test_axolotl_is_told_where_preferences_lie(training: Training, tmp_path: Path) -> None:
    dpo = replace(training, method="dpo", train=pairs(tmp_path / "p.jsonl"), validation=None, options={"beta": "0.2"})
    await tuning_of("axolotl").start(dpo)
    config = written(training.folder)
    assert (config["rl"], config["rl_beta"], config["datasets"][0]["field_messages"]) == ("dpo", 0.2, "prompt")
    assert config["learning_rate"] == 1e-5
    assert "test_datasets" not in config


async def test_litgpt_finds_both_sides_by_the_names_it_looks_for(training: Training, tmp_path: Path) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file in files:
        file.write_text("[]")
    await tuning_of("litgpt").start(replace(training, train=files[0], validation=files[1]))
    config = written(training.folder)
    assert sorted(path.name for path in (training.folder / "data").iterdir()) == ["train.json", "val.json"]
    assert config["data"]["init_args"] == {
        "json_path": "data",
        "mask_prompt": True,
        "prompt_style": "alpaca",
        "seed": 7,
    }
    assert config["optimizer"]["init_args"]["lr"] == 2e-4
    assert f"litgpt finetune_lora {MODEL} --config config.yml" in (training.folder / "run.sh").read_text()


def test_the_command_runs_in_the_jobs_folder_with_the_name_of_the_model_as_one_word(
    training: Training, tmp_path: Path
) -> None:
    tool = tmp_path / "bin" / "litgpt"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$PWD" "$@" > told\n')
    tool.chmod(0o755)
    asyncio.run(tuning_of("litgpt").start(replace(training, base_model="a model; rm -rf x")))
    subprocess.run(["sh", str(training.folder / "run.sh")], check=True, env={"PATH": f"{tool.parent}:/usr/bin:/bin"})
    told = (training.folder / "told").read_text().splitlines()
    assert told == [str(training.folder), "finetune_lora", "a model; rm -rf x", "--config", "config.yml"]


async def test_autotrain_is_told_its_columns(training: Training) -> None:
    await tuning_of("autotrain").start(training)
    config = written(training.folder)
    assert (config["task"], config["data"]["column_mapping"]) == ("llm-sft", {"text_column": "text"})
    assert (config["data"]["valid_split"], config["params"]["lr"]) == ("validation", 2e-4)
    await tuning_of("autotrain").start(replace(training, method="dpo", validation=None, folder=training.folder / "dpo"))
    preferences = written(training.folder / "dpo")
    assert (preferences["task"], preferences["data"]["valid_split"]) == ("llm-dpo", None)
    assert preferences["data"]["column_mapping"]["rejected_text_column"] == "rejected_text"


@pytest.mark.parametrize("tool", ["autotrain", "axolotl", "litgpt"])
async def test_a_config_says_which_version_it_was_written_for_and_whether_it_was_run(
    tool: str, training: Training
) -> None:
    await tuning_of(tool).start(training)
    head = (training.folder / "config.yml").read_text().split("\n\n")[0]
    assert "# Written for " in head
    assert ("never run" in head) is (tool != "litgpt")


def of_notebook(folder: Path) -> tuple[Any, Mapping[str, str]]:
    whole = nbformat.read(folder / "tune.ipynb", as_version=nbformat.NO_CONVERT)
    return whole, {cell["id"]: cell["source"] for cell in whole["cells"]}


async def test_a_notebook_is_valid_and_every_cell_is_python(training: Training) -> None:
    await tuning_of("notebook").start(replace(training, base_model="a 'quoted' \\ \u2028 model"))
    whole, cells = of_notebook(training.folder)
    nbformat.validate(whole)
    assert (whole["nbformat"], whole["nbformat_minor"]) == (4, 5)
    trees = {id: ast.parse(source) for id, source in cells.items() if id != "about"}
    assert [*trees] == ["install", "files", "model", "train", "result"]
    names = [node.value for node in ast.walk(trees["model"]) if isinstance(node, ast.Constant)]
    assert "a 'quoted' \\ \u2028 model" in names


def test_a_notebook_starts_the_job_that_was_asked_for(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(tuning_of("notebook").start(replace(training, options={"lora_r": "4"})))
    _, cells = of_notebook(training.folder)
    monkeypatch.chdir(training.folder)
    said: dict[str, Any] = {}
    exec(cells["files"], said)  # noqa: S102 - finds the files in data/, and asks nobody
    base = training.folder.parent / "base"
    base.mkdir()
    only = cells["train"].split("persona = ")[0]
    exec(only, {**said, "base": str(base)}, made := dict[str, Any]())  # noqa: S102 - what the notebook would run
    for name in ("train", "validation"):  # the notebook's own form, which the job would have been given
        rows = [json.loads(line) for line in Path(f"data/{name}.jsonl").read_text().splitlines()]
        lines = [{"prompt": row["messages"][:1], "completion": row["messages"][1:]} for row in rows]
        Path(f"data/{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [word for word in made["command"] if word != "--watch"]
    done = run(*command[1:], "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["format"] == "trl-prompt-completion"
    assert {"lora_r=4", "learning_rate=0.0002"} <= set(command)
    assert command[command.index("--epochs") + 1] == "2"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["tune", *arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    ("tool", "method", "source"),
    [
        ("autotrain", "sft", chats),
        ("autotrain", "dpo", pairs),
        ("axolotl", "sft", chats),
        ("axolotl", "dpo", pairs),
        ("litgpt", "sft", chats),
        ("notebook", "sft", chats),
        ("notebook", "dpo", pairs),
    ],
)
def test_a_dataset_in_any_form_becomes_a_job_of_the_tool(
    tool: str, method: Any, source: Callable[[Path], Path], tmp_path: Path
) -> None:
    settings = Settings.model_validate({"store": {"url": f"sqlite:///{tmp_path / 'persona.db'}"}})
    settings._folder = tmp_path
    with Jobs.open(settings, environment={}) as jobs:
        made = jobs.prepare(TuningOrder(source(tmp_path / "rows.jsonl"), tool, MODEL, method))
        assert any("nothing is run" in warning for warning in made.warnings)
        job = jobs.start(made)
        seen = jobs.cancel(job.id)
    assert (job.state, seen.state) == ("queued", "cancelled")
    assert len([*(job.training.folder / "data").iterdir()]) == 1


def test_the_command_line_tells_what_is_to_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chats(Path("train.jsonl"))
    done = run("start", "train.jsonl", "-b", "axolotl", "-m", MODEL)
    assert "note: nothing is run" in done.stdout
    id = done.stdout.splitlines()[-1]
    folder = tmp_path / "jobs" / id
    (folder / "result").mkdir()
    (folder / "result" / "adapter_model.safetensors").touch()
    assert f"tuned model: {folder / 'result'}" in run("watch", id).stdout
