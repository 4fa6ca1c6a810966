"""A whole comparison: a holdout through two arms, measured, told in words, and written as a report."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from persona.adapter import Embedder
from persona.calling.providers import Providers
from persona.evaluation import judge
from persona.evaluation.asking import Asker, checked_prices
from persona.evaluation.compare import chosen, in_words, measure, verdict
from persona.evaluation.form import Form
from persona.evaluation.holdout import Holdout
from persona.evaluation.journal import Journal
from persona.evaluation.likeness import likenesses
from persona.evaluation.metrics import comparable, values_of
from persona.evaluation.purse import Purse
from persona.evaluation.remarks import costs, failures, notes
from persona.evaluation.replay import Played, Replay
from persona.evaluation.scene import LOGGED, Stage
from persona.evaluation.shown import cases
from persona.reports.comparison import page
from persona.routing.routes import Arm
from persona.store.engine import Database
from persona.store.ids import new_id
from persona.values.comparison import Comparison

REPORT, ANSWERS = "report.html", "answers.jsonl"
Say = Callable[[int, int], None]
"""Told how many examples are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared. `out` is the folder for the answers and the report; one of its own below it when it is None.

    `by` is the metric that the verdict is about (the first of the table that was measured, when empty) and `margin` how
    much worse is still no worse. `limit` is in US dollars; `at_once` bounds the calls.
    """

    arms: tuple[Arm, Arm]
    holdout: Holdout
    judge: Arm | None = None
    form: Form | None = None
    by: str = ""
    margin: float = 0.02
    limit: Decimal | None = None
    at_once: int = 4
    seed: int = 0
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class With:
    """What a comparison works with; `database` is None where there is none, and the holdout is a file of its own."""

    providers: Providers
    embedder: Embedder
    database: Database | None
    timeout_s: float
    retries: int


async def compare(asked: Asked, using: With, now_us: int, say: Say = lambda done, total: None) -> Comparison:
    """Plays the holdout and writes the report. Interrupted, the same call goes on and asks nothing twice.

    Raises InvalidInput, StoreError, and what every call would meet (AuthenticationFailed, ModelNotFound …).
    """
    base, other = asked.arms
    if asked.limit is not None:
        asking = [arm for arm in (base, other, asked.judge) if arm and arm.name != LOGGED]
        checked_prices(using.providers, [arm.targets[0] for arm in asking])
    settings = _settings_digest(asked)
    out = asked.out or _folder(asked, settings)
    total = sum(1 for _ in asked.holdout.rows())
    played = await _play(asked, using, out, lambda done: say(done, total))
    whole = [one for one in played if comparable(one)]
    likeness, remarks = await likenesses(using.embedder, whole)
    values = [
        values_of(one, asked.form, similar, judging=asked.judge is not None)
        for one, similar in zip(whole, likeness, strict=True)
    ]
    measured = measure(values, [one.scene.user for one in whole], [one.scene.topic for one in whole], asked.seed)
    main = chosen(asked.by, measured)
    comparison = Comparison(
        id=new_id("evl"),
        route=base.route,
        arms=(base.name, other.name),
        targets=(str(base.targets[0]), str(other.targets[0])),
        dataset=asked.holdout.name,
        dataset_digest=asked.holdout.digest,
        settings_digest=settings,
        by=main.metric,
        margin=asked.margin,
        verdict=verdict(main, asked.margin),
        words=in_words(main, asked.margin, (base.name, other.name)),
        examples=total,
        pairs=len(whole),
        users=len({one.scene.user for one in whole}),
        left_out=sum(one.answers is None and not one.scene.problem for one in played),
        measured=measured,
        failures=failures((base.name, other.name), played),
        costs=costs((base.name, other.name), played, judging=asked.judge is not None),
        notes=(*notes((base.name, other.name), played, asked.limit, ours=asked.holdout.ours), *remarks),
        seed=asked.seed,
        report=str((out / REPORT).absolute()),  # a receipt of an erasure names it, wherever that is read
        created_us=now_us,
    )
    _write(out / REPORT, page(comparison, cases(played, whole, values, main)))
    return comparison


async def _play(asked: Asked, using: With, out: Path, say: Callable[[int], None]) -> list[Played]:
    journal = Journal(out / ANSWERS)
    try:
        stage = Stage(asked.arms, using.providers, using.embedder, using.database, using.timeout_s)
        replay = Replay(
            asked.arms,
            using.providers,
            Asker(using.providers, asked.arms[0].route, using.retries, asked.at_once),
            journal,
            Purse(asked.limit, journal.paid),
            limited=asked.limit is not None,
            judge=asked.judge,
            timeout_s=using.timeout_s,
            say=say,
        )
        return await replay.run(stage.scenes(asked.holdout.rows()), asked.at_once)
    finally:
        journal.close()


def _settings_digest(asked: Asked) -> str:
    """Of all that the arms and the judge are asked by."""
    told = [(*map(str, arm.targets[:1]), repr(arm)) for arm in asked.arms]
    told += [(repr(asked.judge), judge.prompt())] if asked.judge else []
    return sha256(repr(told).encode()).hexdigest()[:24]


def _folder(asked: Asked, settings: str) -> Path:
    """Where the same comparison finds what it did before."""
    base, other = asked.arms
    told = sha256(f"{asked.holdout.digest} {settings}".encode()).hexdigest()[:12]
    return Path("comparisons") / f"{base.route}-{base.name}-{other.name}-{told}"


def _write(path: Path, text: str) -> None:
    """Writes the report, which quotes users, for its owner alone; a reader never sees half of it."""
    beside = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)
