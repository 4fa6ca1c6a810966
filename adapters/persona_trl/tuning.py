"""Starts, follows and ends runs, each a process of its own that outlives this one."""

import asyncio
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import persona
from persona.adapter import Provider, folder_of, usable
from persona.errors import AdapterMissing, BadRequest, InvalidInput, NotFound, ProviderUnavailable, SettingsError
from persona.values.tuning import Progress, Training
from persona_trl import base, rows, told
from persona_trl.job import Job, Spec
from persona_trl.options import options_of

LIBRARIES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate")
EPOCHS = 3.0
_PATIENCE_S = 10.0
"""How long a process may take to end itself; one that is in the middle of a long step is then killed."""
_GLANCE_S = 0.05


class LocalTuning:
    """Runs on this machine. A run's handle is its folder, in JSON: every process that sees the folder can follow it."""

    def __init__(self, provider: Provider) -> None:
        if provider.options:
            raise SettingsError(
                f"provider {provider.name!r} has options that its adapter does not know: {', '.join(provider.options)}",
                hint="remove them, or give them to a run",
            )
        self._name = provider.name

    async def start(self, training: Training) -> str:
        """Starts the run in a process of its own, or goes on with it from its last checkpoint.

        One that runs, or has succeeded, is left as it is. Raises AdapterMissing without the libraries, ModelNotFound
        and BadRequest for the model, InvalidInput for the dataset, SettingsError for an option, ProviderUnavailable
        when the folder cannot be written; NotFound where a run is only to be adopted and there is none.
        """
        if training.adopt:
            return await asyncio.to_thread(_adopted, training.folder)
        missing = [name for name in LIBRARIES if find_spec(name) is None]
        if missing:
            raise AdapterMissing(
                f"provider {self._name!r} needs {', '.join(missing)}, not installed",
                hint="run pip install 'pypersona[train]'",
            )
        return await asyncio.to_thread(_start, training)

    async def follow(self, handle: str) -> Progress:
        """What the run's folder says; one whose process was killed has failed."""
        job = _job(handle)
        with usable(job.folder):
            return await asyncio.to_thread(told.progress, job)

    async def cancel(self, handle: str) -> None:
        """Ends the run's process: asked first, and killed where it does not end within seconds."""
        job = _job(handle)
        with usable(job.folder):
            if not job.is_training():
                return
            job.asked_to_end.touch()
        for order in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, FileNotFoundError, ValueError):  # it is only just beginning, or gone
                os.kill(int(job.pid.read_text()), order)
            for _ in range(round(_PATIENCE_S / _GLANCE_S)):
                if not job.is_training():
                    return
                await asyncio.sleep(_GLANCE_S)
        raise ProviderUnavailable(f"{self._name}: the run in {job.folder} does not end", hint="end its process by hand")

    async def clean(self, handle: str) -> Sequence[str]:
        """Removes the checkpoints. The tuned model stays: its folder is yours to remove.

        Raises BadRequest while the run trains.
        """
        job = _job(handle)
        if job.is_training():
            raise BadRequest(f"{self._name}: the run in {job.folder} is training", hint="cancel it first")
        left = [folder for folder in (job.checkpoints, job.unfinished) if folder.is_dir()]
        with usable(job.folder):
            for folder in left:
                await asyncio.to_thread(shutil.rmtree, folder)
        return tuple(map(str, left))


def _adopted(folder: Path) -> str:
    job = Job(folder.resolve())
    if not job.is_asked():
        raise NotFound(f"no run was begun in {str(folder)!r}")
    return json.dumps({"folder": str(job.folder)})


def _start(training: Training) -> str:
    spec = asked(training)
    job = Job(training.folder.resolve())
    with usable(job.folder):
        job.folder.mkdir(parents=True, exist_ok=True)
        lock = job.lock()
        if lock is None:
            if job.is_asked():  # else whoever holds the lock is only just about to ask
                _refuse_another(job, spec)
        else:
            try:
                _go_on(job, spec, lock)
            finally:
                os.close(lock)
    return json.dumps({"folder": str(job.folder)})


def asked(training: Training) -> Spec:
    """What is asked, once all of it was looked at. Raises what `LocalTuning.start` does, but for the libraries."""
    options = options_of(training.options)
    epochs = EPOCHS if training.epochs is None else training.epochs
    if not epochs > 0:
        raise InvalidInput(f"{epochs} epochs train nothing", hint="give a number above 0")
    folder = base.trainable(training.base_model)
    files = [training.train, *([training.validation] if training.validation else [])]
    for file in files:
        rows.count(file, training.method)
    return Spec(
        base=str(folder),
        method=training.method,
        train=str(training.train.resolve()),
        validation=str(training.validation.resolve()) if training.validation else "",
        hashes=tuple(_sha256(file) for file in files),
        seed=training.seed,
        epochs=float(epochs),
        suffix=_suffix(training.suffix),
        options=options,
    )


def _suffix(text: str) -> str:
    """Part of the name of the result's folder."""
    if text and Path(text).name != text:
        raise InvalidInput(f"the suffix {text!r} is no name of a folder", hint="write letters, digits and hyphens")
    return text


def _go_on(job: Job, spec: Spec, lock: int) -> None:
    """Begins the run, or resumes it, in a process that holds the lock from its first moment."""
    succeeded = told.progress(job, alive=False).state == "succeeded"
    if succeeded or job.last_checkpoint():
        _refuse_another(job, spec)
    if succeeded and job.result.is_dir() and job.spec().options.merge == spec.options.merge:
        return  # else its last checkpoint is written as the other kind of model, and nothing is trained
    if not job.last_checkpoint():
        job.forget()
    job.asked_to_end.unlink(missing_ok=True)
    job.pid.unlink(missing_ok=True)
    job.ask(spec)
    _spawn(job, spec, lock)


def _refuse_another(job: Job, spec: Spec) -> None:
    try:
        same = job.spec().same_training(spec)
    except (FileNotFoundError, ValueError, TypeError, KeyError):  # gone, or of another version
        same = False
    if not same:
        raise InvalidInput(
            f"the folder {job.folder} holds another run than the one that is asked for",
            hint="start a new job, or clean this one and remove its model",
        )


def _spawn(job: Job, spec: Spec, lock: int) -> None:
    with job.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  our own module, in this interpreter
            [sys.executable, "-P", "-m", "persona_trl.train", str(job.folder)],
            cwd=job.folder,
            env={**os.environ, **_environment(spec)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,  # it goes on when the terminal, or this process, is closed
        )
    job.pid.write_text(str(process.pid))
    threading.Thread(target=process.wait, daemon=True).start()  # else it would stay in the process table when it ends


def _environment(spec: Spec) -> dict[str, str]:
    """No network, no telemetry, and no more threads than asked for: several at once made training 30 times slower."""
    packages = dict.fromkeys(str(Path(str(file)).parent.parent) for file in (persona.__file__, __file__))
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "0")
    quiet = "HF_HUB_OFFLINE TRANSFORMERS_OFFLINE HF_DATASETS_OFFLINE HF_HUB_DISABLE_TELEMETRY DO_NOT_TRACK"
    return {
        **dict.fromkeys(quiet.split(), "1"),
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": str(spec.options.threads),
        "MKL_NUM_THREADS": str(spec.options.threads),
        "PYTHONPATH": os.pathsep.join([*packages, *filter(None, [os.environ.get("PYTHONPATH")])]),
        # one GPU: over several, transformers would split every batch by itself
        "CUDA_VISIBLE_DEVICES": "" if spec.options.device == "cpu" else seen.partition(",")[0],
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _job(handle: str) -> Job:
    return Job(folder_of(handle))
