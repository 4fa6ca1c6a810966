"""The documents at the command line: taken in, listed, searched and removed; interrupted, and gone on with."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import papers
import programs
import pytest
from programs import PERSONA, Program
from terminal import Terminal, environment
from typer.testing import CliRunner, Result
from wire import WireServer

from persona.cli.app import app


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("persona.toml").write_text("[knowledge.docs]\n")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["knowledge", *arguments], catch_exceptions=False)


def said(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def read(*arguments: str) -> Any:
    return json.loads(said(*arguments, "--json"))


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    changed_ns = time.time_ns() - 10**12
    os.utime(path, ns=(changed_ns, changed_ns))
    return path


def test_documents_are_added_listed_searched_and_removed() -> None:
    write("d/a.md", "# Hours\n\nOpen at nine.")
    papers.pdf(Path("d/fees.pdf"), ["A parcel costs nine euros."])
    assert said("add", "docs", "d") == "2 added, 0 updated, 0 unchanged, 0 removed, 0 refused\n"
    done = {"added": 0, "updated": 0, "unchanged": 2, "removed": 0, "refused": []}
    assert read("add", "docs", "d") == done
    first, second = said("list", "docs").splitlines()
    assert first.split("\t")[:6] == ["docs", "d/a.md", "a.md", "hand", "1", "22"]
    assert second.split("\t")[:5] == ["docs", "d/fees.pdf", "fees.pdf", "hand", "1"]
    (hit, *_) = read("search", "docs", "How much is a parcel?")
    assert (hit["documents"], hit["page"], hit["text"]) == (["d/fees.pdf"], 1, "A parcel costs nine euros.")
    assert hit["score"] > 0
    why = hit["why"]
    added = ("standing", "dated", "newer")
    assert why.keys() == {"dense", "lexical", "coverage", "holds", "near_dense", "near_lexical", *added}
    made = why["dense"] + why["coverage"] * why["lexical"] + sum(why[name] for name in added)
    assert hit["score"] == pytest.approx(made)
    cells = said("search", "docs", "How much is a parcel?", "--limit", "1").rstrip("\n").split("\t")
    assert cells[1:4] == ["d/fees.pdf", "1", ""]
    assert "words +" in cells[4]
    assert said("remove", "docs", "d/a.md") == "1 removed\n"
    assert read("remove", "docs", "--all") == {"removed": ["d/fees.pdf"]}
    assert said("list") == ""
    assert said("search", "docs", "parcel") == ""


def test_what_is_refused_is_told_with_its_reason_and_kept_in_the_list() -> None:
    write("d/good.md", "Good.")
    Path("d/bad.md").write_bytes(b"\x7fELF\0")
    reason = "is a program; save it as .docx, .pdf, .html, .md or .txt, without a password"
    told = said("add", "docs", "d")
    assert told == f"refused d/bad.md: {reason}\n1 added, 0 updated, 0 unchanged, 0 removed, 1 refused\n"
    (bad, _) = read("list")
    assert (bad["path"], bad["chunks"], bad["problem"]) == ("d/bad.md", 0, reason)
    assert f"\tnever\trefused: {reason}" in said("list", "docs")
    Path("d/good.md").unlink()
    said("add", "docs", "d")  # one is removed
    assert run("add", "docs", "d").exit_code == 1
    assert run("add", "docs", "d", "--json").exit_code == 1


def test_without_a_path_the_files_of_the_settings_are_followed() -> None:
    write("d/a.md", "Named.")
    Path("persona.toml").write_text('[knowledge.docs]\nfiles = ["d/*.md"]\n[knowledge.other]\n')
    assert said("add", "docs").startswith("1 added")
    assert read("list")[0]["origin"] == "settings"
    Path("persona.toml").write_text("")  # which names no knowledge any more
    assert [one["knowledge"] for one in read("list")] == ["docs"]
    assert said("remove", "docs", "--all") == "1 removed\n"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("add", "dosc", "d"), "did you mean 'docs'"),
        (("add", "docs", "absent"), "there is no file 'absent'"),
        (("remove", "docs"), "name a document, or pass --all"),
        (("remove", "docs", "d/a.md", "--all"), "name a document, or pass --all"),
        (("remove", "docs", "absent"), "no document 'absent'"),
        (("search", "docs", " "), "needs a question"),
        (("add", "docs", "d", ""), "a path is empty"),
        (("remove", "docs", ""), "a path is empty"),  # of a variable that is not set, say
        (("list", "dosc"), "no knowledge 'dosc'"),
    ],
)
def test_what_cannot_be_done_is_misuse(arguments: tuple[str, ...], what: str) -> None:
    said("add", "docs", str(write("d/a.md", "x")))
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert what in result.stderr


def test_looking_makes_no_database() -> None:
    for arguments in (("list",), ("list", "docs"), ("search", "docs", "x"), ("remove", "docs", "--all")):
        assert run(*arguments).exit_code == 1
    assert not Path("persona.db").exists()


def test_a_long_run_says_how_far_it_is() -> None:
    for number in range(1_000):
        write(f"d/{number}.md", "The same words.")
    lines = said("add", "docs", "d").splitlines()
    assert lines == ["1,000 of 1,000 files", "1,000 added, 0 updated, 0 unchanged, 0 removed, 0 refused"]


def test_a_person_sees_a_bar_and_then_what_was_done(tmp_path: Path) -> None:
    for number in range(50):
        write(f"d/{number}.md", f"Text {number}.")
    with Terminal(["knowledge", "add", "docs", "d"], tmp_path) as terminal:
        assert "reading" in terminal.until("50 added")
        assert terminal.leave() == 0


def test_an_interrupted_run_says_what_is_done_and_goes_on(tmp_path: Path) -> None:
    with WireServer() as server:
        Path("persona.toml").write_text(
            f'[knowledge.docs]\n[memory]\nembedder = "local:e@8"\n'
            f'[providers.local]\nkind = "openai"\nbase_url = "{server.url}"\n'
        )
        gone = write("d/a.md", "First.")
        said("add", "docs", "d")
        gone.unlink()
        write("d/b.md", "Second.")
        asked = len(server.requests)
        server.hang()
        command = [*PERSONA, "knowledge", "add", "docs", "d"]
        child = Program(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        server.wait_for_requests(asked + 1, timeout_s=30)
        os.kill(child.pid, signal.SIGINT)
        out, err = child.communicate()
        assert (child.returncode, out) == (130, "")
        assert err == "persona: 1 of 2 files are done (1 removed); the same command goes on\n"
        assert said("add", "docs", "d").startswith("1 added")


@pytest.mark.parametrize("command", ["add", "list", "remove", "search"])
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    shown = said(command, "--help")
    assert f"Example: persona knowledge {command}" in shown
    assert "--json" in shown


def test_nothing_that_reads_documents_is_loaded_before_one_comes(tmp_path: Path) -> None:
    code = (
        "import sys; from persona import Assistant; a = Assistant.open(); a.__enter__(); a.knowledge('x'); a.close(); "
        "print([name for name in ('pypdf', 'docx', 'lxml', 'selectolax') if name in sys.modules])"
    )
    assert programs.run(["-c", code], cwd=tmp_path, env=environment()).stdout == "[]\n"
