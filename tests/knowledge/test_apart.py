"""Documents are read in a process of their own, which a file that hangs or breaks its reader takes with it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import papers
import pytest
from talking import Desk

from persona.knowledge.apart import Apart
from persona.knowledge.content import content_of
from persona.knowledge.kinds import Kind
from persona.knowledge.unreadable import Unreadable

MOST = 32_000_000


@pytest.fixture
def apart() -> Iterator[Apart]:
    with Apart(30) as apart:
        yield apart


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk


def test_a_document_that_takes_too_long_is_refused_and_the_others_are_taken_in(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    papers.pdf(folder / "a.pdf", ["We open at nine."])
    papers.pdf(folder / "b.pdf", ["x"] * 300_000)  # some kilobytes, and many seconds for what reads it
    papers.pdf(folder / "c.pdf", ["We close at five."])
    docs = desk.open(knowledge={"docs": {"max_file_s": 1.0}}).knowledge("docs")
    report = docs.add(folder)
    assert (report.added, [Path(path).name for path, _ in report.refused]) == (2, ["b.pdf"])
    (problem,) = (one.problem for one in docs.documents() if one.problem)
    assert "cannot be read within 1 seconds" in problem
    assert "raise max_file_s" in problem


@pytest.mark.parametrize("kind", ["pdf", "docx", "html", "markdown"])
def test_what_is_read_there_is_what_is_read_here(apart: Apart, tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / f"paper.{kind}"
    if kind == "pdf":
        papers.pdf(path, ["Opening", "At nine."], ["Closing"], outline=[("Opening", 0)])
    elif kind == "docx":
        papers.word(path, ("Heading 1", "Opening"), ("Normal", "À 9 h."))
    else:
        path.write_text("<h1>Opening</h1><p>À 9 h.</p>" if kind == "html" else "# Opening\n\nAt nine.\n")
    here = content_of(path, kind, path.read_bytes(), MOST)
    assert here[0]
    assert apart.content(path, kind, path.read_bytes(), MOST) == here
    assert apart.content(path, kind, path.read_bytes(), MOST) == here


def test_what_is_wrong_with_a_document_is_said_as_it_is_here(apart: Apart, tmp_path: Path) -> None:
    path = papers.pdf(tmp_path / "secret.pdf", ["Hidden."], password="x")  # noqa: S106 - a file's, not ours
    with pytest.raises(Unreadable) as here:
        content_of(path, "pdf", path.read_bytes(), MOST)
    with pytest.raises(Unreadable) as there:
        apart.content(path, "pdf", path.read_bytes(), MOST)
    assert (str(there.value), there.value.reason) == (str(here.value), here.value.reason)


@pytest.mark.parametrize("program", ["", "/nowhere/python", "/bin/true"])
def test_where_no_python_can_be_started_documents_are_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    path = papers.pdf(tmp_path / "paper.pdf", ["At nine."])
    with Apart(30) as apart:
        for _ in range(2):
            blocks, _ = apart.content(path, "pdf", path.read_bytes(), MOST)
            assert [block.text for block in blocks] == ["At nine."]
    assert caplog.text.count("without a limit on time") == 1
