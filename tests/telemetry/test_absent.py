"""Switched off, or not installed: no module of OpenTelemetry is loaded, and turns go on."""

import subprocess
from pathlib import Path

import programs

TURN = """
import logging, sys
logging.basicConfig(level="WARNING")
{before}
import persona
from persona import Assistant, Settings
settings = Settings.model_validate({{"store": {{"url": "sqlite:///{folder}/p.db"}}, "telemetry": {{"on": {on}}}}})
with Assistant.open(settings, environment={{}}) as assistant:
    print(assistant.user("ada").conversation().send("Hello!").text)
print([name for name in sys.modules if name.partition(".")[0] == "opentelemetry" and sys.modules[name]])
"""


def turn(folder: Path, on: bool, before: str = "") -> subprocess.CompletedProcess[str]:
    script = TURN.format(folder=folder, on=on, before=before)
    return programs.run(["-c", script])


def test_switched_off_a_turn_loads_nothing_of_it(tmp_path: Path) -> None:
    ran = turn(tmp_path, on=False)
    assert ran.stdout.splitlines()[-1] == "[]"
    assert ran.stderr == ""


def test_without_the_package_a_warning_says_what_to_install_and_turns_go_on(tmp_path: Path) -> None:
    ran = turn(tmp_path, on=True, before="sys.modules['opentelemetry'] = None")
    said, loaded = ran.stdout.splitlines()
    assert said
    assert loaded == "[]"
    assert ran.stderr.count("pip install 'pypersona[telemetry]'") == 1
