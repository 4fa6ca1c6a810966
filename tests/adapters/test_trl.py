"""What the trl adapter says of a run's folder, and what it refuses, with none of its libraries loaded."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from persona_trl import adapter, base, errors, rows, told
from persona_trl.job import Job
from persona_trl.options import Options, options_of
from persona_trl.tuning import LocalTuning, asked
from tiny_model import write

from persona.adapter import Provider
from persona.errors import (
    AdapterMissing,
    BadRequest,
    InvalidInput,
    ModelNotFound,
    NotFound,
    PersonaError,
    ProviderUnavailable,
    SettingsError,
)
from persona.harvest.formats import CORE
from persona.values.example import Example, every_reply, last_of
from persona.values.message import Message, ToolCall, ToolResult, say
from persona.values.request import Tool
from persona.values.tuning import Checkpoint, LossPoint, Training

USER = {"role": "user", "content": "Hi"}
REPLY, OTHER = ({"role": "assistant", "content": text} for text in ("Hello.", "What?"))
ROW = {"prompt": [USER], "completion": [REPLY]}
PAIR = {"prompt": [USER], "chosen": [REPLY], "rejected": [OTHER]}
LOCAL = Provider("local", "trl")
PATHS = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
HOLDING = """
import sys
from pathlib import Path
from persona_trl.job import Job
job = Job(Path(sys.argv[1]))
assert job.lock() is not None
job.say(event="begun", step=0)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The files of a model, as far as anybody looks at them before it is loaded."""
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}', encoding="utf-8")
    (folder / "model.safetensors").touch()
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    (folder / "chat_template.jinja").write_text("…", encoding="utf-8")
    return folder


@pytest.fixture
def training(model: Path, tmp_path: Path) -> Training:
    train = write(tmp_path / "train.jsonl", [ROW, ROW])
    return Training("job", str(model), "sft", train, None, tmp_path / "job")


@pytest.fixture
def job(training: Training) -> Job:
    """A folder in which a run was asked for."""
    job = Job(training.folder)
    job.folder.mkdir()
    job.ask(asked(training))
    return job


def saved(job: Job, step: int, **more: Any) -> None:
    """A checkpoint as the trainer leaves it."""
    job.checkpoint(step).mkdir(parents=True)
    (job.checkpoint(step) / "trainer_state.json").write_text(f'{{"global_step": {step}}}', encoding="utf-8")
    job.say(event="checkpoint", step=step, **more)


def handle_of(job: Job) -> str:
    return json.dumps({"folder": str(job.folder)})


@pytest.fixture
def held(job: Job) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of the run as a training one does."""
    command = [sys.executable, "-c", HOLDING, str(job.folder)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=PATHS) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        job.pid.write_text(str(process.pid), encoding="utf-8")
        yield process
        process.kill()


# what a run's folder says


async def test_a_run_is_followed_by_its_files_alone(job: Job, held: subprocess.Popen[str]) -> None:
    job.say(event="note", text="30 of 90 tokens carry loss")
    job.say(event="total", steps=4)
    job.say(event="loss", step=1, training=2.0)
    job.say(event="loss", step=2, training=1.5)
    job.say(event="loss", step=2, validation=1.75)
    saved(job, 2, validation=1.75)
    said = await LocalTuning(LOCAL).follow(handle_of(job))
    assert (said.state, said.step, said.total_steps) == ("running", 2, 4)
    assert said.points == (LossPoint(1, 2.0), LossPoint(2, 1.5, 1.75))
    assert said.checkpoints == (Checkpoint(2, str(job.checkpoint(2)), 1.75),)
    assert said.notes == ("30 of 90 tokens carry loss",)


async def test_a_process_that_is_killed_has_failed_and_says_where_it_would_go_on(
    job: Job, held: subprocess.Popen[str]
) -> None:
    saved(job, 2)
    os.kill(held.pid, signal.SIGKILL)
    held.wait()
    said = await LocalTuning(LOCAL).follow(handle_of(job))
    assert said.state == "failed"
    assert said.problem == (
        f"its process ended without a word (killed, or out of memory: see {job.log}); "
        "started again, it goes on from step 2"
    )


def test_one_process_at_a_time_trains_and_a_dead_one_is_not_waited_for(job: Job, held: subprocess.Popen[str]) -> None:
    assert job.lock() is None
    assert job.is_training()
    held.kill()
    held.wait()
    assert not job.is_training()
    lock = job.lock()
    assert lock is not None
    os.close(lock)


