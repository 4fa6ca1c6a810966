"""The folder of a run: what was asked, what came of it so far, and a lock that says whether it is being trained.

job.json        what was asked
lock            held by the training process for as long as it lives, however it ends
cancel          somebody asked it to end
progress.jsonl  what it said, a JSON object a line, only ever added to
mask.txt        which tokens of some rows carry loss
log.txt         what the libraries print
pid             the number of that process, or of the last one
checkpoints/    what a run goes on from
<result>/       the tuned model
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from persona.values.tuning import Method
from persona_trl.options import Options

Line = dict[str, Any]
_HARMLESS = ("merge", "keep", "threads", "device", "served_name")
"""Options that may change between a run and its resumption."""
_CHECKPOINT, _LAST_FILE = "checkpoint-", "trainer_state.json"
"""How transformers names a checkpoint, and the last file that it writes into one."""
_GLANCES, _GLANCE_S = 10, 0.01
"""Whoever asks if a run is alive holds its lock for a moment, which must not be taken for a training process."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a run is asked, with the files' SHA-256 so that a resumption trains on the same rows."""

    base: str
    method: Method
    train: str
    validation: str
    hashes: tuple[str, ...]
    seed: int
    epochs: float
    suffix: str
    options: Options

    def same_training(self, other: "Spec") -> bool:
        """Whether checkpoints of the one are of use to the other."""
        return self._kept() == other._kept()

    def _kept(self) -> Line:
        said = asdict(self)
        for path in ("train", "validation", "suffix"):
            del said[path]  # the same rows may lie somewhere else
        for option in _HARMLESS:
            del said["options"][option]
        return said

    @classmethod
    def from_json(cls, said: Line) -> Self:
        """What `asdict` of a spec says."""
        options = Options(**{**said["options"], "lora_targets": tuple(said["options"]["lora_targets"])})
        return cls(**{**said, "hashes": tuple(said["hashes"]), "options": options})


@dataclass(frozen=True, slots=True)
class Job:
    """One run's folder."""

    folder: Path

    @property
    def checkpoints(self) -> Path:
        """Where the trainer keeps what it can go on from."""
        return self.folder / "checkpoints"

    @property
    def result(self) -> Path:
        """Where the tuned model is, once there is one."""
        suffix = self.spec().suffix
        return self.folder / (f"model-{suffix}" if suffix else "model")

    @property
    def unfinished(self) -> Path:
        """Where the tuned model is while it is being written."""
        return self.folder / ".new"

    @property
    def mask(self) -> Path:
        """Which tokens carry loss, for people."""
        return self.folder / "mask.txt"

    @property
    def log(self) -> Path:
        """What the libraries print."""
        return self.folder / "log.txt"

    @property
    def pid(self) -> Path:
        """The number of the process that trains, or trained last."""
        return self.folder / "pid"

    @property
    def asked_to_end(self) -> Path:
        """There when somebody cancelled the run."""
        return self.folder / "cancel"

    def spec(self) -> Spec:
        """What was asked. Raises OSError or ValueError when the folder holds no run."""
        return Spec.from_json(json.loads((self.folder / "job.json").read_text(encoding="utf-8")))

    def is_asked(self) -> bool:
        """Whether the folder says what to train."""
        return (self.folder / "job.json").is_file()

    def ask(self, spec: Spec) -> None:
        """Writes what is asked, whole or not at all."""
        replace(self.folder / "job.json", json.dumps(asdict(spec), indent=1))

    def lock(self) -> int | None:
        """Takes the lock, or None when a training process holds it. It is free again once the file is closed.

        The file may be handed to a child process, which then holds the lock too.
        """
        file = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        for _ in range(_GLANCES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_GLANCE_S)
            else:
                return file
        os.close(file)
        return None

    def is_training(self) -> bool:
        """Whether a process is at it; one that was killed is not."""
        try:
            file = os.open(self.folder / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look do not take each other for it
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def say(self, **line: Any) -> None:
        """Adds a line to the progress, in one write."""
        with (self.folder / "progress.jsonl").open("ab", buffering=0) as file:
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def said(self) -> Iterator[Line]:
        """The progress so far, without a last line that is still being written, or was cut by a full disk."""
        try:
            text = (self.folder / "progress.jsonl").read_bytes()
        except FileNotFoundError:
            return
        for line in text.split(b"\n")[:-1]:
            try:
                yield json.loads(line)
            except ValueError:
                continue

    def last_checkpoint(self) -> int | None:
        """The step of the newest checkpoint that was written whole; its last file says so."""
        return max((step for step, folder in self._saved() if _is_whole(folder)), default=None)

    def checkpoint(self, step: int) -> Path:
        """Where the trainer puts its checkpoint of a step."""
        return self.checkpoints / f"{_CHECKPOINT}{step}"

    def drop_halves(self) -> None:
        """Removes what was not written whole, a checkpoint or the model, and so makes room."""
        shutil.rmtree(self.unfinished, ignore_errors=True)
        for _, folder in list(self._saved()):
            if not _is_whole(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def _saved(self) -> Iterator[tuple[int, Path]]:
        for folder in self.checkpoints.glob(f"{_CHECKPOINT}*"):
            step = folder.name.removeprefix(_CHECKPOINT)
            if step.isdecimal():
                yield int(step), folder

    def forget(self) -> None:
        """Removes what an earlier run left, so that another may begin in its place."""
        for path in (self.folder / "progress.jsonl", self.mask, self.log):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.checkpoints, ignore_errors=True)


def _is_whole(checkpoint: Path) -> bool:
    said = checkpoint / _LAST_FILE
    try:
        return said.is_file() and "global_step" in json.loads(said.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def replace(path: Path, text: str) -> None:
    """Writes a file whole: whoever reads it finds the old text or the new."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
