"""The programs of the tests: forked with persona imported, and otherwise processes like any other."""

import signal
import subprocess
from pathlib import Path

import programs
import pytest


def test_a_program_begins_with_persona_imported_and_nothing_opened() -> None:
    code = "import sys, threading; print('persona.cli.app' in sys.modules, threading.active_count())"
    done = programs.run(["-c", code])
    assert (done.returncode, done.stdout, done.stderr) == (0, "True 1\n", "")


def test_a_program_has_a_folder_arguments_and_an_environment_of_its_own(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), sys.argv, dict(os.environ), input())"
    done = programs.run(["-c", code, "a", "b"], cwd=tmp_path, env={"NAME": "zoé"}, input="déjà\n")
    assert done.stdout == f"{tmp_path} ['-c', 'a', 'b'] {{'NAME': 'zoé'}} déjà\n"


def test_a_script_finds_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("word = 'found'")
    (tmp_path / "script.py").write_text("import beside_it, sys\nprint(beside_it.word, __name__)\nsys.exit(3)")
    done = programs.run([str(tmp_path / "script.py")])
    assert (done.returncode, done.stdout) == (3, "found __main__\n")


def test_a_program_that_fails_says_why() -> None:
    done = programs.run(["-c", "raise ValueError('no')"])
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "ValueError: no")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 1)])
def test_a_program_can_be_killed_and_interrupted(sent: signal.Signals, code: int) -> None:
    pipe = subprocess.PIPE
    script = "import signal; print('here', flush=True); signal.pause()"
    with programs.Program(["-c", script], stdout=pipe, stderr=pipe) as program:
        assert program.stdout
        assert program.stdout.readline() == "here\n"
        assert program.poll() is None
        program.send_signal(sent)
        _, err = program.communicate()
        assert (program.returncode, "KeyboardInterrupt" in err) == (code, sent == signal.SIGINT)
