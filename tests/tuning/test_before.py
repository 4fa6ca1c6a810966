"""What is refused or warned of before anything is sent: dates, cost, datasets."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from tuning_backend import CARD, Backend, chats, pairs

from persona import AdapterMissing, InvalidInput, Jobs, NotFound, Settings, TooExpensive, TuningClosed, TuningOrder
from persona.tuning.dates import check_open, warnings
from persona.tuning.estimate import estimate

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def jobs(backend: Backend, tmp_path: Path) -> Iterator[Jobs]:
    settings = Settings.model_validate({"store": {"url": f"sqlite:///{tmp_path / 'persona.db'}"}})
    settings._folder = tmp_path
    with Jobs.open(settings, adapters=[backend.adapter()], environment={}, clock=lambda: NOW) as jobs:
        yield jobs


def order(dataset: Path, **changes: object) -> TuningOrder:
    return replace(TuningOrder(dataset, "bench", "small", epochs=2), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"closed": "its tuning API is not supported any more"}, "not supported any more"),
        ({"training_until": "2026-11-20"}, "has not been trained since 2026-11-20"),
        ({"serving_until": "2026-11-21"}, "is not served since 2026-11-21"),
    ],
)
def test_what_is_closed_is_refused_with_what_to_do_instead_and_nothing_is_asked(
    changes: dict[str, str], said: str, backend: Backend, jobs: Jobs, tmp_path: Path
) -> None:
    backend.card = replace(CARD, **changes)  # type: ignore[arg-type]
    with pytest.raises(TuningClosed, match=said) as caught:
        jobs.start(order(chats(tmp_path / "train.jsonl")))
    assert "another backend" in caught.value.hint
    assert (backend.asked, jobs.list(), [*tmp_path.glob("jobs/*")]) == ([], (), [])


def test_the_last_days_are_warned_of_and_the_last_one_is_still_open() -> None:
    card = replace(CARD, training_until="2027-01-06", serving_until="2027-01-14")
    told = warnings(card, date(2026, 11, 21))
    assert told[0] == "new runs are taken until 2027-01-06, 47 more days"
    assert told[1].startswith("what is tuned is served until 2027-01-14, 55 more days")
    check_open(card, "bench", "sft", date(2027, 1, 6))
    with pytest.raises(TuningClosed):
        check_open(card, "bench", "sft", date(2027, 1, 7))
    assert warnings(card, date(2026, 6, 1)) == ()


def test_an_estimate_is_tokens_times_epochs_times_price_with_its_source() -> None:
    one = estimate(500_000, "exact", 3, CARD)
    assert (one.usd, one.source, one.checked, one.why) == (4.5, "a price list", "2026-11-21", "")
    assert estimate(500_000, "exact", 3, CARD, price=10.0).source == "whoever started it"
    assert estimate(1, "exact", None, replace(CARD, training_price=0.0)).usd == 0


@pytest.mark.parametrize(
    ("card", "changes", "said"),
    [
        (CARD, {"limit_usd": 0.0001}, "the limit is"),
        (CARD, {"limit_usd": 5.0, "epochs": None}, "chooses the number of epochs"),
        (replace(CARD, training_price=None), {"limit_usd": 5.0}, "nobody has told its price"),
    ],
)
def test_what_is_dearer_than_the_limit_or_unknown_is_refused(
    card: object, changes: dict[str, object], said: str, backend: Backend, jobs: Jobs, tmp_path: Path
) -> None:
    backend.card = card  # type: ignore[assignment]
    with pytest.raises(TooExpensive, match=said):
        jobs.start(order(chats(tmp_path / "train.jsonl"), **changes))
    assert backend.asked == []


def test_without_a_limit_an_unknown_cost_says_so_and_is_no_obstacle(
    backend: Backend, jobs: Jobs, tmp_path: Path
) -> None:
    backend.card = replace(CARD, training_price=None)
    job = jobs.start(order(chats(tmp_path / "train.jsonl")))
    assert (job.estimate.usd, job.estimate.why, job.estimate.tokens > 100) == (None, "nobody has told its price", True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rows"),
        ("not json\n", "would be refused"),
        ('{"messages": [{"role": "user", "content": "hi"}]}\n', "would be refused"),
    ],
)
def test_an_empty_or_broken_dataset_is_refused(
    text: str, said: str, backend: Backend, jobs: Jobs, tmp_path: Path
) -> None:
    (tmp_path / "train.jsonl").write_text(text)
    with pytest.raises(InvalidInput, match=said):
        jobs.start(order(tmp_path / "train.jsonl"))
    assert (backend.asked, jobs.list()) == ([], ())


def test_a_row_in_both_files_is_refused(jobs: Jobs, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is in the validation file"):
        jobs.start(order(chats(tmp_path / "train.jsonl"), validation=chats(tmp_path / "validation.jsonl", 2)))


def test_a_file_in_another_format_is_written_in_the_backends(backend: Backend, jobs: Jobs, tmp_path: Path) -> None:
    rows = [{"instruction": f"{n}?", "input": "", "output": f"{n}!"} for n in range(3)]
    (tmp_path / "alpaca.json").write_text(json.dumps(rows))
    job = jobs.start(order(tmp_path / "alpaca.json"))
    written = [json.loads(line) for line in job.training.train.read_text().splitlines()]
    assert [row["messages"][-1]["content"] for row in written] == ["0!", "1!", "2!"]
    assert (job.format, job.training.train.parent) == ("trl", tmp_path / "jobs" / job.id)
    assert backend.runs[job.id].train.is_file()


def test_a_folder_that_cannot_be_written_is_said(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "alpaca.json").write_text('[{"instruction": "1?", "input": "", "output": "1!"}]')
    (tmp_path / "jobs").write_text("no folder")
    with pytest.raises(InvalidInput, match="cannot write into"):
        jobs.start(order(tmp_path / "alpaca.json"))


def test_preferences_are_needed_for_dpo(jobs: Jobs, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="dpo does not learn from"):
        jobs.start(order(chats(tmp_path / "train.jsonl"), method="dpo"))
    assert jobs.start(order(pairs(tmp_path / "pairs.jsonl"), method="dpo")).format == "trl-preference"


def test_a_dataset_is_taken_in_the_backends_format_and_only_unchanged(jobs: Jobs, tmp_path: Path) -> None:
    folder = tmp_path / "dst_1"
    for name in ("trl", "openai"):
        (folder / name).mkdir(parents=True)
        chats(folder / name / "train.jsonl")
        chats(folder / name / "validation.jsonl", 2, "validation")
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*.jsonl")}
    told = {name: {"sha256": sha256(path.read_bytes()).hexdigest()} for name, path in files.items()}
    (folder / "manifest.json").write_text(json.dumps({"format": "persona-dataset", "id": "dst_1", "files": told}))
    job = jobs.start(order(folder))
    assert (job.training.train, job.training.validation) == (
        folder / "trl" / "train.jsonl",
        folder / "trl" / "validation.jsonl",
    )
    assert (job.dataset, job.dataset_id) == (str(folder), "dst_1")
    chats(folder / "trl" / "train.jsonl", 13)
    with pytest.raises(InvalidInput, match="was changed"):
        jobs.start(order(folder))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("train-00001-of-00002.jsonl", "one file a side"), ("test.jsonl", "nothing in it is for training")],
)
def test_a_dataset_without_one_file_for_training_says_why(name: str, hint: str, jobs: Jobs, tmp_path: Path) -> None:
    told = {"format": "persona-dataset", "id": "dst_1", "files": {f"trl/{name}": {"sha256": ""}}}
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(InvalidInput, match=hint):
        jobs.start(order(tmp_path))


def test_what_nobody_trains_is_refused(backend: Backend, jobs: Jobs, tmp_path: Path) -> None:
    file = chats(tmp_path / "train.jsonl")
    with pytest.raises(AdapterMissing, match="no adapter named 'nobody'"):
        jobs.start(order(file, backend="nobody"))
    with pytest.raises(AdapterMissing, match="offers no tuning"):
        jobs.start(order(file, backend="embedded"))
    backend.card = None
    with pytest.raises(NotFound, match="nothing is known"):
        jobs.start(order(file))
    backend.card = CARD
    with pytest.raises(InvalidInput, match="there is no dataset"):
        jobs.start(order(tmp_path / "gone"))
