"""Programs that begin at once: forked from a process that has imported persona already, and apart from that processes
like any other, with a folder, an environment, pipes and signals of their own.

To start an interpreter and import persona takes a second of processor time, and proves something once. What is about
that start (what it imports, the locale, `-W`, an installed package) runs `sys.executable` as it is.
"""

import atexit
import multiprocessing as mp
import os
import runpy
import subprocess
import sys
import tempfile
import types
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

import pytest

PERSONA = ("-c", "import sys; from persona.cli import main; sys.argv[0] = 'persona'; main()")
"""The command line, to be followed by its arguments."""

_TESTS = Path(__file__).parent


@cache
def server() -> ForkServerContext:
    """The fork server of this process, which is started with the first use."""
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(["warm"])
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
            patch.setenv(name, "1")  # a process with threads is not to be forked
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (_TESTS, _TESTS.parent, _TESTS.parent / "adapters"))))
        ensure_running()
    return context


class Program:
    """A program that runs: `subprocess.Popen` in small, for `["-c", code, *arguments]` or `[script, *arguments]`.

    What is not told where to read or write does so where the fork server does.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[Any] | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
        start_new_session: bool = False,
    ) -> None:
        self.stdin: IO[str] | None = None
        self.stdout: IO[str] | None = None
        self.stderr: IO[str] | None = None
        its = [self._end(number, given) for number, given in enumerate((stdin, stdout, stderr))]
        wanted = (tuple(command), str(cwd or Path.cwd()), dict(os.environ if env is None else env))
        self._process = server().Process(target=_be, args=(*wanted, its, start_new_session))
        self._process.start()
        self.pid = cast(int, self._process.pid)
        for end in its:
            if end is not None:
                end.close()

    def _end(self, number: int, given: int | IO[Any] | None) -> Connection | None:
        """The child's end of one of its three streams; ours of a pipe becomes a field."""
        if given is None:
            return None
        if given != subprocess.PIPE:
            return Connection(os.dup(given if isinstance(given, int) else given.fileno()))
        reads, writes = os.pipe()
        ours, its, mode = (writes, reads, "w") if number == 0 else (reads, writes, "r")
        setattr(self, ("stdin", "stdout", "stderr")[number], os.fdopen(ours, mode, encoding="utf-8"))
        return Connection(its)

    @property
    def returncode(self) -> int | None:
        """Its exit code; minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """As `returncode`."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end; returns the exit code. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return self.returncode

    def send_signal(self, signal: int) -> None:
        """Sends it a signal."""
        os.kill(self.pid, signal)

    def kill(self) -> None:
        """Kills it, if it still runs."""
        self._process.kill()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Ends its input and reads what it says until it ends, the little of its errors last."""
        if self.stdin:
            self.stdin.close()
        said = [stream.read() if stream else "" for stream in (self.stdout, self.stderr)]
        self.wait(timeout)
        self._close()
        return said[0], said[1]

    def _close(self) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error:
            self.kill()
        self._close()
        self._process.join()


def run(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, input: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, a hundred seconds at most, and says what it wrote: as `subprocess.run` does."""
    with tempfile.TemporaryFile() as typed, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        typed.write(input.encode())
        typed.seek(0)
        with Program(command, cwd=cwd, env=env, stdin=typed, stdout=out, stderr=err) as program:
            try:
                code = program.wait(100)
            finally:
                program.kill()
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode())
    return subprocess.CompletedProcess(list(command), code, *said)


def _be(
    command: tuple[str, ...], folder: str, environment: dict[str, str], its: list[Connection | None], session: bool
) -> None:
    """Becomes the program, in the child."""
    if session:
        os.setsid()
    for number, end in enumerate(its):
        if end is not None:
            os.dup2(end.fileno(), number)
            end.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1 if os.isatty(1) else -1, closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    first, *rest = command
    try:
        if first == "-c":
            sys.argv = [first, *rest[1:]]
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            exec(compile(rest[0], "<string>", "exec"), vars(main))  # noqa: S102 - the test's own code
        else:
            sys.argv = list(command)
            sys.path.insert(0, str(Path(first).parent))
            runpy.run_path(first, run_name="__main__")
    finally:
        atexit._run_exitfuncs()
