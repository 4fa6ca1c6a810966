"""The whole examination, in the order a person reads it."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from persona.assistant.doctor import machine, models
from persona.assistant.doctor.database import look
from persona.assistant.doctor.findings import Finding, failed
from persona.calling.providers import Providers
from persona.errors import PersonaError
from persona.knowledge.apart import Apart
from persona.knowledge.documents import read
from persona.knowledge.files import expand
from persona.settings import Settings, load
from persona.window.calibration import Calibration


def examine(path: Path | None, environment: Mapping[str, str], today: date) -> tuple[Finding, ...]:
    """Every finding, for the settings in a file or for the embedded defaults. Changes nothing."""
    return tuple(_examine(path, environment, today))


def _examine(path: Path | None, environment: Mapping[str, str], today: date) -> Iterator[Finding]:
    yield machine.python()
    yield machine.packages()
    try:
        settings = load(path, environment)
    except PersonaError as error:
        yield failed("settings", error)
        yield from models.adapters()
        return
    yield Finding("settings", "ok", str(path) if path else "the embedded defaults and the environment")
    looked = look(settings)
    yield from looked.findings
    yield _background(settings)
    providers = Providers(settings, environment)
    providers.calibrations.update({key: Calibration(*seen) for key, seen in looked.calibrations.items()})
    yield from models.adapters()
    yield from models.keys(settings, providers, environment)
    yield from models.routes(settings, providers)
    yield from models.models(settings, providers, today)
    yield from models.limits(settings, providers)
    yield from models.counters(settings, providers)
    yield models.embedder(settings, providers, looked.memories)
    yield models.learning(settings, providers)
    yield from _knowledge(settings)


def _background(settings: Settings) -> Finding:
    if settings.tasks.run:
        return Finding("background", "ok", "runs inside each process that opens an assistant")
    advice = "run `persona work`, or another process with tasks.run = true"
    return Finding("background", "warn", "does not run in processes with these settings", advice)


def _knowledge(settings: Settings) -> Iterator[Finding]:
    for name, base in settings.knowledge.items():
        topic = f"knowledge {name}"
        try:
            files, most_bytes = expand(base.files, settings.folder), base.max_file_mb * 1_000_000
            with Apart(base.max_file_s) as apart:
                documents = [read(one, most_bytes, apart.content) for one in files]
        except PersonaError as error:
            yield failed(topic, error)
            continue
        characters = sum(one.characters for one in documents)
        number = f"{len(documents)} file{'' if len(documents) == 1 else 's'}"
        yield Finding(topic, "ok", f"{number}, {characters:,} characters")