async def test_a_cancelled_process_ends(job: Job, held: subprocess.Popen[str]) -> None:
    backend = LocalTuning(LOCAL)
    await backend.cancel(handle_of(job))
    assert held.wait() == -signal.SIGTERM
    assert (await backend.follow(handle_of(job))).state == "cancelled"
    await backend.cancel(handle_of(job))


async def test_nothing_is_removed_while_a_run_trains(job: Job, held: subprocess.Popen[str]) -> None:
    saved(job, 2)
    with pytest.raises(BadRequest, match="is training"):
        await LocalTuning(LOCAL).clean(handle_of(job))
    assert job.last_checkpoint() == 2


async def test_cleaning_removes_the_checkpoints_and_keeps_the_model(job: Job) -> None:
    saved(job, 2)
    job.result.mkdir()
    job.say(event="ended", state="succeeded", tuned_model=str(job.result))
    backend = LocalTuning(LOCAL)
    assert await backend.clean(handle_of(job)) == (str(job.checkpoints),)
    assert await backend.clean(handle_of(job)) == ()
    said = await backend.follow(handle_of(job))
    assert (said.state, said.tuned_model, said.checkpoints) == ("succeeded", str(job.result), ())
    assert job.result.is_dir()


def test_what_came_after_the_checkpoint_that_a_run_goes_on_from_is_forgotten(job: Job) -> None:
    job.say(event="begun", step=0)
    for step in (1, 2, 3):
        job.say(event="loss", step=step, training=float(step))
    job.say(event="ended", state="failed", problem="no room")
    job.say(event="begun", step=2)
    job.say(event="loss", step=3, training=30.0)
    said = told.progress(job, alive=True)
    assert [point.training for point in said.points] == [1.0, 2.0, 30.0]
    assert (said.state, said.problem) == ("running", "")


def test_a_line_that_is_still_being_written_is_not_read(job: Job) -> None:
    job.say(event="loss", step=1, training=1.0)
    with (job.folder / "progress.jsonl").open("ab") as file:
        file.write(b'{"event": "loss", "st')
    assert told.progress(job).points == (LossPoint(1, 1.0),)


async def test_a_folder_that_cannot_be_read_is_a_backend_that_cannot_be_asked(job: Job) -> None:
    (job.folder / "progress.jsonl").mkdir()
    with pytest.raises(ProviderUnavailable, match="cannot be used"):
        await LocalTuning(LOCAL).follow(handle_of(job))


def test_half_a_checkpoint_is_none(job: Job) -> None:
    saved(job, 2)
    saved(job, 4)
    (job.checkpoint(4) / "trainer_state.json").write_text('{"global_st', encoding="utf-8")
    assert job.last_checkpoint() == 2
    job.drop_halves()
    assert not job.checkpoint(4).exists()


async def test_a_folder_that_is_gone_is_a_failed_run(job: Job, tmp_path: Path) -> None:
    job.folder.rename(tmp_path / "moved")
    said = await LocalTuning(LOCAL).follow(handle_of(job))
    assert (said.state, said.problem) == ("failed", f"its folder {job.folder} is gone")


@pytest.mark.parametrize("handle", ["", "ftjob-123", "[]", '{"other": 1}'])
async def test_a_handle_of_another_backend_is_refused(handle: str) -> None:
    with pytest.raises(InvalidInput, match="no run on this machine"):
        await LocalTuning(LOCAL).follow(handle)


# what is refused before anything begins


