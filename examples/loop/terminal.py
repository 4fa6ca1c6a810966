"""What the demo shows: its steps with the time, its claims, and the commands that it runs as a user types them."""

import re
import shlex
import subprocess
import sys
import time

_begun = time.monotonic()


def step(title: str) -> None:
    """Begins a step."""
    print(f"\n[{time.monotonic() - _begun:3.0f} s] {title}", flush=True)


def note(text: str) -> None:
    """Says something about what happens."""
    print(f"  {text}", flush=True)


def checked(what: str, holds: bool) -> None:
    """A claim of the demo, verified. Raises AssertionError where it does not hold."""
    if not holds:
        raise AssertionError(f"the demo claims {what!r}, and it is not so")
    print(f"  ✓ {what}", flush=True)


def persona(*arguments: str, refused: bool = False) -> str:
    """Runs a command as it is printed, shows what it says, and returns that.

    Raises AssertionError when it fails; when it is to be refused, where it does not.
    """
    typed = shlex.join(["persona", *arguments])
    print(f"$ {typed}", flush=True)
    said = []
    with subprocess.Popen(  # noqa: S603  our own command, in this environment
        [sys.executable, "-c", "from persona.cli import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            for line in process.stdout or ():
                note(line.rstrip().replace("\t", "  "))
                said.append(line)
        except BaseException:  # we are ended, and it goes with us
            process.terminate()
            raise
    if process.returncode != int(refused):
        raise AssertionError(f"{typed} ended with {process.returncode}")
    return "".join(said)


def found(pattern: str, text: str) -> str:
    """What a pattern finds in what a command said: its group, where it is the last time."""
    return str(re.findall(pattern, text, re.MULTILINE)[-1])
