"""Tuning runs. A row is written before the backend is asked, so that whatever it began is found again.

Whoever asks a backend to start a run holds the job's lease meanwhile; its end is also its token. A finished job stays
as it ended: of several watchers the first one's word counts.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, not_, or_, select, update

from persona.store.codec import storable
from persona.store.statements import insert_into, param, table
from persona.store.tables import JobRow
from persona.store.transaction import Statement, Transaction
from persona.values.tuning import FINISHED, Estimate, Job, Progress, Training

_HOUR_US = 3_600_000_000
_jobs = table(JobRow)
_j = _jobs.c
_FIELDS = tuple(field.name for field in fields(Job))
_CODECS: Mapping[str, TypeAdapter[Any]] = {
    "training": TypeAdapter(Training),
    "estimate": TypeAdapter(Estimate),
    "progress": TypeAdapter(Progress | None),
}
_finished = or_(*(_j.state == state for state in FINISHED))
_unfinished = not_(_finished)
_is_it = _j.id == param("which")
_holds_lease = (_is_it, _j.state == "starting", _j.lease_until_us == param("token"))

_INSERT = insert_into(JobRow)
_COLUMNS = select(*(_j[name] for name in _FIELDS))
_FIND = Statement(_COLUMNS.where(_is_it))
_NEWEST = Statement(_COLUMNS.order_by(_j.id.desc()).limit(param("most")))
_LEFT = Statement(_COLUMNS.where(_finished, _j.cleaned_us == 0).order_by(_j.id))
_CLAIM = Statement(
    update(_jobs)
    .where(_is_it, _j.state == "starting", _j.lease_until_us <= param("now_us"))
    .values(lease_until_us=param("until_us"))
)
_RENEW = Statement(update(_jobs).where(*_holds_lease).values(lease_until_us=param("until_us")))
_WAIT = Statement(update(_jobs).where(*_holds_lease).values(lease_until_us=0, problem=param("why")))
_REFUSE = Statement(
    update(_jobs)
    .where(*_holds_lease)
    .values(state=param("became"), problem=param("why"), ended_us=param("now_us"), lease_until_us=0)
)
_REOPEN = Statement(
    update(_jobs)
    .where(_is_it, or_(_j.state == "failed", _j.state == "cancelled"), _j.cleaned_us == 0)
    .values(
        state="starting",
        training=param("asked"),
        lease_until_us=param("until_us"),
        **{"ending": "", "problem": "", "ended_us": 0, "expires_us": 0},
    )
)
_START = Statement(
    update(_jobs)
    .where(_is_it, _j.state == "starting")
    .values(state="queued", handle=param("run"), problem="", lease_until_us=0)
)
_FOLLOW = Statement(
    update(_jobs)
    .where(_is_it, _unfinished, _j.checked_us < param("now_us"))
    .values(
        state=param("became"),
        progress=param("said"),
        problem=param("why"),
        checked_us=param("now_us"),
        ended_us=param("ended"),
        expires_us=param("expires"),
    )
)
_END = Statement(update(_jobs).where(_is_it, _unfinished, _j.ending == param("was")).values(ending=param("becomes")))
_KEEP = Statement(
    update(_jobs).where(_is_it, _j.cleaned_us == 0).values(keep_hours=param("hours"), expires_us=param("until_us"))
)
_CLEAN = Statement(update(_jobs).where(_is_it, _finished).values(cleaned_us=param("now_us")))


def add(tx: Transaction, job: Job, lease_until_us: int) -> None:
    """Writes a job down, under the lease of whoever is about to ask the backend."""
    coded = {name: codec.dump_json(getattr(job, name)).decode() for name, codec in _CODECS.items()}
    plain = {name: value for name, value in asdict(job).items() if name not in _CODECS}
    tx.run(_INSERT, {**plain, **coded, "lease_until_us": lease_until_us})


def find(tx: Transaction, id: str) -> Job | None:
    """One job, or None."""
    row = tx.one(_FIND, {"which": id})
    return _job(row) if row else None


def newest(tx: Transaction, most: int) -> list[Job]:
    """The last jobs, the newest first."""
    return [_job(row) for row in tx.all(_NEWEST, {"most": most})]


def left(tx: Transaction) -> list[Job]:
    """The jobs that have ended and were not cleaned, the oldest first."""
    return [_job(row) for row in tx.all(_LEFT, {})]


def claim(tx: Transaction, id: str, now_us: int, until_us: int) -> bool:
    """Takes the lease on a job that is still to be started. False where somebody holds it, or it was started."""
    return bool(tx.run(_CLAIM, {"which": id, "now_us": now_us, "until_us": until_us}))


def renew(tx: Transaction, id: str, token: int, until_us: int) -> bool:
    """Prolongs the lease that ends at `token`. False when it was lost."""
    return bool(tx.run(_RENEW, {"which": id, "token": token, "until_us": until_us}))


def reopen(tx: Transaction, id: str, training: Training, until_us: int) -> bool:
    """Takes up a job again that has failed or was cancelled, under a lease. False for any other, and a cleaned one."""
    asked = _CODECS["training"].dump_json(training).decode()
    return bool(tx.run(_REOPEN, {"which": id, "asked": asked, "until_us": until_us}))


def wait(tx: Transaction, id: str, token: int, problem: str) -> None:
    """Gives the lease back: the backend could not be asked, and somebody is to try again."""
    tx.run(_WAIT, {"which": id, "token": token, "why": storable(problem)})


def end_unstarted(tx: Transaction, id: str, token: int, now_us: int, problem: str = "") -> bool:
    """Ends a job that no backend has: failed with its problem, or cancelled without one. False when it was started."""
    became = "failed" if problem else "cancelled"
    told = {"which": id, "token": token, "became": became, "why": storable(problem), "now_us": now_us}
    return bool(tx.run(_REFUSE, told))


def start(tx: Transaction, id: str, handle: str) -> bool:
    """Keeps the handle of a run that the backend has. False when somebody kept one before."""
    return bool(tx.run(_START, {"which": id, "run": handle}))


def follow(tx: Transaction, job: Job, progress: Progress, now_us: int) -> bool:
    """Keeps what the backend said at `now_us`. False when the job had ended, or something newer is known."""
    ended = now_us if progress.state in FINISHED else 0
    told = {
        "which": job.id,
        "became": progress.state,
        "said": _CODECS["progress"].dump_json(progress).decode(),
        "why": storable(progress.problem),
        "now_us": now_us,
        "ended": ended,
        "expires": expiry(job.keep_hours, ended),
    }
    return bool(tx.run(_FOLLOW, told))


def expiry(keep_hours: float | None, ended_us: int) -> int:
    """When what a job left is cleaned; 0 for never, or not yet."""
    return ended_us + round(keep_hours * _HOUR_US) if ended_us and keep_hours is not None else 0


def ask_to_end(tx: Transaction, id: str) -> bool:
    """Writes down that a job is to end, before its backend is told. False when that was done, or it has ended."""
    return bool(tx.run(_END, {"which": id, "was": "", "becomes": "asked"}))


def told_to_end(tx: Transaction, id: str) -> None:
    """Writes down that the backend was told."""
    tx.run(_END, {"which": id, "was": "asked", "becomes": "told"})


def keep(tx: Transaction, job: Job, keep_hours: float | None, now_us: int) -> bool:
    """Keeps what a job leaves for so many hours, from now on where it has ended; None for ever. False when cleaned."""
    until_us = expiry(keep_hours, now_us if job.finished else 0)
    return bool(tx.run(_KEEP, {"which": job.id, "hours": keep_hours, "until_us": until_us}))


def cleaned(tx: Transaction, id: str, now_us: int) -> None:
    """Writes down that nothing of a job is left at its backend."""
    tx.run(_CLEAN, {"which": id, "now_us": now_us})


def _job(row: Row[Any] | tuple[Any, ...]) -> Job:
    told = dict(zip(_FIELDS, row, strict=True))
    for name, codec in _CODECS.items():
        told[name] = codec.validate_json(told[name])
    return Job(**told)
