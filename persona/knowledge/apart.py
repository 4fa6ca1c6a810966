"""Reads documents in a process of its own, which ends when one takes too long: a file can be made to hang its reader.

The two speak lines of JSON; the bytes of a document follow the line that asks for it.
"""

import faulthandler
import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from persona.knowledge.blocks import Block
from persona.knowledge.content import Content, content_of
from persona.knowledge.kinds import Kind
from persona.knowledge.unreadable import Unreadable

log = logging.getLogger("persona.knowledge")

_READY = b"ready\n"
_SIMPLE: tuple[Kind, ...] = ("text", "markdown")  # read here: in one pass, by code of our own


class Apart:
    """One process for one document after the other, started for the first; for one thread at a time.

    Where no Python can be started, as inside a server that is no Python itself, documents are read in this process.
    """

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._process: subprocess.Popen[bytes] | None = None
        self._able = True

    def content(self, path: Path, kind: Kind, raw: bytes, most_bytes: int) -> Content:
        """What `content_of` gives or raises. Raises Unreadable for a document that takes more than `most_s` seconds."""
        if kind in _SIMPLE or not self._started():
            return content_of(path, kind, raw, most_bytes)
        answer = self._ask({"path": str(path), "kind": kind, "most": most_bytes, "size": len(raw)}, raw)
        if answer is None:
            self.close()
            what = f"cannot be read within {self._most_s:g} seconds, or breaks what reads it"
            raise Unreadable(path, what, "cut it into parts, or raise max_file_s of its knowledge")
        if "what" in answer:
            raise Unreadable(path, answer["what"], answer["hint"])
        return tuple(Block(*one) for one in answer["blocks"]), answer["remark"]

    def close(self) -> None:
        """Ends the process, in whatever it is doing."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.communicate()

    def _started(self) -> bool:
        if self._process is None and self._able:
            path = os.pathsep.join(one or os.getcwd() for one in sys.path)
            code = "import sys; from persona.knowledge.apart import serve; serve(float(sys.argv[1]))"
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this Python, and our own words
                    [sys.executable, "-P", "-c", code, str(self._most_s)],
                    env={**os.environ, "PYTHONPATH": path},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            except OSError:
                self._able = False
            else:
                self._able = _output(self._process).readline() == _READY
            if not self._able:
                self.close()
                log.warning("no Python could be started to read documents in: they are read without a limit on time")
        return self._able

    def _ask(self, asked: dict[str, Any], raw: bytes) -> dict[str, Any] | None:
        """The answer, or None when the process ended over it."""
        process = self._process
        if process is None or process.stdin is None:
            return None
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n" + raw)
            process.stdin.flush()
        except OSError:
            return None
        line = _output(process).readline()
        answer: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(most_s: float) -> None:
    """In the process of its own: answers until nobody asks any more, or one document has taken `most_s` seconds."""
    answers, asked = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    os.dup2(2, 1)  # what a library prints is no answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asked, and who ends this process
    answers.write(_READY)
    answers.flush()
    with open(os.devnull, "w") as nowhere:
        while line := asked.readline():
            request = json.loads(line)
            raw = asked.read(request["size"])
            # ends the process from a thread that needs no lock of Python's: code in C that hangs cannot hold it up
            faulthandler.dump_traceback_later(most_s, exit=True, file=nowhere)
            answer = _answer(Path(request["path"]), request["kind"], raw, request["most"])
            faulthandler.cancel_dump_traceback_later()
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()


def _answer(path: Path, kind: Kind, raw: bytes, most_bytes: int) -> dict[str, Any]:
    try:
        found, remark = content_of(path, kind, raw, most_bytes)
    except Unreadable as error:
        return {"what": error.what, "hint": error.hint}
    return {"blocks": [astuple(block) for block in found], "remark": remark}


def _output(process: subprocess.Popen[bytes]) -> BinaryIO:
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    return process.stdout  # type: ignore[return-value]  # a buffered reader, which typeshed calls IO[bytes]
