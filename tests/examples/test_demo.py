"""The demo plays in a process of its own, as `make demo` runs it; its claims are read off its output."""

import os
import pty
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import programs
import pytest
from wire import Answer, WireServer

from persona import Assistant
from persona.settings import load
from persona.window.estimate import estimate_tokens

DEMO = Path(__file__).parents[2] / "examples" / "demo"
TARGET, BASE_URL = "PERSONA_ROUTES__SUPPORT__TARGET", "PERSONA_PROVIDERS__LOCAL__BASE_URL"


def _environment(**variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", **variables}


def _play(folder: Path, demo: Path = DEMO, /, **variables: str) -> subprocess.CompletedProcess[str]:
    return programs.run([str(demo / "run.py")], cwd=folder, env=_environment(**variables))


def _flat(done: subprocess.CompletedProcess[str]) -> str:
    """The output with its lines joined, since the terminal's width breaks them anywhere."""
    assert done.returncode == 0, done.stdout + done.stderr
    return " ".join(done.stdout.split())


@dataclass(frozen=True, slots=True)
class Played:
    """One run of the demo in a wide terminal, and the folder that it wrote into: to be read, not changed."""

    folder: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo")
    return Played(folder, _play(folder, COLUMNS="200"))


def test_demo_shows_memory_isolation_and_the_window(played: Played) -> None:
    output = _flat(played.done)
    assert "embedded:extractive-1 is talking: an extractive responder, not a language model" in output
    assert output.count("Le bureau de poste ouvre à 9 h et ferme à 18 h") == 2
    assert re.search(r"Vous m'avez dit le \d+\w* \w+ \d{4} : « Pour les livraisons, je préfère le samedi matin", output)
    assert "I found nothing about that." in output
    assert "not one of them is in any of Ben's 4 windows" in output
    assert re.search(r"history overflowed: it now starts at message \d+", output)
    assert output.count("✓") == 10
    assert f"the next run starts afresh: {played.folder / 'demo-data' / 'persona.db'}" in output


def test_demo_fits_eighty_columns_and_prints_no_escapes_into_a_pipe(played: Played) -> None:
    lines = played.done.stdout.splitlines()
    assert max(len(line) for line in lines if not line.startswith(("$ ", str(played.folder)))) <= 80  # those are copied
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_demo_is_coloured_in_a_terminal_unless_told_otherwise(tmp_path: Path, no_color: str, coloured: bool) -> None:
    ours, its = pty.openpty()
    environment = _environment(TERM="xterm-256color", NO_COLOR=no_color)
    with programs.Program([str(DEMO / "run.py")], cwd=tmp_path, env=environment, stdout=its, stderr=its) as process:
        os.close(its)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        os.close(ours)
        assert process.wait(30) == 0, shown.decode()
    assert bool(re.search(rb"\x1b\[[\d;]*(38|48);5;", shown)) is coloured


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # Linux says so when the other side has closed
        return b""


def test_demo_may_be_repeated_and_starts_afresh(tmp_path: Path) -> None:
    first, second = (re.sub(r"\w{3}_\w+|\d+\.\d\d", "", _play(tmp_path).stdout) for _ in range(2))
    assert first == second  # but for ids, and for scores, which depend on what was indexed a moment ago


def test_demo_leaves_a_database_that_the_printed_commands_can_open(played: Played) -> None:
    output = _flat(played.done)
    exported = dict(re.findall(r"\$ export (\w+)=(\S+)", output))
    settings = load(DEMO / "persona.toml", exported)
    assert settings.database_url == f"sqlite:///{played.folder / 'demo-data' / 'persona.db'}"
    with Assistant.open(settings, environment={}) as assistant:
        ada = assistant.user("ada")
        assert [one.id for one in ada.conversations()] == ["ada-2", "ada-1"]
        reply = re.search(r"persona why (msg_\w+)", output)
        assert reply
        assert ada.conversation("ada-2").why(reply[1]).section("recall").tokens > 0


def test_what_to_type_next_runs_as_it_is_printed(tmp_path: Path) -> None:
    lines = _play(tmp_path).stdout.splitlines()
    script = "\n".join(line.removeprefix("$ ") for line in lines if line.startswith("$ "))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=tmp_path,
        env=_environment(PATH=path),
        input="Quand est-ce que je préfère les livraisons ?\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "je préfère le samedi matin" in done.stdout  # persona chat
    assert "tokens unchanged since the last request" in done.stdout  # persona why
    assert "ada-1" in done.stdout  # persona conversations


def test_no_memory_of_ada_is_a_candidate_in_any_plan_of_ben(played: Played) -> None:
    _flat(played.done)
    url = f"sqlite:///{played.folder / 'demo-data' / 'persona.db'}"
    settings = load(DEMO / "persona.toml", {"PERSONA_STORE__URL": url})
    with Assistant.open(settings, environment={}) as assistant:
        seen = {name: _candidates(assistant, name) for name in ("ada", "ben")}
        told = {message.id for message in assistant.user("ada").conversation("ada-1").messages()}
        facts = {fact.id for fact in assistant.user("ada").facts()}
    assert seen["ada"] & told
    assert facts <= seen["ada"]
    assert not seen["ben"] & (told | facts)


def test_the_isolation_check_can_fail(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    shutil.copytree(DEMO, demo)
    _change(demo / "run.py", {'assistant.user("ben")': 'assistant.user("ada")'})
    done = _play(tmp_path, demo)
    assert done.returncode == 1
    assert 'error: AssertionError: the demo claims "isolation' in done.stderr


def _candidates(assistant: Assistant, name: str) -> set[str]:
    user, seen = assistant.user(name), set()
    for entry in user.conversations():
        chat = user.conversation(entry.id)
        for message in chat.messages():
            if message.role == "assistant":
                seen |= {one.id for section in chat.why(message.id).sections for one in section.candidates}
    return seen


@pytest.mark.parametrize("seed", range(3))
def test_answers_follow_when_the_facts_are_changed(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    opens, closes = dice.choice([7, 8, 10, 11]), dice.choice([13, 15, 17, 19])
    day = dice.choice(["lundi", "mardi", "mercredi", "jeudi", "vendredi"])
    half, place, number = (
        dice.choice(["matin", "après-midi"]),
        dice.choice(["Skye", "Oban", "Mull"]),
        dice.randint(8, 99),
    )
    demo = tmp_path / "demo"
    shutil.copytree(DEMO, demo)
    _change(demo / "knowledge" / "post-office.md", {"à 9 h ": f"à {opens} h ", "à 18 h": f"à {closes} h"})
    _change(demo / "knowledge" / "post-office.md", {"at 9:00": f"at {opens}:00", "at 18:00": f"at {closes}:00"})
    _change(demo / "story.toml", {"samedi matin": f"{day} {half}", "Whitby, number 7": f"{place}, number {number}"})
    output = _flat(_play(tmp_path, demo))
    assert (
        output.count(
            f"D'après post-office.md (Le bureau de poste de Saint-Malo > Horaires) : « Le bureau de poste "
            f"ouvre à {opens} h et ferme à {closes} h"
        )
        == 2
    )
    assert f"“The post office opens at {opens}:00 and closes at {closes}:00" in output
    assert re.search(rf"Vous m'avez dit le [^«]* : « Pour les livraisons, je préfère le {day} {half}", output)
    assert re.search(
        rf"You told me on [^“]*: “My parcels wait for me in the harbour locker at {place}, number {number}", output
    )
    assert "I found nothing about that." in output
    assert "Whitby" not in output


def _change(file: Path, changes: dict[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def test_the_same_demo_talks_to_a_local_server(tmp_path: Path) -> None:
    with WireServer() as server:
        server.answer = _reading
        output = _flat(_play(tmp_path, **{TARGET: "local:small-model", BASE_URL: server.url}))
        bodies = server.bodies
    assert "local:small-model is talking" in output
    assert "extractive" not in output
    assert output.count("✓") == 10
    assert len(bodies) == output.count("I have read") + _dictated(output)
    assert {body["model"] for body in bodies} == {"small-model"}
    mine = [str(body["messages"]) for body in bodies]
    assert sum("harbour locker" in one for one in mine) >= 2  # Ben's, in his two conversations
    assert not any("harbour locker" in one and "Kestrel" in one for one in mine)
    assert any("Quand est-ce que je préfère" in one and "samedi matin" in one for one in mine)


def _reading(body: Any) -> Answer:
    """A short answer from a server that reports what it read, about as we count it."""
    tokens = sum(4 + estimate_tokens(message["content"]) for message in body["messages"])
    usage = {"prompt_tokens": tokens, "completion_tokens": 6, "total_tokens": tokens + 6}
    return Answer(pieces=(f"I have read {len(body['messages'])} messages.",), usage=usage)


def _dictated(output: str) -> int:
    found = re.search(r"(\d+) messages later, all of it still fits", output)
    assert found
    return int(found[1]) + 1


def test_a_key_in_the_environment_has_the_hosted_model_talk(tmp_path: Path) -> None:
    moved = {
        "OPENAI_API_KEY": "sk-demo",
        "PERSONA_PROVIDERS__OPENAI__KEY_ENV": "OPENAI_API_KEY",  # base_url alone would say: no key
    }
    with WireServer() as server:
        server.answer = _reading
        output = _flat(_play(tmp_path, **moved, PERSONA_PROVIDERS__OPENAI__BASE_URL=server.url))
        assert {request.headers["authorization"] for request in server.requests} == {"Bearer sk-demo"}
        (model,) = {body["model"] for body in server.bodies}
    assert f"openai:{model} is talking" in output
    assert f"$ export {TARGET}=openai:{model}" in output
    assert "sk-demo" not in output


def test_a_provider_that_refuses_ends_the_demo_with_a_clear_error(tmp_path: Path) -> None:
    with WireServer() as server:
        server.fail(401, code="invalid_api_key")
        done = _play(tmp_path, **{TARGET: "local:small-model", BASE_URL: server.url})
    assert done.returncode == 1
    assert done.stderr.startswith("error: AuthenticationFailed: ")
    assert "Traceback" not in done.stderr


def test_a_provider_that_is_not_there_ends_the_demo_with_a_clear_error(tmp_path: Path) -> None:
    with WireServer() as server:
        gone = server.url
    done = _play(tmp_path, **{TARGET: "local:small-model", BASE_URL: gone})
    assert done.returncode == 1
    assert "error: ConnectionFailed: " in done.stderr
    assert "Traceback" not in done.stderr


def test_help_says_how_to_have_another_model_talk(tmp_path: Path) -> None:
    command = [sys.executable, str(DEMO / "run.py"), "--help"]
    done = subprocess.run(
        command, cwd=tmp_path, env=_environment(), capture_output=True, text=True, timeout=60, check=True
    )
    assert all(name in done.stdout for name in ("OPENAI_API_KEY", TARGET, BASE_URL))
    assert not list(tmp_path.iterdir())
