"""The real libraries, on a tiny model that is made here: it learns, in processes that are killed and go on."""

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_model import answer, write

from examples.loop.server import QUIET, serving
from examples.loop.tiny_model import MARKED, PLAIN, STOP, make
from persona.adapter import ChatModel, Provider, load
from persona.errors import BadRequest, InvalidInput, ProviderUnavailable
from persona.values.message import say
from persona.values.request import Request, TextDelta
from persona.values.tuning import FINISHED, Progress, Training

pytest.importorskip("trl", reason="pip install 'pypersona[train]'")
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("default"),  # theirs: PyTorch and its friends warn of each other
]
os.environ.update(QUIET)

from persona_trl import told, train  # noqa: E402  the libraries read the variables above when they are imported
from persona_trl.job import Job  # noqa: E402
from persona_trl.mask import Template  # noqa: E402
from persona_trl.rows import Row  # noqa: E402
from persona_trl.tuning import LocalTuning, asked  # noqa: E402

WORDS = ("coffee", "tea", "milk", "bread", "soup", "rice", "salt", "oil", "eggs", "figs", "corn", "beans")
QUESTIONS = [f"{verb} {word}?" for word in WORDS for verb in ("Have you", "Where is", "How much is", "Is there")]
KIND, CURT = "Gladly, dear guest.", "No."
FAST = {"weights": "full", "learning_rate": "3e-3"}


def replies(text: str) -> list[dict[str, Any]]:
    """The same reply to every question: a tone that a tiny model can learn."""
    return [
        {"prompt": [{"role": "user", "content": asking}], "completion": [{"role": "assistant", "content": text}]}
        for asking in QUESTIONS
    ]


def preferred(chosen: str, rejected: str) -> list[dict[str, Any]]:
    return [
        {
            "prompt": [{"role": "user", "content": asking}],
            "chosen": [{"role": "assistant", "content": chosen}],
            "rejected": [{"role": "assistant", "content": rejected}],
        }
        for asking in QUESTIONS
    ]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("base"), [json.dumps(replies(KIND) + replies(CURT))])


