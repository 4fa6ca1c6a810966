"""A knowledge base follows its files: what is indexed, what is passed over, what goes, and what one bad file stops."""

import asyncio
import inspect
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import papers
import pytest
from memory_rows import TinyEmbedder
from numpy.typing import NDArray
from talking import Desk, settings

from persona import Assistant, AsyncAssistant, NotFound, Overloaded, SettingsError
from persona.adapter import Adapter
from persona.assistant.knowledge import AsyncKnowledge, Knowledge
from persona.errors import InvalidInput
from persona.testing import ScriptedModel
from persona.values.document import DocumentChange, KnowledgeReport

YEAR_S = 31_536_000


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk


def base(desk: Desk, **knowledge: Any) -> Knowledge:
    return desk.open(knowledge={"docs": knowledge}).knowledge("docs")


def write(path: Path, text: str, age_s: int = YEAR_S) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    changed_ns = time.time_ns() - age_s * 10**9
    os.utime(path, ns=(changed_ns, changed_ns))
    return path


def counts(report: KnowledgeReport) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed, len(report.refused)


def kept(found: Knowledge) -> dict[str, int]:
    return {Path(one.path).name: one.chunks for one in found.documents()}


def texts(desk: Desk) -> list[str]:
    return [row["text"] for row in desk.log.rows("SELECT text FROM persona_memories WHERE NOT deleted ORDER BY text")]


def test_a_folder_is_taken_in_followed_and_left(desk: Desk, tmp_path: Path) -> None:
    docs, folder = base(desk), tmp_path / "manuals"
    write(folder / "a.md", "# Hours\n\nOpen at nine.")
    papers.pdf(folder / "deep" / "b.pdf", ["Fees are low."])
    assert counts(docs.add(folder)) == (2, 0, 0, 0, 0)
    assert counts(docs.add([folder, folder / "a.md"])) == (0, 0, 2, 0, 0)
    write(folder / "a.md", "# Hours\n\nOpen at ten.", age_s=9)
    (folder / "deep" / "b.pdf").unlink()
    write(folder / "c.md", "New.")
    assert counts(docs.add(folder)) == (1, 1, 0, 1, 0)
    assert texts(desk) == ["New.", "Open at ten."]
    assert [Path(path).name for path in docs.remove(folder / "a.md")] == ["a.md"]
    shutil.rmtree(folder)
    assert counts(docs.add(folder)) == (0, 0, 0, 1, 0)
    assert docs.documents() == ()
    assert texts(desk) == []


def test_what_a_search_finds_names_its_documents_heading_and_page(desk: Desk, tmp_path: Path) -> None:
    docs = base(desk)
    papers.pdf(tmp_path / "d" / "fees.pdf", ["Welcome."], ["A parcel costs nine euros."], outline=[("Fees", 1)])
    write(tmp_path / "d" / "a.md", "# Fees\n\nA parcel costs nine euros.")
    docs.add(tmp_path / "d")
    hit = docs.search("How much is a parcel?")[0]
    source = hit.recalled.source
    assert (source.title, source.heading, source.page) == ("a.md", "Fees", 0)  # the first by its path
    assert [Path(path).name for path in hit.paths] == ["a.md", "fees.pdf"]
    docs.remove(tmp_path / "d" / "a.md")
    source = docs.search("How much is a parcel?")[0].recalled.source
    assert (source.title, source.heading, source.page) == ("fees.pdf", "Fees", 2)
    with pytest.raises(InvalidInput):
        docs.search("  ")


def test_the_same_text_is_one_memory(desk: Desk, tmp_path: Path) -> None:
    docs = base(desk)
    for name in ("a.md", "b.md", "c.txt"):
        write(tmp_path / "d" / name, "The same words.")
    assert counts(docs.add(tmp_path / "d")) == (3, 0, 0, 0, 0)
    assert texts(desk) == ["The same words."]
    assert kept(docs) == {"a.md": 1, "b.md": 1, "c.txt": 1}
    docs.remove([tmp_path / "d" / "a.md", tmp_path / "d" / "b.md"])
    assert texts(desk) == ["The same words."]
    docs.remove()
    assert texts(desk) == []


