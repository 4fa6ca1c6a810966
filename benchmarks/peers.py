"""Peers, in environments of their own: `.venv-bench` and `.venv-bench-*`, made on first use and kept.

Where one cannot be made (no network), its peers' rows are left out and a note says so.
"""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.figures import Row, Timing, row

ROOT = Path(__file__).parents[1]
PACKAGES: dict[str, tuple[str, ...]] = {
    "bench": (
        "langchain-core==1.7.2",
        "langchain-community==0.4.2",  # its FAISS store
        "faiss-cpu==1.15.1",
        "openai-agents==0.24.0",
        "pydantic-ai-slim[openai]==2.68.0",
        "numpy>=2",
        "tiktoken>=0.14",
    ),
    "bench-memory": (
        "langchain-core==1.7.2",
        "langgraph-checkpoint==4.3.2",  # LangGraph's stores
        "llama-index-core==0.14.25",
        "mem0ai==2.2.1",
        "numpy>=2",
    ),
    "bench-litellm": ("litellm==1.106.2",),  # apart from the others: it needs openai<3
}
NOT_INSTALLED = "peer not installed, or did not run: .venv-bench could not be filled (no network?), or see above"
_INSTALL_S, _RUN_S = 300, 300


@cache
def python(name: str = "bench") -> Path | None:
    """The interpreter of one of the peers' environments, or None when they are not installed and cannot be."""
    venv, packages = ROOT / f".venv-{name}", PACKAGES[name]
    interpreter, stamp = venv / "bin" / "python", venv / ".filled"
    if stamp.is_file() and stamp.read_text() == "\n".join(packages):
        return interpreter
    print(f"installing the peers into {venv.name} …", file=sys.stderr)
    try:
        for command in _commands(venv, packages):
            subprocess.run(command, check=True, timeout=_INSTALL_S, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return None
    stamp.write_text("\n".join(packages))
    return interpreter


def ask(script: str, *arguments: str, environment: str = "bench") -> dict[str, Any] | None:
    """What a peer's script of this folder prints as JSON; None when it did not run."""
    interpreter = python(environment)
    if interpreter is None:
        return None
    try:
        done = subprocess.run(
            [str(interpreter), "-m", f"benchmarks.{script}", *arguments],
            check=True,
            timeout=_RUN_S,
            capture_output=True,
            cwd=ROOT,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        print(f"{script} did not run: {said.decode()[-300:] or error}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def peer_row(what: str, found: dict[str, Any] | None, key: str) -> list[Row]:
    """The peer's timing under `key` as a row; none when it did not run."""
    return [row(what, Timing(**found[key]), "peer")] if found else []


def _commands(venv: Path, packages: tuple[str, ...]) -> list[list[str]]:
    uv, interpreter = shutil.which("uv"), venv / "bin" / "python"
    if uv:
        made = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(venv)]
        return [made, [uv, "pip", "install", "--quiet", "--python", str(interpreter), *packages]]
    install = [
        str(interpreter),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries",
        "1",
        *packages,
    ]
    return [[sys.executable, "-m", "venv", str(venv)], install]