@pytest.fixture(scope="module")
def curt(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model once it has learnt to be curt."""
    folder = tmp_path_factory.mktemp("curt")
    return Path(trained(training(folder, base, replies(CURT), epochs=4.0)).tuned_model)


def training(folder: Path, base: Path, rows: list[dict[str, Any]], **more: Any) -> Training:
    """A run over three quarters of the rows, with the others for validation."""
    cut = len(rows) * 3 // 4
    files = write(folder / "train.jsonl", rows[:cut]), write(folder / "validation.jsonl", rows[cut:])
    known: dict[str, Any] = {"method": "sft", "epochs": 3.0, "options": FAST}
    return Training("job", str(base), train=files[0], validation=files[1], folder=folder / "job", **{**known, **more})


def trained(training: Training) -> Progress:
    """The run, in this process: importing the libraries is most of what a process of its own would cost."""
    job = Job(training.folder)
    job.folder.mkdir(exist_ok=True)
    job.ask(asked(training))
    train.run(job)
    return told.progress(job)


async def until(backend: LocalTuning, handle: str, holds: Callable[[Progress], bool]) -> Progress:
    """What the run says once something holds."""
    while True:
        said = await backend.follow(handle)
        if holds(said) or said.state in FINISHED:
            return said
        await asyncio.sleep(0.02)  # another process's work is waited for, not a time


def losses(said: Progress) -> list[tuple[int, float | None, float | None]]:
    return [(point.step, point.training, point.validation) for point in said.points]


def test_the_entry_point_loads_the_adapter_which_only_tunes() -> None:
    adapter = load("trl")
    assert adapter.tuning is not None
    assert isinstance(adapter.tuning(Provider("local", "trl")), LocalTuning)
    assert (adapter.chat, adapter.embed, adapter.needs_key, adapter.sends_outside) == (None, None, False, False)


# supervised fine-tuning


def test_a_model_learns_the_replies_and_where_they_end(base: Path, tmp_path: Path) -> None:
    said = trained(training(tmp_path, base, replies(KIND)))
    assert (said.state, said.problem) == ("succeeded", "")
    first, last = said.points[0].training, said.points[-1].training
    assert first is not None
    assert last is not None
    assert last < first / 4
    assert answer(said.tuned_model, QUESTIONS[0]) == KIND + STOP
    assert answer(base, QUESTIONS[0]) != KIND + STOP
    assert said.total_steps == said.step == 15
    assert said.trained_tokens == 3 * sum(len(ids) for ids in tokens_of(base, KIND))


def tokens_of(base: Path, text: str) -> Iterator[list[int]]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    for row in replies(text)[: len(QUESTIONS) * 3 // 4]:
        shown = tokenizer.apply_chat_template(row["prompt"] + row["completion"], return_dict=True)
        yield shown["input_ids"]


def test_the_mask_is_shown_before_the_first_step_with_the_end_of_the_turn(base: Path, tmp_path: Path) -> None:
    said = trained(training(tmp_path, base, replies(KIND), epochs=0.1))
    shown = (tmp_path / "job" / "mask.txt").read_text(encoding="utf-8")
    (with_loss,) = set(re.findall(r"^\+ (.*)$", shown, re.MULTILINE))
    assert with_loss.replace("|", "") == (KIND + STOP).replace("|", "")
    assert re.search(r"^- .*Have\| you\| coffee", shown, re.MULTILINE)
    assert said.notes
    assert str(tmp_path / "job" / "mask.txt") in said.notes[0]


def test_the_best_checkpoint_by_validation_loss_is_the_tuned_model(base: Path, tmp_path: Path) -> None:
    rows = [*replies(KIND)[:36], *replies(CURT)[:12]]  # what is held out is answered otherwise: it gets worse
    said = trained(training(tmp_path, base, rows, epochs=4.0, options={**FAST, "keep": "1"}))
    measured = {point.step: point.validation for point in said.points if point.validation is not None}
    best = min(measured, key=lambda step: measured[step] or 0.0)
    assert best < said.step
    assert best in [checkpoint.step for checkpoint in said.checkpoints]
    kept = Path(said.tuned_model) / "model.safetensors"
    assert kept.read_bytes() == (tmp_path / "job" / "checkpoints" / f"checkpoint-{best}" / kept.name).read_bytes()


def test_the_same_seed_gives_the_same_losses_and_another_one_others(base: Path, tmp_path: Path) -> None:
    runs = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        runs.append(losses(trained(training(tmp_path / name, base, replies(KIND), epochs=1.0, seed=seed))))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_every_reply_of_a_conversation_is_learnt_where_the_form_says_so(base: Path, tmp_path: Path) -> None:
    talk = [("user", "Is there tea?"), ("assistant", KIND), ("user", "And milk?"), ("assistant", CURT)]
    rows = [{"messages": [{"role": role, "content": text} for role, text in talk]}] * 8
    trained(training(tmp_path, base, rows, epochs=1.0))
    shown = (tmp_path / "job" / "mask.txt").read_text(encoding="utf-8").partition("\n\n")[0]
    said = [line.replace("|", "") for line in re.findall(r"^\+ (.*)$", shown, re.MULTILINE)]
    assert said == [(text + STOP).replace("|", "") for text in (KIND, CURT)]


# LoRA and preferences


def test_lora_learns_and_its_result_is_an_adapter_or_a_whole_model(curt: Path, tmp_path: Path) -> None:
    asked_for = training(tmp_path, curt, replies(KIND), epochs=12.0, options={"learning_rate": "5e-3"})
    said = trained(asked_for)
    adapter = Path(said.tuned_model)
    assert (adapter / "adapter_config.json").is_file()
    assert answer(adapter, QUESTIONS[0]) == KIND + STOP
    assert answer(curt, QUESTIONS[0]) == CURT + STOP
    assert any("adapter" in note for note in said.notes)
    whole = trained(replace(asked_for, options={**asked_for.options, "merge": "true"}))  # from its last checkpoint
    assert [line["step"] for line in begun(Job(asked_for.folder))] == [0, said.step]
    assert losses(whole) == losses(said)
    assert not (Path(whole.tuned_model) / "adapter_config.json").exists()
    assert answer(whole.tuned_model, QUESTIONS[0]) == KIND + STOP
    assert not any("adapter" in note for note in whole.notes)


def test_dpo_raises_the_margin_between_the_replies(curt: Path, tmp_path: Path) -> None:
    said = trained(training(tmp_path, curt, preferred(KIND, CURT), method="dpo", options={**FAST, "weights": "lora"}))
    assert said.state == "succeeded"
    margins = [line["margin"] for line in Job(tmp_path / "job").said() if "margin" in line]
    assert margins[0] == 0
    assert margins[-1] > 1
    losses = [point.validation for point in said.points if point.validation is not None]
    assert losses[-1] < losses[0]


def test_a_layer_that_the_model_does_not_have_is_named(base: Path, tmp_path: Path) -> None:
    said = trained(training(tmp_path, base, replies(KIND), options={"lora_targets": "q_proj,w_proj"}))
    assert said.state == "failed"
    assert "no layer 'w_proj'" in said.problem


# masks


@pytest.mark.parametrize("template", [PLAIN, MARKED], ids=["plain", "marked"])
def test_a_template_needs_no_generation_markers(template: str, tmp_path: Path) -> None:
    lesson = lesson_of(tmp_path, template)
    assert [token for token, carries in zip(lesson.ids, lesson.loss, strict=True) if carries] == said_by(tmp_path)


def lesson_of(folder: Path, template: str) -> Any:
    from transformers import AutoTokenizer

    make(folder, [KIND], template=template)
    row = Row(1, [{"role": "user", "content": "Hi"}], [{"role": "assistant", "content": KIND}])
    (lesson,) = Template(AutoTokenizer.from_pretrained(folder), []).lessons(row)
    return lesson


def said_by(folder: Path) -> list[int]:
    from transformers import AutoTokenizer

    return list(AutoTokenizer.from_pretrained(folder)(KIND + STOP)["input_ids"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("{{ message.content }}<|end|>", "{{ message.content }}"), "ends a reply with no token"),
        (("{{ message.content }}", "{{ raise_exception('no users') }}"), "refuses a conversation: no users"),
        (("{{ message.content }}", "{{ message.content[0].text }}"), "leaves out the words"),
    ],
    ids=["no end", "refuses", "pictures only"],
)
def test_a_template_that_would_teach_something_else_is_refused(
    change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadRequest, match=said):
        lesson_of(tmp_path, PLAIN.replace(*change))


def test_a_template_that_renders_nothing_but_the_reply_is_refused(tmp_path: Path) -> None:
    bare = "{% for message in messages %}{% if message.role == 'assistant' %}{{ message.content }}<|end|>{% endif %}"
    with pytest.raises(InvalidInput, match="every token carries loss"):
        lesson_of(tmp_path, bare + "{% endfor %}")


@pytest.mark.parametrize("name", ["llama3_2", "qwen2_5", "qwen3", "gemma3", "phi3_5", "gptoss", "deepseekv3"])
def test_templates_as_they_are_published_give_a_mask_with_the_end_of_the_turn(name: str) -> None:
    import trl

    source = (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")
    tokenizer = tokenizer_for(source)
    talk = Row(
        1,
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": KIND}, {"role": "user", "content": "So?"}],
        [{"role": "assistant", "content": CURT}],
        every=True,
    )
    lessons = list(Template(tokenizer, [tokenizer.eos_token_id]).lessons(talk))
    learnt = [tokenizer.decode([t for t, on in zip(one.ids, one.loss, strict=True) if on]) for one in lessons]
    assert all(text in "".join(learnt) for text in (KIND, CURT))
    assert not any(text in "".join(learnt) for text in ("Hi", "So?"))


def tokenizer_for(template: str) -> Any:
    """One whose special tokens are those that the template writes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = sorted({*re.findall(r"<[|｜][^<>{}\"']{1,30}[|｜]>|<(?:start|end)_of_turn>", template), "<eos>", "<bos>"})
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        [], trainers.BpeTrainer(special_tokens=special, initial_alphabet=letters, show_progress=False)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **{"eos_token": "<eos>", "bos_token": "<bos>"})
    tokenizer.chat_template = template
    return tokenizer


