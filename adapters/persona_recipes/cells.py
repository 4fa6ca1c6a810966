"""A notebook for Colab, or any rented machine with a GPU, that runs persona's own `trl` backend on a dataset.

Source: nbformat 4.5 (nbformat.readthedocs.io, "The notebook file format").
"""

import json
from collections.abc import Mapping
from typing import Any

from persona.values.tuning import Training

_HEAD = """\
# Tune {model}

Written by persona for job `{job}`: {method} on `train.jsonl`{beside}. One like it was run on
a CPU and a tiny model, and none in Colab. It wants a GPU (in Colab: Runtime, Change runtime type), installs persona
with its extra `train`, downloads the base model from the Hugging Face hub, and leaves `result.zip`, which belongs into
the folder of the job, unpacked."""

_INSTALL = """\
import subprocess
import sys

subprocess.run([sys.executable, "-m", "pip", "install", "-q", "pypersona[train]"], check=True)"""

_UPLOAD = """\
from pathlib import Path

wanted = {files}
folder = next((one for one in (Path("data"), Path(".")) if all((one / name).is_file() for name in wanted)), Path("."))
if not all((folder / name).is_file() for name in wanted):
    from google.colab import files  # elsewhere: put the files of data/ beside this notebook

    files.upload()
print([f"{{name}}: {{(folder / name).stat().st_size:,}} bytes" for name in wanted])"""

_MODEL = """\
from huggingface_hub import snapshot_download

# models that ask for consent need a token: huggingface_hub.login()
base = snapshot_download({model})
print(base)"""

_TRAIN = """\
data = [str(folder / name) for name in wanted]
command = {command}
persona = "import sys; from persona.cli import main; sys.argv[0] = 'persona'; main()"
subprocess.run([sys.executable, "-c", persona, *command], check=True)"""

_RESULT = """\
import json
import shutil

listed = [sys.executable, "-c", persona, "tune", "list", "--json"]
jobs = json.loads(subprocess.run(listed, check=True, capture_output=True, text=True).stdout)
model = jobs[0]["progress"]["tuned_model"]
shutil.copytree(model, "result", dirs_exist_ok=True)
print(shutil.make_archive("result", "zip", ".", "result"))
if "google.colab" in sys.modules:
    from google.colab import files

    files.download("result.zip")"""


def notebook(training: Training, epochs: int, options: Mapping[str, str]) -> str:
    """The notebook as JSON: install, bring the files, fetch the model, train, take the result away."""
    files = ["train.jsonl", *(["validation.jsonl"] if training.validation else [])]
    order = ["--backend", "trl", "--method", training.method, "--epochs", str(epochs), "--seed", str(training.seed)]
    order += [word for name, value in options.items() for word in ("--option", f"{name}={value}")]
    command = f'["tune", "start", *data, "--model", base, {_words([*order, "--watch"])}]'
    head = _HEAD.format(
        model=training.base_model,
        job=training.job_id,
        method={"sft": "supervised fine-tuning", "dpo": "direct preference optimisation"}[training.method],
        beside=", with `validation.jsonl` beside it" if training.validation else "",
    )
    cells = [
        _cell("markdown", "about", head),
        _cell("code", "install", _INSTALL),
        _cell("code", "files", _UPLOAD.format(files=json.dumps(files))),
        _cell("code", "model", _MODEL.format(model=_literal(training.base_model))),
        _cell("code", "train", _TRAIN.format(command=command)),
        _cell("code", "result", _RESULT),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "accelerator": "GPU"}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, id: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": id, "metadata": {}, "source": text.splitlines(keepends=True)}
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def _words(words: list[str]) -> str:
    return ", ".join(map(_literal, words))


def _literal(text: str) -> str:
    """The text as Python reads it: JSON's strings are such, where they are ASCII."""
    return json.dumps(text)
