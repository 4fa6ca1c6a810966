"""The command `persona`: it parses, calls one function of the face, and prints."""

import sys


def main() -> None:
    """Runs the command line. Exit codes: 0 done, 1 failed, 2 misuse, 130 interrupted."""
    from persona.cli.app import app

    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # a locale without UTF-8 must neither stop a reply nor turn half a character into an error
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # what replaces a stream here has it too
    app(prog_name="persona")