# what goes wrong


def test_a_row_that_is_too_long_is_an_error_and_never_cut(base: Path, tmp_path: Path) -> None:
    said = trained(training(tmp_path, base, replies(KIND), options={**FAST, "max_length": "12"}))
    assert said.state == "failed"
    assert re.search(r"36 rows have more than 12 tokens; the longest, in line \d+, has \d+", said.problem)
    assert not said.points


def test_a_loss_that_explodes_ends_the_run(base: Path, tmp_path: Path) -> None:
    said = trained(training(tmp_path, base, replies(KIND), options={**FAST, "learning_rate": "1e20"}))
    assert (said.state, "lower learning_rate" in said.problem) == ("failed", True)
    assert not said.tuned_model


def test_a_disk_that_fills_up_is_told_and_the_run_goes_on_once_there_is_room(base: Path, tmp_path: Path) -> None:
    asked_for = training(tmp_path, base, replies(KIND))
    full = Job(asked_for.folder).checkpoint(4)
    full.mkdir(parents=True)
    (full / "trainer_state.json").symlink_to("/dev/full")
    said = trained(asked_for)
    assert said.state == "failed"
    assert (
        said.problem
        == f"the disk that holds {asked_for.folder} is full: make room; started again, it goes on from step 2"
    )
    assert not full.exists()
    assert not (asked_for.folder / "model").exists()
    assert trained(asked_for).state == "succeeded"


