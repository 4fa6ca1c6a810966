"""`persona knowledge`: the documents that routes may show."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.ask import as_text
from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import FAILED, aside, on_terminal, show, show_json, show_table
from persona.cli.progress import Advance, progress
from persona.cli.words import moment, why_it_came, why_json
from persona.errors import MisuseError, PersonaError
from persona.reports.spans import one_line

if TYPE_CHECKING:
    from persona.settings import Settings
    from persona.values.document import DocumentChange, DocumentEntry, KnowledgeHit, KnowledgeReport

_LINE_EVERY = 1_000  # files, where no bar can be seen
_SHOWN = 300  # characters of a piece

Name = Annotated[str, typer.Argument(metavar="NAME", help="The knowledge, by its name in the settings.")]


def add(
    name: Name,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Files and folders; none: those of the settings.")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Take in documents: text, Markdown, HTML, PDF and Word, with all that is in a folder.

    New and changed files are indexed, and those that are not there any more are forgotten. A file that cannot be read
    is listed with its reason. Interrupted, the same command goes on where it was.
    """
    settings = read_settings(config)
    seen: list[DocumentChange] = []
    with _going_on(seen), progress("reading") as advance:
        report = asyncio.run(_add(settings, name, paths, _say(seen, advance, quiet=json)))
    if json:
        show_json({**asdict(report), "refused": [{"path": path, "reason": why} for path, why in report.refused]})
    else:
        for path, why in report.refused:
            show(f"refused {one_line(path)}: {one_line(why)}")
        show(_summary(report))
    if report.refused and not (report.added or report.updated or report.unchanged or report.removed):
        raise typer.Exit(FAILED)


def documents(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this knowledge.")] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the documents with what is kept of them, and those that were refused with the reason."""
    found = asyncio.run(_documents(read_settings(config), name))
    if json:
        show_json([{"knowledge": base, **asdict(one)} for base, one in found])
    elif found:
        headers = ("knowledge", "path", "title", "from", "chunks", "bytes", "indexed", "remark")
        show_table(headers, [_row(base, one) for base, one in found])
    else:
        aside("there are no documents: persona knowledge add NAME PATH")


def remove(
    name: Name,
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", help="Files, or folders of them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Forget documents. The files stay where they are, and those that the settings name come back."""
    if bool(paths) == every:
        raise MisuseError("name a document, or pass --all", hint=f"`persona knowledge list {name}` lists them")
    removed = asyncio.run(_remove(read_settings(config), name, None if every else paths))
    if json:
        show_json({"removed": list(removed)})
    else:
        show(f"{len(removed)} removed")


def search(
    name: Name,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What is asked, in a user's words.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="Most pieces that are shown.")] = 5,
    json: Json = False,
    config: Config = None,
) -> None:
    """Show the pieces that a question would bring back, and why."""
    found = asyncio.run(_search(read_settings(config), name, as_text(question), limit))
    if json:
        show_json([_hit_json(one) for one in found])
    elif found:
        show_table(("score", "document", "page", "heading", "why", "text"), [_hit_row(one) for one in found])
    else:
        aside("nothing is near enough")


async def _add(
    settings: "Settings", name: str, paths: Sequence[str] | None, say: "Callable[[DocumentChange], None]"
) -> "KnowledgeReport":
    from persona.assistant import operator

    async with operator.knowledge(settings, name, make=True) as base:
        return await (base.add(paths, on_file=say) if paths else base.follow(on_file=say))


async def _documents(settings: "Settings", name: str | None) -> "list[tuple[str, DocumentEntry]]":
    from persona.assistant import operator

    found = []
    for one in operator.knowledge_bases(settings) if name is None else [name]:
        async with operator.knowledge(settings, one) as base:
            found += [(one, entry) for entry in await base.documents()]
    return found


async def _remove(settings: "Settings", name: str, paths: Sequence[str] | None) -> tuple[str, ...]:
    from persona.assistant import operator

    async with operator.knowledge(settings, name) as base:
        return await base.remove(paths)


async def _search(settings: "Settings", name: str, question: str, limit: int) -> "tuple[KnowledgeHit, ...]":
    from persona.assistant import operator

    async with operator.knowledge(settings, name) as base:
        return await base.search(question, limit)


def _say(seen: "list[DocumentChange]", advance: Advance, *, quiet: bool) -> "Callable[[DocumentChange], None]":
    """Follows a run: a bar on a terminal, else a line now and then."""
    plain = not quiet and not sys.stderr.isatty()

    def say(one: "DocumentChange") -> None:
        seen.append(one)
        advance(one.done, one.total)
        if plain and one.done % _LINE_EVERY == 0:
            show(f"{one.done:,} of {one.total:,} files")

    return say


@contextmanager
def _going_on(seen: "list[DocumentChange]") -> Iterator[None]:
    """Says how far a run came that was interrupted or failed, and how to go on."""
    try:
        yield
    except (KeyboardInterrupt, PersonaError):
        if seen:
            counts = Counter(one.outcome for one in seen)
            said = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items())
            sys.stderr.write(
                f"persona: {len(seen):,} of {seen[-1].total:,} files are done ({said}); the same command goes on\n"
            )
            sys.stderr.flush()
        raise


def _summary(report: "KnowledgeReport") -> str:
    done = f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} unchanged"
    return f"{done}, {report.removed:,} removed, {len(report.refused):,} refused"


def _row(base: str, one: "DocumentEntry") -> tuple[str, ...]:
    indexed = moment(one.indexed_us) if one.indexed_us else "never"
    remark = f"refused: {one.problem}" if one.problem else one.remark
    return base, one.path, one.title, one.origin, f"{one.chunks:,}", f"{one.size:,}", indexed, remark


def _hit_row(one: "KnowledgeHit") -> tuple[str, ...]:
    hit, source = one.recalled, one.recalled.source
    text = one_line(hit.text)
    cut = f"{text[:_SHOWN]}…" if len(text) > _SHOWN and on_terminal() else text
    return f"{hit.score:.2f}", ", ".join(one.paths), str(source.page or ""), source.heading, why_it_came(hit), cut


def _hit_json(one: "KnowledgeHit") -> dict[str, object]:
    hit, source = one.recalled, one.recalled.source
    place = {"documents": one.paths, "title": source.title, "heading": source.heading, "page": source.page}
    return {"id": hit.id, "score": hit.score, **place, "text": hit.text, "why": why_json(hit)}
