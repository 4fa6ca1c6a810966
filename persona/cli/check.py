"""`persona check`: what is wrong with a training file, and how to mend it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import FAILED, aside, show, show_json, show_table
from persona.cli.progress import progress

if TYPE_CHECKING:
    from persona.adapter import DatasetFormat
    from persona.harvest.formats.check import CheckReport, FileReport

_SHOWN = 20
_LOSS = {"weights": "marked replies", "last": "the last reply", "every": "every reply"}

Format = Annotated[
    str | None,
    typer.Option("--format", metavar="FORMAT", help="The form of its rows.", show_default="told by its first rows"),
]


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The training file: JSONL, JSON, CSV or text, or .gz.")],
    validation: Annotated[
        Path | None, typer.Argument(metavar="[VALIDATION]", help="The file for validation that goes with it.")
    ] = None,
    form: Format = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="TARGET", help="Count tokens as this provider:model does, up to its context."),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Check a training file: its rows, their length, its size and number against the limits, and duplicates.

    Prints the line, the reason and how to mend it; a row with an error would be refused or mistrained.
    Exit code 0 when there is no error, 1 when there is one.
    """
    from persona.assistant.datasets import check_files

    paths = [file, *([validation] if validation else [])]
    with progress("checking") as advance:
        report, alike = check_files(paths, form, model, read_settings(config), say=lambda rows: advance(rows, None))
    if json:
        show_json(_for_machines(report))
    else:
        _show(report, alike)
    if not report.clean:
        raise typer.Exit(FAILED)


def formats(json: Json = False) -> None:
    """List the formats of training files: what their rows teach, what is trained on, and what their consumers take."""
    from persona.harvest.formats import available

    found = available().values()
    if json:
        facts = ("name", "shape", "container", "also", "loss")
        show_json([{**{key: getattr(one, key) for key in facts}, "limits": asdict(one.limits)} for one in found])
        return
    headers = ("format", "teaches", "file", "trains on", "examples", "tokens", "file up to", "read on")
    show_table(headers, [_format_row(one) for one in found])


def _format_row(one: "DatasetFormat") -> tuple[str, ...]:
    limits = one.limits
    least, most = limits.min_examples, limits.max_examples
    examples = (
        f"{least:,} to {most:,}" if least and most else f"from {least:,}" if least else f"to {most:,}" if most else ""
    )
    return (
        *(one.name, one.shape, one.container, _LOSS[one.loss], examples),
        f"{limits.max_tokens:,}" if limits.max_tokens else "",
        _size(limits.max_bytes) if limits.max_bytes else "",
        limits.checked,
    )


def _show(report: "CheckReport", alike: tuple[str, ...]) -> None:
    for file in report.files:
        show(_summary(file, report.format))
    if alike:
        aside(f"its rows fit {', '.join(alike)} as well: --format names one")
    if report.problems:
        show("")
        several = len(report.files) > 1
        rows = [
            (
                *((one.file,) if several else ()),
                str(one.line) if one.line else "file",
                "error" if one.problem.error else "warning",
                f"{one.problem.reason}{f' ({one.problem.where})' if one.problem.where else ''}",
            )
            for one in report.problems[:_SHOWN]
        ]
        headers = (*(("file",) if several else ()), "line", "kind", "what is wrong")
        show_table(headers, rows, {"error": "red", "warning": "yellow"})
        show("")
        hints = {one.problem.reason: one.problem.hint for one in report.problems}
        counted = [
            (f"{number:,}", reason, hints.get(reason, ""))
            for reason, number in (*report.errors.items(), *report.warnings.items())
        ]
        show_table(("times", "what is wrong", "mend it so"), counted)
        show("")
    if report.limits.source:
        aside(f"limits: {report.limits.source} (read {report.limits.checked})")
    show(f"{report.files[0].good:,} good rows: {report.advice}")
    errors, warnings = sum(report.errors.values()), sum(report.warnings.values())
    show(f"{errors:,} errors, {warnings:,} warnings" if errors or warnings else "clean")


def _summary(file: "FileReport", form: str) -> str:
    said = f"{file.name}: {file.rows:,} rows of {form}, {_size(file.size)}"
    if file.tokens is None:
        return said
    one = file.tokens
    limit = f" of {one.limit:,}" if one.limit else ""
    about = "" if one.counted == file.good else "about "
    return (
        f"{said}, {about}{one.total:,} tokens ({one.label}, {one.counter}); a row has {one.median:,}, "
        f"95 % up to {one.p95:,}, the longest {one.longest:,}{limit}"
    )


def _size(number: int) -> str:
    for unit, name in ((1024**3, "GB"), (1024**2, "MB")):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number / 1024:,.1f} kB"


def _for_machines(report: "CheckReport") -> dict[str, Any]:
    problems = [{"file": one.file, "line": one.line, **asdict(one.problem)} for one in report.problems]
    return {**asdict(report), "problems": problems, "clean": report.clean}
