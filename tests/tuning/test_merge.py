"""Merging: what comes out is the arithmetic of what goes in, with its types; what does not match leaves nothing."""

import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from persona import AdapterMissing, InvalidInput, Jobs, MergeOrder, NoRoom, NotFound, Settings, WeightsDiffer
from persona.assistant import operator
from persona.assistant.lineages import lineage_of
from persona.cli.app import app
from persona.store import datasets
from persona.store import jobs as rows
from persona.store.lineage import made_of
from persona.tuning import merge as merging
from persona.tuning import weights
from persona.tuning.merge import Merge, Part, merged
from persona.tuning.mergekit import config_of
from persona.values.dataset import DatasetEntry
from persona.values.tuning import Estimate, Job, Progress, Training

SHAPES = {"embed": (7, 4), "layer.0": (4, 4), "layer.1": (4, 4), "head": (4,)}
TYPES = {"F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16, "F64": np.float64}


def numbers(seed: int, kind: Any = np.float32) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(kind) for name, shape in SHAPES.items()}


def model(folder: Path, tensors: Mapping[str, Any], *, shards: int = 1, words: int = 7) -> Path:
    """A folder with a model in it, in one file or several."""
    folder.mkdir(parents=True)
    names = [f"model-{n + 1:05}-of-{shards:05}.safetensors" for n in range(shards)] if shards > 1 else [weights.SINGLE]
    placed = {tensor: names[place % shards] for place, tensor in enumerate(tensors)}
    for name in names:
        save_file({t: tensors[t] for t in tensors if placed[t] == name}, folder / name, {"format": "pt"})
    if shards > 1:
        (folder / weights.INDEX).write_text(json.dumps({"metadata": {}, "weight_map": placed}))
    (folder / "config.json").write_text('{"architectures": ["TinyForCausalLM"]}')
    vocabulary = {f"word {n}": n for n in range(words)}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    (folder / "checkpoint-1").mkdir()
    return folder


def read(folder: Path) -> dict[str, Any]:
    return {name: one for file in folder.glob("*.safetensors") for name, one in load_file(file).items()}


@pytest.mark.parametrize("kind", TYPES)
def test_a_linear_merge_is_the_weighted_mean_in_the_type_of_the_models(kind: str, tmp_path: Path) -> None:
    one, other = numbers(1, TYPES[kind]), numbers(2, TYPES[kind])
    parts = (Part(model(tmp_path / "a", one), 3.0), Part(model(tmp_path / "b", other), 1.0))
    merged(Merge("linear", parts), tmp_path / "out")
    wide = np.float64 if kind == "F64" else np.float32
    for name, found in read(tmp_path / "out").items():
        wanted = one[name].astype(wide) * wide(0.75) + other[name].astype(wide) * wide(0.25)
        assert found.dtype == TYPES[kind]
        np.testing.assert_array_equal(found, wanted.astype(TYPES[kind]))
    with safe_open(tmp_path / "out" / weights.SINGLE, "np") as file:
        assert (set(file.keys()), file.metadata()) == (set(SHAPES), {"format": "pt"})


def test_task_arithmetic_adds_what_each_has_learnt_to_the_base(tmp_path: Path) -> None:
    base, one, other = numbers(0), numbers(1), numbers(2)
    folders = [model(tmp_path / name, tensors) for name, tensors in (("base", base), ("a", one), ("b", other))]
    parts = (Part(folders[1], 0.5), Part(folders[2], -0.25))
    merged(Merge("task_arithmetic", parts, folders[0]), tmp_path / "out")
    for name, found in read(tmp_path / "out").items():
        wanted = base[name] + np.float32(0.5) * (one[name] - base[name]) - np.float32(0.25) * (other[name] - base[name])
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


def test_models_in_other_shards_are_merged_and_the_rest_is_the_first_ones(tmp_path: Path) -> None:
    one, other = numbers(1), numbers(2)
    folders = model(tmp_path / "a", one, shards=3), model(tmp_path / "b", other, shards=2)
    merged(Merge("linear", tuple(Part(folder, 1.0) for folder in folders)), tmp_path / "out")
    assert (tmp_path / "out" / weights.INDEX).read_bytes() == (folders[0] / weights.INDEX).read_bytes()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [
            "config.json",
            "merge.json",
            "tokenizer.json",
            weights.INDEX,
            *(p.name for p in folders[0].glob("*.safetensors")),
        ]
    )
    np.testing.assert_array_equal(read(tmp_path / "out")["head"], (one["head"] + other["head"]) / 2)


