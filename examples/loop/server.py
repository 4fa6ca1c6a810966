"""`transformers serve`, for as long as a block lasts."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QUIET = {
    "OMP_NUM_THREADS": "1",  # more threads than cores that are free are many times slower
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_LONGEST_S, _GLANCE_S = 10, 0.1


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serves every model under `folder` by its path from there, and any other by its whole path; yields the address.

    A model is loaded when somebody first asks it. The server is gone when the block ends, however it ends.
    """
    port = _free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", "--device", "cpu"]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  the server of this environment
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env={**os.environ, **QUIET},
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us: we end it
        )
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise RuntimeError(f"the server ended: see {folder / 'serve.log'}")
            time.sleep(_GLANCE_S)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(_LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            return True
    except OSError:
        return False
