"""The manifest of a dataset: what it was made of and how, with a digest of every file."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from persona.errors import DatasetChanged
from persona.harvest.write import Written
from persona.values.harvest import Outcome
from persona.values.time import from_us

FORMAT, VERSION = "persona-dataset", 1
NAME = "manifest.json"
_APART = ("id", "path", "contradictions")  # the first two are told elsewhere, the others have a file


def dataset_id(recipe: Mapping[str, object], files: Mapping[str, Written]) -> str:
    """The id of a dataset: a digest of how it was made and of every byte in its files."""
    told = {"recipe": recipe, "files": {path: one.sha256 for path, one in files.items()}}
    return "dst_" + sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20]


def manifest_of(outcome: Outcome, files: Mapping[str, Written]) -> dict[str, Any]:
    """The manifest in JSON types. Its date is that of the newest exchange: no clock decides a byte."""
    told = {name: value for name, value in outcome.to_dict().items() if name not in _APART}
    head = {"format": FORMAT, "version": VERSION, "id": outcome.id, "log_until": _date(outcome.newest_us)}
    listed = {path: asdict(one) for path, one in sorted(files.items())}
    return {**head, **told, "files": listed}


def tombstone_of(manifest: Mapping[str, Any], replaced_by: str) -> dict[str, Any]:
    """What is left of a manifest when its examples are gone: how it was made, and which dataset stands for it."""
    stays = ("format", "version", "id", "log_until", "route")
    gone = {"replaced_by": replaced_by, "examples": 0, "files": {}}
    return {**{name: manifest[name] for name in stays}, "settings": nameless(manifest["settings"]), **gone}


def nameless(settings: Mapping[str, Any]) -> dict[str, Any]:
    """How a dataset was made, without the names of users that it was made of: one of them may be erased."""
    return {**settings, "selection": {**settings["selection"], "users": []}}


def written(manifest: Mapping[str, Any]) -> str:
    """The manifest as its file holds it."""
    return json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=False) + "\n"


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a dataset. Raises DatasetChanged where there is none."""
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetChanged(f"there is no manifest in {str(folder)!r}", hint="harvest it again") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise DatasetChanged(f"the manifest in {str(folder)!r} is none of a dataset", hint="harvest it again")
    return found


def check(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Raises DatasetChanged for a file that is not what the manifest says."""
    for path, told in manifest["files"].items():
        digest = sha256()
        try:
            with (folder / path).open("rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
        except OSError as error:
            raise DatasetChanged(f"{path} of {manifest['id']} is not there", hint="harvest it again") from error
        if digest.hexdigest() != told["sha256"]:
            raise DatasetChanged(f"{path} of {manifest['id']} was changed", hint="harvest it again")


def _date(us: int) -> str:
    return from_us(us).isoformat() if us else ""
