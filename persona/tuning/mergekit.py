"""SLERP and TIES through mergekit, as a program of its own: it has another licence, and brings PyTorch.

Source: mergekit 0.1.5, docs/merge_methods.md and its command `mergekit-yaml`. Its configs are YAML, which JSON is too.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from persona.errors import AdapterMissing, InvalidInput
from persona.tuning.merge import Merge, checked, copy_rest, fresh_folder, write_manifest

PROGRAM = "mergekit-yaml"
_TYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float32"}
_LONGEST_WORDS = 300


def merged_by_mergekit(merge: Merge, out: Path, density: float = 0.5) -> Mapping[str, Any]:
    """Writes the merged model into a new folder, and returns its manifest. All of it is there, or nothing.

    `density` is the share of changes that TIES keeps, the largest. Raises AdapterMissing without the program, and as
    `merged` does.
    """
    merge.check()
    if not 0 < density <= 1:
        raise InvalidInput(f"a density of {density:g} keeps nothing", hint="write a share, such as 0.5")
    program = _program(merge.method)
    models = checked(merge)
    types = {one.type for one in models[0].tensors.values() if one.type in _TYPES}
    config = config_of(merge, density, _TYPES[types.pop()] if len(types) == 1 else "float32")
    with fresh_folder(out, models[0].bytes) as folder:
        _run(program, config, folder)
        copy_rest(merge.first, folder)
        return write_manifest(merge, folder)


def config_of(merge: Merge, density: float, dtype: str) -> Mapping[str, Any]:
    """What mergekit is asked for. SLERP goes from the first model to the second by the share of the second's weight."""
    first, *_ = folders = [str(part.folder) for part in merge.parts]
    if merge.method == "slerp":
        one, other = (part.weight for part in merge.parts)
        share = {"parameters": {"t": other / (one + other)}}
        return {
            "merge_method": "slerp",
            "base_model": first,
            "models": [{"model": folder} for folder in folders],
            **share,
            "dtype": dtype,
        }
    parts = [
        {"model": str(part.folder), "parameters": {"weight": part.weight, "density": density}} for part in merge.parts
    ]
    whole = {"merge_method": "ties", "base_model": str(merge.base), "models": parts, "dtype": dtype}
    return {**whole, "parameters": {"normalize": True}}


def _program(method: str) -> str:
    """The program on the path, or beside this interpreter. Raises AdapterMissing."""
    beside = Path(sys.executable).with_name(PROGRAM)
    found = shutil.which(PROGRAM) or (str(beside) if beside.is_file() else None)
    if found is None:
        raise AdapterMissing(
            f"{method} is mergekit's, and its program {PROGRAM} is not there",
            hint="run pip install 'pypersona[mergekit]', or merge with linear or task_arithmetic",
        )
    return found


def _run(program: str, config: Mapping[str, Any], folder: Path) -> None:
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "DO_NOT_TRACK": "1"}
    with tempfile.TemporaryDirectory() as place:
        written = Path(place) / "merge.yml"
        written.write_text(json.dumps(config, indent=2), encoding="utf-8")
        command = [program, str(written), str(folder), "--no-write-model-card", "--quiet"]
        done = subprocess.run(  # noqa: S603  the program that was found, and a file of ours
            command, env={**os.environ, **quiet}, capture_output=True, text=True, errors="replace", check=False
        )
    if done.returncode:
        words = done.stderr.strip().splitlines()[-1:] or ["without a word"]
        raise InvalidInput(f"mergekit has failed: {words[0][:_LONGEST_WORDS]}", hint="see what it says of the models")
