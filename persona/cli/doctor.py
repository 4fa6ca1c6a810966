"""`persona doctor`: what could keep an assistant from answering."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from persona.cli.opening import settings_path
from persona.cli.options import Config, Json
from persona.cli.output import FAILED, on_terminal, show, show_json, show_table
from persona.reports.spans import one_line

if TYPE_CHECKING:
    from persona.assistant.doctor.findings import Finding

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(json: Json = False, config: Config = None) -> None:
    """Check the installation, the settings, the database and the models, without using the network.

    Exits with 1 when anything fails. A key's variable is named, and its value never shown.
    """
    from persona.assistant.doctor.examine import examine

    found = examine(settings_path(config), os.environ, datetime.now(UTC).date())
    failures = sum(one.state == "fail" for one in found)
    if json:
        show_json({"failed": failures, "findings": [asdict(one) for one in found]})
    elif on_terminal():
        rows = [(one.state, one.topic, f"{one.found}{f' -> {one.advice}' * bool(one.advice)}") for one in found]
        show_table(("", "what", "found"), rows, _STYLES)
        show(_verdict(found))
    else:
        for one in found:
            show(f"{one.state:<5} {one.topic}: {one_line(one.found)}{f' -> {one.advice}' * bool(one.advice)}")
    if failures:
        raise typer.Exit(FAILED)


def _verdict(found: "tuple[Finding, ...]") -> str:
    failures = sum(one.state == "fail" for one in found)
    warnings = sum(one.state == "warn" for one in found)
    if failures:
        return f"\n{failures} of {len(found)} failed"
    return f"\nall is well{f', with {warnings} to look at' if warnings else ''}"