def test_only_what_changed_in_a_file_is_embedded_again(tmp_path: Path) -> None:
    asyncio.run(_embeds_what_changed(tmp_path))


async def _embeds_what_changed(folder: Path) -> None:
    embedder = TinyEmbedder()
    async with _with(embedder, folder) as assistant:
        docs = assistant.knowledge("docs")
        parts = [f"# Part {number}\n\nText {number}." for number in range(9)]
        path = write(folder / "d" / "a.md", "\n\n".join(parts))
        await docs.add(path)
        assert sum(embedder.batches) == 9
        write(path, "\n\n".join([*parts[:8], "# Part 8\n\nOther."]), age_s=5)
        await docs.add(path)
        assert sum(embedder.batches) == 10


def test_a_remote_embedder_is_asked_in_batches_and_again_when_it_is_busy(tmp_path: Path) -> None:
    asyncio.run(_embeds_in_batches(tmp_path))


class Far:
    """A tiny embedder behind a network, which is busy when it is asked for the second time."""

    name = "far-1"
    dimension = TinyEmbedder.dimension
    batch_size = 4

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def embed_remotely(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(len(texts))
        if len(self.asked) == 2:
            raise Overloaded("busy")
        return TinyEmbedder().embed(texts)

    async def close(self) -> None: ...


async def _embeds_in_batches(folder: Path) -> None:
    far = Far()
    async with _with(far, folder) as assistant:
        for number in range(10):
            write(folder / "d" / f"{number}.md", f"Text {number}.")
        report = await assistant.knowledge("docs").add(folder / "d")
    assert counts(report) == (10, 0, 0, 0, 0)
    assert far.asked == [4, 4, 4, 2]


def _with(embedder: object, folder: Path) -> AsyncAssistant:
    adapter = Adapter("tiny", embed=lambda provider, model: embedder, needs_key=False)  # type: ignore[arg-type,return-value]
    chosen = settings(folder, knowledge={"docs": {}}, memory={"embedder": "tiny:any"})
    return AsyncAssistant.open(chosen, adapters=[adapter, ScriptedModel().adapter])


def test_one_bad_file_stops_nothing_and_is_listed_with_its_reason(desk: Desk, tmp_path: Path) -> None:
    docs, folder = base(desk), tmp_path / "d"
    write(folder / "good.md", "Good.")
    papers.pdf(folder / "secret.pdf", ["Hidden."], password="x")  # noqa: S106 - a file's, not ours
    (folder / "program.md").write_bytes(b"\x7fELF\0")
    (folder / "latin.txt").write_bytes("été".encode("cp1252"))
    (folder / "out.md").symlink_to(tmp_path / "persona.db")
    os.mkfifo(folder / "pipe.txt")
    report = docs.add(folder)
    assert counts(report) == (2, 0, 0, 0, 4)
    problems = {Path(one.path).name: (one.problem or one.remark).partition(";")[0] for one in docs.documents()}
    assert problems == {
        "good.md": "",
        "latin.txt": "is not UTF-8: read as Windows-1252",
        "out.md": "is a link that leads out of the folder",
        "pipe.txt": "is not a regular file",
        "program.md": "is a program",
        "secret.pdf": "is a PDF with a password",
    }
    assert {Path(path).name for path, _ in report.refused} == {"out.md", "pipe.txt", "program.md", "secret.pdf"}
    papers.pdf(folder / "secret.pdf", ["No more."])
    assert counts(docs.add(folder)) == (1, 0, 2, 0, 3)
    assert [one.problem for one in docs.documents() if one.path.endswith("secret.pdf")] == [""]


def test_a_problem_goes_when_what_had_it_is_no_file_any_more(desk: Desk, tmp_path: Path) -> None:
    docs, folder = base(desk), tmp_path / "d"
    write(tmp_path / "elsewhere" / "a.md", "Elsewhere.")
    folder.mkdir()
    (folder / "sub").symlink_to(tmp_path / "elsewhere")
    assert counts(docs.add(folder)) == (0, 0, 0, 0, 1)
    (folder / "sub").unlink()
    write(folder / "sub" / "b.md", "Here.")
    assert counts(docs.add(folder)) == (1, 0, 0, 1, 0)
    assert kept(docs) == {"b.md": 1}


def test_what_was_read_before_a_file_broke_stays_with_the_problem(desk: Desk, tmp_path: Path) -> None:
    docs = base(desk)
    path = write(tmp_path / "d" / "a.md", "Still true.")
    docs.add(path)
    before = path.stat()
    path.write_bytes(b"\0")
    docs.add(path)
    (entry,) = docs.documents()
    assert (entry.chunks, entry.problem.partition(";")[0]) == (1, "is not text (it holds a zero byte)")
    assert texts(desk) == ["Still true."]
    path.write_text("Still true.")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert counts(docs.add(path)) == (0, 0, 1, 0, 0)
    assert docs.documents()[0].problem == ""


def test_a_file_over_the_limit_of_the_settings_is_refused(desk: Desk, tmp_path: Path) -> None:
    docs = base(desk, max_file_mb=1)
    report = docs.add(write(tmp_path / "server.log", "line\n" * 300_000))
    assert [why.partition(";")[0] for _, why in report.refused] == ["is too large (1.5 MB, and max_file_mb is 1)"]


def test_a_change_that_keeps_size_and_time_is_seen_while_the_time_is_fresh(desk: Desk, tmp_path: Path) -> None:
    docs = base(desk)
    path = write(tmp_path / "a.md", "one", age_s=0)
    docs.add(path)
    before = path.stat()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert counts(docs.add(path)) == (0, 1, 0, 0, 0)


def test_a_file_that_was_only_touched_is_compared_by_its_hash(desk: Desk, tmp_path: Path) -> None:
    docs = base(desk)
    path = write(tmp_path / "a.md", "one")
    docs.add(path)
    indexed = docs.documents()[0]
    write(path, "one", age_s=60)
    assert counts(docs.add(path)) == (0, 0, 1, 0, 0)
    touched = docs.documents()[0]
    assert touched.indexed_us == indexed.indexed_us
    assert touched.mtime_ns > indexed.mtime_ns


def test_files_that_come_and_go_while_a_folder_is_read_stop_nothing(desk: Desk, tmp_path: Path) -> None:
    docs, folder = base(desk), tmp_path / "d"
    for number in range(600):  # more than are read at once
        write(folder / f"{number:03}.md", f"Text {number}.")

    def meddle(one: DocumentChange) -> None:
        (folder / "599.md").unlink(missing_ok=True)
        (folder / "598.md").write_bytes(b"\0")

    assert counts(docs.add(folder, on_file=meddle)) == (598, 0, 0, 0, 1)
    assert counts(docs.add(folder)) == (0, 0, 598, 0, 1)


class Enough(Exception):
    """Somebody pressed Ctrl-C."""


def test_what_was_interrupted_goes_on_where_it_was(desk: Desk, tmp_path: Path) -> None:
    docs, seen = base(desk), list[DocumentChange]()
    for number in range(30):
        write(tmp_path / "d" / f"{number:02}.md", f"Text {number}.")

    def stop(one: DocumentChange) -> None:
        seen.append(one)
        if one.done == 12:
            raise Enough

    with pytest.raises(Enough):
        docs.add(tmp_path / "d", on_file=stop)
    assert [(one.outcome, one.total) for one in seen] == [("added", 30)] * 12
    assert len(docs.documents()) == 12
    assert counts(docs.add(tmp_path / "d")) == (18, 0, 12, 0, 0)


# the files of the settings, and those added by hand


def test_what_was_added_by_hand_outlives_what_the_settings_name(desk: Desk, tmp_path: Path) -> None:
    write(tmp_path / "named" / "a.md", "Named.")
    write(tmp_path / "named" / "b.md", "Named and added.")
    by_hand = write(tmp_path / "hand.md", "By hand.")
    docs = base(desk, files=[str(tmp_path / "named" / "*.md")])
    docs.add([by_hand, tmp_path / "named" / "b.md"])
    origins = {Path(one.path).name: one.origin for one in docs.documents()}
    assert origins == {"a.md": "settings", "b.md": "hand", "hand.md": "hand"}
    docs = base(desk)  # whose settings name no file
    assert sorted(kept(docs)) == ["b.md", "hand.md"]
    assert counts(docs.follow()) == (0, 0, 0, 0, 0)


def test_settings_that_name_a_file_no_more_forget_it(desk: Desk, tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        write(tmp_path / "named" / name, name)
    base(desk, files=[str(tmp_path / "named" / "*.md")])
    assert sorted(kept(base(desk, files=[str(tmp_path / "named" / "a.md")]))) == ["a.md"]


def test_opening_goes_on_when_a_file_of_the_settings_cannot_be_read(desk: Desk, tmp_path: Path) -> None:
    write(tmp_path / "named" / "a.md", "Good.")
    (tmp_path / "named" / "b.md").write_bytes(b"\0")
    docs = base(desk, files=[str(tmp_path / "named" / "*")])
    assert {name: chunks for name, chunks in kept(docs).items()} == {"a.md": 1, "b.md": 0}


def test_what_is_unknown_is_refused_before_anything_is_done(desk: Desk, tmp_path: Path) -> None:
    docs = base(desk)
    path = write(tmp_path / "a.md", "x")
    with pytest.raises(InvalidInput, match="there is no file"):
        docs.add([path, tmp_path / "absent.md"])
    assert docs.documents() == ()
    docs.add(path)
    with pytest.raises(NotFound, match=r"no document .*absent\.md"):
        docs.remove([path, tmp_path / "absent.md"])
    assert len(docs.documents()) == 1
    others = desk.open(knowledge={"docs": {}}).knowledge("dosc")
    with pytest.raises(SettingsError, match="did you mean 'docs'"):
        others.add(path)
    for look in (others.documents, lambda: others.search("x")):
        with pytest.raises(NotFound):
            look()


@pytest.mark.parametrize("none", ["", None, 7, b"a.md", ["a.md", ""], [None]])
def test_what_is_no_path_names_nothing_and_never_the_working_folder(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, none: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    docs = base(desk)
    docs.add(write(tmp_path / "a.md", "x"))
    calls = (docs.add, docs.remove) if none is not None else (docs.add,)  # remove(None) is all of them
    for call in calls:
        with pytest.raises(InvalidInput, match="a path is empty, or no path"):
            call(none)
    assert len(docs.documents()) == 1


def test_an_empty_base_finds_nothing(desk: Desk) -> None:
    assert base(desk).search("anything") == ()


def test_two_that_add_the_same_at_once_agree(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    for number in range(40):
        write(folder / f"{number}.md", f"Text {number % 20}.")
    asyncio.run(_twice(lambda: settings(tmp_path, knowledge={"docs": {}}), folder))
    docs = base(desk)
    assert len(docs.documents()) == 40
    assert len(texts(desk)) == 20


async def _twice(chosen: Callable[[], Any], folder: Path) -> None:
    adapters = [ScriptedModel().adapter]
    async with (
        AsyncAssistant.open(chosen(), adapters=adapters) as one,
        AsyncAssistant.open(chosen(), adapters=adapters) as other,
    ):
        await asyncio.gather(one.knowledge("docs").add(folder), other.knowledge("docs").add(folder))


@pytest.mark.parametrize("name", [name for name in vars(AsyncKnowledge) if not name.startswith("_")])
def test_the_sync_class_offers_the_same(name: str) -> None:
    one, other = getattr(AsyncKnowledge, name), getattr(Knowledge, name)
    assert inspect.getdoc(one) == inspect.getdoc(other)
    if callable(one):
        parameters = [inspect.signature(member).parameters for member in (one, other)]
        assert list(parameters[0].values()) == list(parameters[1].values())
    assert {member for member in vars(Knowledge) if not member.startswith("_")} == {
        member for member in vars(AsyncKnowledge) if not member.startswith("_")
    }


def test_the_assistant_hands_it_out(desk: Desk) -> None:
    assistant: Assistant = desk.open(knowledge={"docs": {}})
    assert assistant.knowledge("docs").name == "docs"