def test_merging_a_model_with_itself_gives_its_own_bytes_and_the_manifest_says_so(tmp_path: Path) -> None:
    parts = tuple(Part(model(tmp_path / name, numbers(1)), 1.0, name) for name in "ab")
    told = merged(Merge("linear", parts), tmp_path / "out")
    assert (tmp_path / "out" / weights.SINGLE).read_bytes() == (tmp_path / "a" / weights.SINGLE).read_bytes()
    assert told == json.loads((tmp_path / "out" / merging.MANIFEST).read_text())
    assert [part["model"] for part in told["parts"]] == ["a", "b"]
    assert told["parts"][0]["weights"] == told["result"]


def test_pieces_do_not_change_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = tuple(Part(model(tmp_path / str(n), numbers(n)), float(n)) for n in (1, 2, 3))
    merged(Merge("linear", parts), tmp_path / "whole")
    monkeypatch.setattr(weights, "PIECE", 5)
    merged(Merge("linear", parts), tmp_path / "pieces")
    for name in (weights.SINGLE, merging.MANIFEST):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "pieces" / name).read_bytes()


@settings(max_examples=200)
@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
def test_bfloat16_is_rounded_as_others_do(values: list[float]) -> None:
    wanted = np.array(values, np.float32).astype(ml_dtypes.bfloat16)
    found = np.frombuffer(weights.encode(np.array(values, np.float32), "BF16"), ml_dtypes.bfloat16)
    np.testing.assert_array_equal(found.astype(np.float32), wanted.astype(np.float32))


def test_whole_numbers_are_kept_where_they_are_the_same_and_refused_where_not(tmp_path: Path) -> None:
    places, moved = np.arange(4), np.arange(4) + 1
    alike = [model(tmp_path / n, {**numbers(1), "places": places}) for n in "ab"]
    merged(Merge("linear", tuple(Part(one, 1.0) for one in alike)), tmp_path / "out")
    np.testing.assert_array_equal(read(tmp_path / "out")["places"], places)
    other = model(tmp_path / "c", {**numbers(1), "places": moved})
    with pytest.raises(WeightsDiffer, match="'places'"):
        merged(Merge("linear", (Part(alike[0], 1.0), Part(other, 1.0))), tmp_path / "other")
    assert not [path for path in tmp_path.iterdir() if "other" in path.name]


