"""A stranger's adapter, installed by pip without a network, is found and used like the built-in ones."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from persona.adapter import Adapter, discover

HERE = Path(__file__).parent
PACKAGE = HERE / "persona_parrot"
PAGE = HERE.parents[1] / "docs" / "adapters.md"
SETTINGS = '[routes.default]\ntarget = "parrot:polly"\n'
TURN = """
import json
from persona import Assistant
from persona.adapter import discover
found = sorted(discover())
with Assistant.open("persona.toml") as assistant:
    chat = assistant.user("ada").conversation()
    with chat.stream("pieces of eight, pieces of eight") as turn:
        pieces = [event.text for event in turn]
    plan = chat.why(turn.reply.id)
print(json.dumps([found, pieces, turn.reply.text, turn.reply.target, plan.counter, plan.label]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the parrot in it, as pip leaves it."""
    target = tmp_path_factory.mktemp("site")
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return target


def _run(script: str, folder: Path, site: Path | None) -> subprocess.CompletedProcess[str]:
    (folder / "persona.toml").write_text(SETTINGS, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(site) if site else ""}
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_an_installed_adapter_is_discovered_and_answers(installed: Path, tmp_path: Path) -> None:
    done = _run(TURN, tmp_path, installed)
    assert done.returncode == 0, done.stderr
    found, pieces, text, target, counter, label = json.loads(done.stdout)
    assert {"embedded", "openai", "parrot"} <= set(found)
    assert len(pieces) == 6
    assert text.strip() == "pieces of eight, pieces of eight"
    assert target == "parrot:polly"
    assert (counter, label) == ("parrot-bytes", "exact")


def test_without_it_the_error_names_what_is_installed(tmp_path: Path) -> None:
    done = _run(TURN, tmp_path, None)
    assert done.returncode != 0
    found = ", ".join(sorted(discover().keys() - {"parrot"}))
    assert f"AdapterMissing: no adapter named 'parrot' is installed (found: {found})" in done.stderr


def test_the_guide_shows_this_very_package() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert (PACKAGE / "persona_parrot" / "__init__.py").read_text(encoding="utf-8") in page
    assert (PACKAGE / "pyproject.toml").read_text(encoding="utf-8") in page


def test_the_guide_lists_every_extension_point() -> None:
    page = PAGE.read_text(encoding="utf-8")
    listed = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert listed == [field.name for field in fields(Adapter)]