async def test_without_the_libraries_nothing_starts_and_their_extra_is_named(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trl", None)
    with pytest.raises(AdapterMissing) as caught:
        await LocalTuning(LOCAL).start(training)
    assert caught.value.hint == "run pip install 'pypersona[train]'"
    assert not training.folder.exists()


def test_the_same_spec_trains_the_same_whatever_the_threads_and_other_rows_do_not(training: Training) -> None:
    spec = asked(training)
    threads = asked(replace(training, options={"threads": "2", "served_name": "support"}))
    assert spec.same_training(threads)
    assert not spec.same_training(asked(replace(training, seed=1)))
    assert not spec.same_training(asked(replace(training, options={"lora_r": "8"})))
    write(training.train, [ROW])
    assert not spec.same_training(asked(training))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"config.json": None}, "config.json is missing or damaged"),
        ({"config.json": None, "adapter_config.json": "{}"}, "is a LoRA adapter"),
        ({"config.json": '{"architectures": ["BertForMaskedLM"]}'}, "writes no text"),
        (
            {"config.json": '{"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": true}'},
            "writes no text",
        ),
        ({"config.json": '{"architectures": ["XForCausalLM"], "quantization_config": {}}'}, "are quantized"),
        ({"model.safetensors": None, "model.gguf": ""}, "its weights are not there"),
        ({"tokenizer.json": None}, "its tokenizer is not there"),
        ({"chat_template.jinja": None}, "no chat template"),
    ],
)
def test_a_model_that_cannot_be_tuned_is_refused_with_the_reason(
    change: dict[str, str | None], said: str, model: Path, training: Training
) -> None:
    for name, text in change.items():
        if text is None:
            (model / name).unlink()
        else:
            (model / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadRequest, match=said):
        asked(training)


@pytest.mark.parametrize("name", ["someone/some-model", "/no/such/folder"])
def test_a_model_that_is_not_on_this_machine_is_not_looked_for_elsewhere(name: str, training: Training) -> None:
    with pytest.raises(ModelNotFound, match="no folder is called so"):
        asked(replace(training, base_model=name))
    assert base.card(name) is None


def test_a_model_on_this_machine_has_a_card_that_names_the_forms_and_bills_nothing(model: Path) -> None:
    assert adapter.tuning_card is not None
    card = adapter.tuning_card(Provider("local", "trl"), str(model))
    assert card is not None
    assert (card.methods, card.training_price, card.idle_price) == (("sft", "dpo"), 0.0, 0.0)
    assert (card.format, card.preference_format) == ("trl-prompt-completion", "trl-preference")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": [USER]}, "line 2 has no completion"),
        ({"messages": []}, "line 2 has no messages"),
        ({"messages": [USER]}, "line 2 has no message of a user before its reply"),
        ({"messages": [USER, USER]}, "line 2 does not end with one reply"),
        ({"messages": [{"role": "bot", "content": "x"}]}, "that is no message"),
        ({"prompt": [USER], "completion": [{"role": "assistant", "content": [{"type": "image"}]}]}, "without text"),
        ({**ROW, "tools": "[{"}, "tools that are no JSON"),
        ({**ROW, "tools": {"name": "x"}}, "tools that are no list"),
        ([ROW], "line 2 is no JSON object"),
    ],
)
def test_a_row_that_is_none_is_named_by_its_line(row: Any, said: str, training: Training) -> None:
    write(training.train, [ROW, row])
    with pytest.raises(InvalidInput, match=said):
        asked(training)


def test_a_preference_that_prefers_nothing_and_a_reply_without_its_rival_are_refused(training: Training) -> None:
    for row, said in (({**PAIR, "rejected": [REPLY]}, "prefers nothing"), (ROW, "line 1 has no chosen")):
        write(training.train, [row])
        with pytest.raises(InvalidInput, match=said):
            asked(replace(training, method="dpo"))
    write(training.train, [PAIR])
    assert asked(replace(training, method="dpo")).method == "dpo"


@pytest.mark.parametrize("content", [b"", b"\n\n", b'{"prompt":', b"\xff\xfe"])
def test_a_file_without_rows_or_of_another_kind_is_refused(content: bytes, training: Training) -> None:
    training.train.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"holds no row|is no JSONL"):
        asked(training)
    training.train.unlink()
    with pytest.raises(InvalidInput, match="cannot be read"):
        asked(training)


def test_texts_are_read_as_what_a_user_and_an_assistant_say(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [{"prompt": "Hi", "completion": "Hello.", "tools": "[]"}])
    assert list(rows.read(path, "sft")) == [rows.Row(1, [USER], [REPLY])]