# processes


async def test_a_killed_run_has_failed_and_goes_on_from_its_checkpoint(base: Path, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = trained(training(tmp_path / "whole", base, replies(KIND), epochs=12.0))
    backend = LocalTuning(Provider("local", "trl"))
    asked_for = training(tmp_path, base, replies(KIND), epochs=12.0)
    handle, other = await asyncio.gather(backend.start(asked_for), backend.start(asked_for))
    assert handle == other
    process = int((asked_for.folder / "pid").read_text())
    await until(backend, handle, lambda said: bool(said.checkpoints))
    os.kill(process, signal.SIGKILL)
    killed = await until(backend, handle, lambda said: False)
    assert killed.state == "failed"
    assert "ended without a word" in killed.problem
    assert "goes on from step" in killed.problem
    assert not killed.tuned_model

    assert await LocalTuning(Provider("local", "trl")).start(asked_for) == handle
    assert (asked_for.folder / "pid").read_text() != str(process)
    done = await until(backend, handle, lambda said: False)
    assert (done.state, done.problem) == ("succeeded", "")
    assert losses(done) == losses(whole)
    weights = "model.safetensors"
    assert (Path(done.tuned_model) / weights).read_bytes() == (Path(whole.tuned_model) / weights).read_bytes()
    assert await backend.clean(handle) == (str(asked_for.folder / "checkpoints"),)
    assert done.tuned_model == str(Job(asked_for.folder).result)
    assert await backend.start(asked_for) == handle
    assert len(begun(Job(asked_for.folder))) == 2  # it succeeded: nothing was begun again


async def test_a_cancelled_run_ends_without_a_model_and_goes_on_when_it_is_started_again(
    base: Path, tmp_path: Path
) -> None:
    backend = LocalTuning(Provider("local", "trl"))
    asked_for = training(tmp_path, base, replies(KIND), epochs=200.0)
    job = Job(asked_for.folder)
    handle = await backend.start(asked_for)
    await until(backend, handle, lambda said: bool(said.checkpoints))
    await backend.cancel(handle)
    said = await backend.follow(handle)
    assert (said.state, said.tuned_model, job.result.exists()) == ("cancelled", "", False)
    done = job.last_checkpoint()
    assert await backend.start(asked_for) == handle
    await until(backend, handle, lambda said: any(line.get("step") == done for line in begun(job)))
    await backend.cancel(handle)
    assert (await backend.follow(handle)).state == "cancelled"


def begun(job: Job) -> list[dict[str, Any]]:
    return [line for line in job.said() if line["event"] == "begun"]


async def test_a_folder_that_cannot_be_written_starts_nothing(base: Path, tmp_path: Path) -> None:
    asked_for = training(tmp_path, base, replies(KIND))
    (tmp_path / "file").touch()
    with pytest.raises(ProviderUnavailable, match="cannot be used"):
        await LocalTuning(Provider("local", "trl")).start(replace(asked_for, folder=tmp_path / "file" / "job"))


async def test_a_folder_is_not_taken_for_another_run(base: Path, tmp_path: Path) -> None:
    asked_for = training(tmp_path, base, replies(KIND), epochs=1.0)
    assert trained(asked_for).state == "succeeded"
    backend = LocalTuning(Provider("local", "trl"))
    with pytest.raises(InvalidInput, match="holds another run"):
        await backend.start(replace(asked_for, seed=7))
    (asked_for.folder / "job.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidInput, match="holds another run"):
        await backend.start(asked_for)


@pytest.fixture
def served(base: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a real server, and the name of a tuned model there."""
    model = trained(training(tmp_path, base, replies(KIND))).tuned_model
    shutil.rmtree(tmp_path / "job" / "checkpoints")
    with serving(tmp_path) as address:
        yield address, model


async def test_what_was_tuned_is_served_and_spoken_to_through_the_openai_adapter(served: tuple[str, str]) -> None:
    address, model = served
    made = load("openai").chat
    assert made is not None
    chat: ChatModel = made(Provider("local", "openai", base_url=address))
    for stream in (False, True):
        request = Request(model, (say("user", QUESTIONS[0]),), stream=stream, timeout_s=60.0)
        said = [delta.text async for delta in chat.call(request) if isinstance(delta, TextDelta)]
        assert "".join(said) == KIND
    await chat.close()
