"""A harvest of a log in a folder, and everything that it wrote."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from persona.harvest.recipe import Selection
from persona.harvest.run import Asked, Progress, harvest
from persona.settings import Settings
from persona.store.engine import Database
from persona.values.harvest import Outcome

LATER = 2_000_000_000_000_000


def settings_of(url: str, **tables: Any) -> Settings:
    """Settings on a database, with a table of harvest and others."""
    return Settings.model_validate({"store": {"url": url}, **tables})


def harvested(
    settings: Settings,
    out: Path,
    *formats: str,
    raw: bool = True,
    chunk_keys: int = 1_000,
    now_us: int = LATER,
    seen: list[Progress] | None = None,
    holdout_us: int = 0,
    anew: bool = False,
    **selection: Any,
) -> Outcome:
    """Harvests the default route."""
    asked = Asked(
        Selection(**{"route": "default", **selection}),
        formats or ("trl",),
        out,
        raw=raw,
        chunk_keys=chunk_keys,
        holdout_us=holdout_us,
        anew=anew,
    )
    database = Database(settings.database_url, busy_timeout_s=10)
    try:
        return harvest(settings, asked, database, now_us, lambda one: seen.append(one) if seen is not None else None)
    finally:
        database.close()


def everything(folder: Path) -> dict[str, str]:
    """Every file below a folder with the digest of its bytes."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(outcome: Outcome) -> list[dict[str, Any]]:
    """The list of all that was looked at."""
    return [json.loads(line) for line in (Path(outcome.path) / "rows.jsonl").read_text(encoding="utf-8").splitlines()]


def examples_of(outcome: Outcome, name: str = "trl") -> list[dict[str, Any]]:
    """The examples in one format, of all sides."""
    files = sorted((Path(outcome.path) / name).iterdir())
    return [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]


def taken(outcome: Outcome) -> dict[str, int]:
    """How many examples each check took out."""
    return {one.name: one.number for one in outcome.funnel.checks if one.number}