@pytest.mark.parametrize("name", ["trl", "trl-prompt-completion", "trl-preference"])
def test_rows_are_read_as_a_harvest_writes_them(name: str, tmp_path: Path) -> None:
    (form,) = [one for one in CORE if one.name == name]
    call = ToolCall("c1", "hours", '{"day": "monday"}')
    told = (say("system", "Be brief."), say("user", "When?"), Message("assistant", (call,)))
    told = (*told, Message("tool", (ToolResult("c1", "hours", "at nine"),)), say("assistant", "At nine."))
    rejected = say("assistant", "No idea.") if form.shape == "preference" else None
    hours = Tool("hours", "When a shop is open.", {"type": "object", "properties": {"day": {"type": "string"}}})
    weights = every_reply(told) if form.loss == "every" else last_of(told)
    path = write(tmp_path / "rows.jsonl", [form.row(Example("x", told, weights, (hours,), rejected))])
    (row,) = rows.read(path, "dpo" if rejected else "sft")
    assert [turn["role"] for turn in row.prompt] == ["system", "user", "assistant", "tool"]
    assert row.prompt[2]["tool_calls"][0]["function"]["arguments"] == {"day": "monday"}
    assert [turn["content"] for turn in row.reply] == ["At nine."]
    assert (row.rejected or [{}])[0].get("content") == (rejected.text if rejected else None)
    assert row.tools is not None
    assert row.tools[0]["function"]["name"] == "hours"
    assert row.every == (name == "trl")


@pytest.mark.parametrize("suffix", ["../up", "a/b"])
def test_a_suffix_that_would_lie_elsewhere_is_refused(suffix: str, training: Training) -> None:
    with pytest.raises(InvalidInput, match="is no name of a folder"):
        asked(replace(training, suffix=suffix))


def test_options_are_read_and_others_refused() -> None:
    assert options_of({}) == Options()
    read = options_of({"weights": "lora", "lora_targets": "q_proj, v_proj", "merge": "true", "threads": "4"})
    assert (read.lora_targets, read.merge, read.threads) == (("q_proj", "v_proj"), True, 4)
    assert (read.rate("sft"), Options(weights="full").rate("dpo")) == (2e-4, 1e-6)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"lora_rank": "8"}, "no option 'lora_rank'"),
        ({"lora_r": "0"}, "lora_r is '0'"),
        ({"learning_rate": "nan"}, "learning_rate is 'nan'"),
        ({"merge": "yes"}, "merge is 'yes'"),
        ({"weights": "half"}, "weights is 'half'"),
        ({"weights": "full", "merge": "true"}, "nothing to merge"),
    ],
)
def test_an_option_that_is_wrong_is_a_settings_error(written: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        options_of(written)


def test_every_option_is_described() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tuning.md").read_text(encoding="utf-8")
    assert [field.name for field in fields(Options) if f"| `{field.name}` |" not in page] == []


def test_options_of_the_provider_are_refused() -> None:
    with pytest.raises(SettingsError, match="does not know: merge"):
        LocalTuning(replace(LOCAL, options={"merge": "true"}))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "is full: make room"),
        (RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/0"), "is full: make room"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "in memory"),
        (InvalidInput("line 3: no token carries loss"), "line 3: no token carries loss"),
        (ValueError("a row said: my secret"), "log.txt says more"),
    ],
)
def test_a_failure_is_told_in_words_that_quote_no_row(error: Exception, said: str, tmp_path: Path) -> None:
    outer = RuntimeError("while training")
    outer.__cause__ = error if not isinstance(error, ValueError) else None
    told_of = errors.words(outer if outer.__cause__ else error, tmp_path)
    assert said in told_of
    assert "secret" not in told_of


async def test_adopting_takes_the_run_that_is_there_and_begins_none(training: Training) -> None:
    tuning = LocalTuning(LOCAL)
    with pytest.raises(NotFound):
        await tuning.start(replace(training, adopt=True))
    training.folder.mkdir()
    Job(training.folder).ask(asked(training))
    handle = await tuning.start(replace(training, adopt=True))
    assert json.loads(handle) == {"folder": str(training.folder)}
    assert not Job(training.folder).is_training()


def test_a_refusal_is_an_error_of_persona(training: Training) -> None:
    with pytest.raises(PersonaError):
        asked(replace(training, epochs=0.0))


def test_the_adapter_loads_none_of_its_libraries() -> None:
    code = (
        "import sys; from persona_trl import adapter; from persona.adapter import Provider; import persona_trl.tuning\n"
        "adapter.tuning(Provider('local', 'trl')); adapter.tuning_card(Provider('local', 'trl'), 'x')\n"
        "print(sorted({'torch', 'transformers', 'trl', 'datasets', 'peft'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=PATHS)
    assert done.stdout == "[]\n"