def changed(what: str) -> dict[str, Any]:
    tensors = numbers(2)
    if what == "missing":
        del tensors["layer.1"]
    elif what == "more":
        tensors["layer.2"] = tensors["layer.1"]
    elif what == "shape":
        tensors["layer.1"] = np.zeros((4, 5), np.float32)
    else:
        tensors["layer.1"] = tensors["layer.1"].astype(np.float16)
    return tensors


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing", "'layer.1' of 'a' is not in 'b'"),
        ("more", "'layer.2' of 'b' is not in 'a'"),
        ("shape", r"'layer.1' is F32 \[4, 4\] in 'a', F32 \[4, 5\] in 'b'"),
        ("type", "'layer.1' is F32 .* F16"),
    ],
)
def test_the_tensor_that_does_not_match_is_named_and_nothing_is_written(what: str, said: str, tmp_path: Path) -> None:
    parts = (Part(model(tmp_path / "a", numbers(1)), 1.0), Part(model(tmp_path / "b", changed(what)), 1.0))
    with pytest.raises(WeightsDiffer, match=said):
        merged(Merge("linear", parts), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_models_that_number_their_tokens_differently_are_not_merged(tmp_path: Path) -> None:
    parts = (Part(model(tmp_path / "a", numbers(1)), 1.0), Part(model(tmp_path / "b", numbers(2), words=8), 1.0))
    with pytest.raises(WeightsDiffer, match="number their tokens differently"):
        merged(Merge("linear", parts), tmp_path / "out")


def test_what_is_no_whole_model_is_said(tmp_path: Path) -> None:
    good = Part(model(tmp_path / "good", numbers(1)), 1.0)
    adapter, broken, cut, quantised = (model(tmp_path / n, numbers(1)) for n in ("adapter", "broken", "cut", "quant"))
    (adapter / "adapter_config.json").write_text("{}")
    (broken / weights.SINGLE).write_bytes(b"no weights at all")
    (cut / weights.SINGLE).write_bytes((cut / weights.SINGLE).read_bytes()[:-8])
    raw = (quantised / weights.SINGLE).read_bytes().replace(b'"F32"', b'"I3."', 1)
    (quantised / weights.SINGLE).write_bytes(raw)
    (tmp_path / "empty").mkdir()
    said = {adapter: "LoRA", broken: "no safetensors", cut: "cut short", quantised: r"type I3\."}
    for folder, words in {**said, tmp_path / "empty": "neither", tmp_path / "none": "no folder"}.items():
        with pytest.raises(InvalidInput, match=words):
            merged(Merge("linear", (good, Part(folder, 1.0))), tmp_path / "out")


@pytest.mark.parametrize(
    ("method", "factors", "words"),
    [
        ("linear", (1.0,), "nothing to merge"),
        ("linear", (1.0, -1.0), "add up"),
        ("linear", (1.0, float("nan")), "add up"),
        ("slerp", (1.0, 1.0, 1.0), "slerp merges two"),
        ("task_arithmetic", (1.0, 1.0), "adds to the base"),
        ("ties", (1.0, 1.0), "adds to the base"),
    ],
)
def test_a_merge_that_cannot_be_is_refused(method: Any, factors: tuple[float, ...], words: str, tmp_path: Path) -> None:
    parts = tuple(Part(tmp_path / str(n), factor) for n, factor in enumerate(factors))
    with pytest.raises(InvalidInput, match=words):
        merged(Merge(method, parts), tmp_path / "out")


def test_a_folder_that_is_there_is_never_touched(tmp_path: Path) -> None:
    parts = tuple(Part(model(tmp_path / name, numbers(1)), 1.0) for name in "ab")
    with pytest.raises(InvalidInput, match="there already"):
        merged(Merge("linear", parts), tmp_path / "b")
    assert (tmp_path / "b" / "checkpoint-1").is_dir()


FULL = """
import resource, signal, sys
from pathlib import Path
from persona.errors import PersonaError
from persona.tuning.merge import Merge, Part, merged
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
root = Path(sys.argv[1])
try:
    merged(Merge("linear", (Part(root / "a", 1.0), Part(root / "b", 1.0))), root / "out")
except PersonaError as error:
    print(type(error).__name__, error.retryable, *sorted(path.name for path in root.iterdir()))
"""


def test_a_disk_that_fills_up_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    for name in "ab":
        model(tmp_path / name, numbers(1))
    # -B: the limit would cut compiled modules too, for everybody after it
    command = [sys.executable, "-B", "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["NoRoom", "True", "a", "b"]


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(tmp_path: Path) -> None:
    parts = tuple(Part(model(tmp_path / name, numbers(1)), 1.0) for name in "ab")
    giant = {"__metadata__": {}, "t": {"dtype": "F32", "shape": [2**41], "data_offsets": [0, 2**43]}}
    header = json.dumps(giant).encode()
    for part in parts:
        with (part.folder / weights.SINGLE).open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            try:
                file.truncate(8 + len(header) + 2**43)  # a hole of eight terabytes
            except OSError:
                pytest.skip("this file system has no room for holes")
    with pytest.raises(NoRoom, match="are free"):
        merged(Merge("linear", parts), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


LARGE = """
import resource, sys
from pathlib import Path
from persona.tuning.merge import Merge, Part, merged
root = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
merged(Merge("linear", (Part(root / "a", 1.0), Part(root / "b", 1.0))), root / "out")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_a_tensor(tmp_path: Path) -> None:
    for name in "ab":
        model(tmp_path / name, {"t": np.zeros((1 << 24,), np.float16)})  # 64 MB in single precision, of each
    done = subprocess.run([sys.executable, "-c", LARGE, str(tmp_path)], capture_output=True, text=True, check=True)
    unit = 1024 if resource.getpagesize() and sys.platform != "darwin" else 1
    assert int(done.stdout) * unit < 100_000_000


# jobs, and the command line


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "persona.toml").write_text("")
    made = Settings.model_validate({"store": {"url": f"sqlite:///{tmp_path / 'persona.db'}"}})
    made._folder = tmp_path
    return made


def tuned(jobs: Jobs, folder: Path, id: str, base: Path) -> str:
    """A job that has left a model on this machine."""
    training = Training(id, str(base), "sft", Path("train.jsonl"), None, Path(id))
    free = Estimate(0, "exact", None, 0.0, 0.0)
    job = Job(id, "trl", training, "train.jsonl", "", "d", "trl", free, "grace", 1)
    operator.upgrade(jobs.settings)
    jobs.list()
    bench = jobs._jobs._bench
    assert bench is not None
    bench.database.run_now(lambda tx: rows.add(tx, job, 5))
    bench.database.run_now(lambda tx: rows.start(tx, id, "run"))
    bench.database.run_now(lambda tx: rows.follow(tx, job, Progress("succeeded", tuned_model=str(folder)), 9))
    return id


def test_merged_jobs_are_a_job_whose_parents_lineage_knows(place: Settings, tmp_path: Path) -> None:
    base = model(tmp_path / "base", numbers(0))
    folders = [model(tmp_path / name, numbers(n)) for n, name in enumerate("ab", 1)]
    with Jobs.open(place, environment={}) as jobs:
        ids = [tuned(jobs, folder, f"job_{folder.name}", base) for folder in folders]
        seen: list[tuple[int, int | None]] = []
        order = MergeOrder(ids, "task_arithmetic", (0.5, 0.5), who="grace")
        job = jobs.merge(order, advance=lambda done, total: seen.append((done, total)))
        assert (job.state, job.backend, job.who, job.training.base_model) == ("succeeded", "merge", "grace", str(base))
        assert seen[-1] == (4, 4)
        again = jobs.merge(MergeOrder([folders[0], job.id], to=tmp_path / "out"))
        assert again.progress is not None
        assert again.progress.tuned_model == str(tmp_path / "out")
        assert jobs.clean(job.id).removed == ()
    came = {(link.earlier.id, link.later.id) for link in lineage_of(place, again.id).earlier}
    assert {(f"trl:{folders[0]}", again.id), (f"merge:{job.progress.tuned_model}", again.id)} <= came  # type: ignore[union-attr]
    assert ("job_b", f"trl:{folders[1]}") in came


def test_what_was_merged_of_a_datasets_models_is_named_when_somebody_of_it_is_erased(
    place: Settings, tmp_path: Path
) -> None:
    base = model(tmp_path / "base", numbers(0))
    with Jobs.open(place, environment={}) as jobs:
        id = tuned(jobs, model(tmp_path / "a", numbers(1)), "job_a", base)
        jobs.merge(MergeOrder([id, base], to=tmp_path / "once"))
        jobs.merge(MergeOrder([tmp_path / "once", base], to=tmp_path / "twice"))
        jobs.merge(MergeOrder([base, base], to=tmp_path / "other"))
        bench = jobs._jobs._bench
        assert bench is not None
        entry = DatasetEntry("dst_1", "support", "train.jsonl", 3, "", 1, 1)
        datasets.register(bench.database, entry, [])
        made = bench.database.run_now(lambda tx: made_of(tx, ["dst_1"]))
    assert set(made.models) == {f"trl:{tmp_path / 'a'}", f"merge:{tmp_path / 'once'}", f"merge:{tmp_path / 'twice'}"}


def test_what_cannot_be_merged_stores_nothing(place: Settings, tmp_path: Path) -> None:
    one = model(tmp_path / "a", numbers(1))
    with Jobs.open(place, environment={}) as jobs:
        gone = tuned(jobs, tmp_path / "gone", "job_gone", one)
        for models, kind in (
            (["job_none", one], NotFound),
            ([gone, one], InvalidInput),
            (["nowhere", one], NotFound),
        ):
            with pytest.raises(kind):
                jobs.merge(MergeOrder(models))
        with pytest.raises(InvalidInput, match="have 1 weights"):
            jobs.merge(MergeOrder([one, one], weights=[1.0]))
        with pytest.raises(WeightsDiffer):
            jobs.merge(MergeOrder([one, model(tmp_path / "b", changed("shape"))]))
        assert [job.id for job in jobs.list()] == ["job_gone"]
    assert not (tmp_path / "jobs").exists()


def test_the_command_line_merges_and_names_the_tensor_that_does_not_match(place: Settings, tmp_path: Path) -> None:
    for name, tensors in (("a", numbers(1)), ("b", numbers(2)), ("c", changed("missing"))):
        model(tmp_path / name, tensors)
    run = CliRunner().invoke
    done = run(app, ["tune", "merge", "a", "b", "-w", "3", "-w", "1", "--to", "out"], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.rstrip().endswith(f": {tmp_path / 'out'}")
    assert json.loads((tmp_path / "out" / "merge.json").read_text())["parts"][0]["weight"] == 3.0
    refused = run(app, ["tune", "merge", "a", "c", "--to", "other"], catch_exceptions=False)
    assert (refused.exit_code, "the tensor 'layer.1'" in refused.stderr) == (2, True)
    listed = json.loads(run(app, ["tune", "list", "--json"]).stdout)
    assert [(job["backend"], job["state"]) for job in listed] == [("merge", "succeeded")]


# mergekit, as a program of its own

FAKE = """#!{python}
import json, pathlib, sys
config = json.loads(pathlib.Path(sys.argv[1]).read_text())
out = pathlib.Path(sys.argv[2])
if config["models"][0]["model"].endswith("bad"):
    print("Traceback", "RuntimeError: no such architecture", sep="\\n", file=sys.stderr)
    sys.exit(1)
(out / "model.safetensors").write_bytes((pathlib.Path(config["models"][0]["model"]) / "model.safetensors").read_bytes())
(out / "asked.json").write_text(json.dumps(config))
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "mergekit-yaml").write_text(FAKE.format(python=sys.executable))
    (folder / "mergekit-yaml").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.usefixtures("program")
def test_slerp_and_ties_are_asked_of_mergekit_in_its_own_words(place: Settings, tmp_path: Path) -> None:
    base, one, other = (model(tmp_path / name, numbers(n, TYPES["BF16"])) for n, name in enumerate(("base", "a", "b")))
    with Jobs.open(place, environment={}) as jobs:
        jobs.merge(MergeOrder([one, other], "slerp", (3.0, 1.0), to=tmp_path / "arc"))
        jobs.merge(MergeOrder([one, other], "ties", base=base, density=0.2, to=tmp_path / "knot"))
    asked = json.loads((tmp_path / "arc" / "asked.json").read_text())
    models = [{"model": str(one)}, {"model": str(other)}]
    assert asked == {
        **{"merge_method": "slerp", "base_model": str(one), "models": models},
        **{"parameters": {"t": 0.25}, "dtype": "bfloat16"},
    }
    ties = json.loads((tmp_path / "knot" / "asked.json").read_text())
    assert ties == config_of(
        Merge("ties", (Part(one, 1.0), Part(other, 1.0)), base), 0.2, "bfloat16"
    )  # the config that was held against the real program
    assert (tmp_path / "knot" / "tokenizer.json").is_file()


@pytest.mark.usefixtures("program")
def test_what_mergekit_refuses_is_said_with_its_last_words_and_leaves_nothing(place: Settings, tmp_path: Path) -> None:
    parts = [model(tmp_path / "bad", numbers(1)), model(tmp_path / "b", numbers(2))]
    with (
        Jobs.open(place, environment={}) as jobs,
        pytest.raises(InvalidInput, match="no such architecture"),
    ):
        jobs.merge(MergeOrder(parts, "slerp", to=tmp_path / "out"))
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_without_mergekit_it_is_said_what_to_install(
    place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    parts = [model(tmp_path / "a", numbers(1)), model(tmp_path / "b", numbers(2))]
    with Jobs.open(place, environment={}) as jobs, pytest.raises(AdapterMissing) as caught:
        jobs.merge(MergeOrder(parts, "slerp"))
    assert "pypersona[mergekit]" in caught.value.hint
