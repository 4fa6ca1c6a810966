"""Every block of the README and the docs runs, offline, in a new folder."""

import re
import shlex
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import programs
import pytest

from persona.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def _blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            found.append(Block(page.name, text.count("\n", 0, match.start()) + 1, match[1], match[2]))
    return found


BLOCKS = _blocks()


def _of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def _run(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    strict = "import warnings; warnings.simplefilter('error', ResourceWarning); "
    return programs.run(["-c", strict + code, *arguments], cwd=folder)


def test_every_block_says_its_language_and_is_of_a_kind_that_runs() -> None:
    assert {block.language for block in BLOCKS} <= {"python", "toml", "sh"}
    assert all("```\n" not in block.text for block in BLOCKS)


@pytest.mark.parametrize("block", _of("python"), ids=str)
def test_python_blocks_run(block: Block, tmp_path: Path) -> None:
    (tmp_path / "block.py").write_text(block.text, encoding="utf-8")
    done = _run("import runpy; runpy.run_path('block.py', run_name='__main__')", tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", _of("toml"), ids=str)
def test_toml_blocks_are_valid_settings(block: Block) -> None:
    raw = tomllib.loads(block.text)
    if "project" not in raw:  # a piece of somebody's pyproject.toml
        assert Settings.model_validate(raw)


@pytest.mark.parametrize("block", _of("sh"), ids=str)
def test_shell_blocks_run(block: Block, tmp_path: Path) -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert words[1] in targets  # CI runs them
        elif words[:1] == ["persona"]:
            done = _run(programs.PERSONA[1], tmp_path, *words[1:])
            assert done.returncode == 0, f"{line}\n{done.stderr}"
        else:
            assert words[:2] == ["python", "-m"] or not words, f"nobody runs {line!r}"
