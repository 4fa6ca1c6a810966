"""Promise 6: the same log, settings and seed give the same bytes, on one core or many, interrupted or not."""

import os
import random
import signal
import subprocess
from functools import partial
from pathlib import Path

import postgres
import programs
import psutil
import pytest
from harvest.harvested import LATER, everything, harvested, settings_of
from harvest.logged import fill, write_log
from programs import Program
from terminal import environment

from persona.errors import DatasetError
from persona.harvest.hands import hands
from persona.harvest.job import Job
from persona.harvest.recipe import Selection
from persona.harvest.run import Asked, Progress, recipe_of
from persona.settings import Settings

CHUNK, CONVERSATIONS = 20, 100
FORMATS = ("trl", "autotrain", "text")
CHILD = """
import sys
from pathlib import Path
from harvest.harvested import harvested, settings_of

if __name__ == "__main__":
    url, out, processes = sys.argv[1:]
    settings = settings_of(url, harvest={"processes": int(processes)})
    print("ready", flush=True)
    harvested(settings, Path(out), "trl", "autotrain", "text", raw=False, chunk_keys=20)
    print("done", flush=True)
"""

HALTING = """
import sys
from pathlib import Path
from harvest.harvested import harvested, settings_of

class Halt(list):
    def append(self, progress):
        if progress.done == 2:  # chunks
            print("two", flush=True)
            sys.stdin.readline()

if __name__ == "__main__":
    url, out = sys.argv[1:]
    settings = settings_of(url, harvest={"processes": 1})
    harvested(settings, Path(out), "trl", "autotrain", "text", raw=False, chunk_keys=20, seen=Halt())
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_log(tmp_path_factory.mktemp("log") / "persona.db", CONVERSATIONS, turns=2, users=40)


@pytest.fixture(scope="module")
def settings(log: str) -> Settings:
    return settings_of(log, harvest={"processes": 1})


@pytest.fixture(scope="module")
def whole(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an undisturbed run in one process writes."""
    out = tmp_path_factory.mktemp("whole")
    outcome = harvested(settings, out, *FORMATS, raw=False, chunk_keys=CHUNK)
    assert outcome.funnel.kept > 150
    found = everything(out)
    assert len(found) > 6
    return found


@pytest.fixture
def child(log: str, tmp_path: Path) -> list[str]:
    """The command of a harvest in a process of its own."""
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    return [str(script), log, str(tmp_path / "out")]


def test_a_second_run_gives_the_same_bytes_and_the_same_id(
    settings: Settings, whole: dict[str, str], tmp_path: Path
) -> None:
    for _ in range(2):  # also where it is there already
        outcome = harvested(settings, tmp_path, *FORMATS, raw=False, chunk_keys=CHUNK)
        assert everything(tmp_path) == whole
    assert outcome.id.startswith("dst_")


def test_the_width_of_the_chunks_decides_nothing(settings: Settings, whole: dict[str, str], tmp_path: Path) -> None:
    harvested(settings, tmp_path, *FORMATS, raw=False, chunk_keys=7)
    assert everything(tmp_path) == whole


def test_the_same_log_on_postgresql_gives_the_same_bytes(
    postgres_server: str, whole: dict[str, str], tmp_path: Path
) -> None:
    with postgres.fresh_database(postgres_server, f"persona_harvest_{os.getpid()}") as url:
        fill(url, CONVERSATIONS, turns=2, users=40)
        harvested(settings_of(url, harvest={"processes": 1}), tmp_path, *FORMATS, raw=False, chunk_keys=CHUNK)
    assert everything(tmp_path) == whole


def test_several_processes_give_the_same_bytes(child: list[str], whole: dict[str, str], tmp_path: Path) -> None:
    assert programs.run([*child, "2"], env=_environment()).stdout == "ready\ndone\n"
    assert everything(tmp_path / "out") == whole


def test_a_run_that_was_killed_again_and_again_goes_on_to_the_same_bytes(
    child: list[str], settings: Settings, whole: dict[str, str], tmp_path: Path
) -> None:
    """Killed wherever it is, within a chunk, while it compares or while it writes, with two processes and with one."""
    out = tmp_path / "out"
    for processes, chunks in ((2, random.randrange(3)), (1, random.randrange(1, 6))):
        run = Program([*child, str(processes)], stdout=subprocess.PIPE, env=_environment())
        assert run.stdout
        assert run.stdout.readline() == "ready\n"
        _wait_for_work(run, out, chunks)
        family = psutil.Process(run.pid).children(recursive=True)
        os.kill(run.pid, signal.SIGKILL)
        run.stdout.close()
        run.wait()
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive, "the processes that it started end with it"
    harvested(settings, out, *FORMATS, raw=False, chunk_keys=CHUNK)
    assert everything(out) == whole


def _wait_for_work(run: Program, out: Path, chunks: int) -> None:
    """Until so many chunks are made, or it has ended by itself."""
    while run.poll() is None and len(list(out.glob(".work/*/chunks/0*"))) < chunks:
        try:
            run.wait(0.005)
        except subprocess.TimeoutExpired:
            continue


def test_an_interrupted_run_goes_on_and_makes_no_chunk_again(log: str, settings: Settings, tmp_path: Path) -> None:
    script, out = tmp_path / "halting.py", tmp_path / "out"
    script.write_text(HALTING)
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    run = Program([str(script), log, str(out)], **pipes, env=_environment())
    assert run.stdout
    assert run.stdout.readline() == "two\n"
    run.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in run.communicate()[1]
    seen: list[Progress] = []
    harvested(settings, out, *FORMATS, raw=False, chunk_keys=CHUNK, seen=seen)
    assert seen[0].resumed == 2
    assert not (out / ".work").exists()


def test_a_process_that_is_killed_is_said_so_with_what_to_do(settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"harvest": settings.harvest.model_copy(update={"processes": 2})})
    recipe, held_out = recipe_of(settings, Asked(Selection("default"), ("trl",), tmp_path))
    with (
        pytest.raises(DatasetError, match=r"was killed.*harvest\.processes"),
        hands(Job(settings, recipe, tmp_path, LATER, held_out), range(3)) as every,
    ):
        every.begin(os._exit, 1)()


def test_the_parts_of_a_step_are_done_in_several_processes_and_given_in_their_order(
    settings: Settings, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"harvest": settings.harvest.model_copy(update={"processes": 2})})
    recipe, held_out = recipe_of(settings, Asked(Selection("default"), ("trl",), tmp_path))
    os.mkfifo(tmp_path / "pipe")  # whoever opens one end waits for the other
    with hands(Job(settings, recipe, tmp_path, LATER, held_out), range(3)) as every:
        done = every.each(partial(_meet, tmp_path / "pipe"), ["r", "x", "y", "w"])
        assert [part for part, _ in done] == ["r", "x", "y", "w"]
        assert os.getpid() in {done[0][1], done[-1][1]} != {os.getpid()}
        assert every.each(str, []) == []
        assert every.each(str, [7]) == ["7"]


def _meet(pipe: Path, part: str) -> tuple[str, int]:
    if part in "rw":
        pipe.open(part).close()
    return part, os.getpid()


def _environment() -> dict[str, str]:
    here = Path(__file__).parents[2]
    return environment(PYTHONPATH=os.pathsep.join(map(str, (here / "tests", here, here / "adapters"))))
