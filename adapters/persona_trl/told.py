"""What the lines of a run's progress amount to."""

from collections.abc import Iterable, Iterator

from persona.values.tuning import Checkpoint, JobState, LossPoint, Progress
from persona_trl.job import Job, Line


def progress(job: Job, alive: bool | None = None) -> Progress:
    """What there is to say of a run now, read from its folder; `alive` where the caller knows it."""
    if alive is None:
        alive = job.is_training()  # asked first: what a process said before it ended is there once it is gone
    lines = _current(job.said())
    ended = next((line for line in reversed(lines) if line["event"] == "ended"), {})
    checkpoints = tuple(_checkpoints(lines, job))
    points = tuple(_points(lines))
    state, problem = _state(job, alive, lines, ended)
    if state == "failed" and (step := job.last_checkpoint()):
        problem += f"; started again, it goes on from step {step}"
    return Progress(
        state=state,
        step=max((point.step for point in points), default=0),
        total_steps=_last(lines, "total", "steps"),
        points=points,
        checkpoints=checkpoints,
        trained_tokens=_last(lines, "tokens", "count"),
        tuned_model=ended.get("tuned_model", ""),
        problem=problem,
        notes=tuple(line["text"] for line in lines if line["event"] == "note"),
    )


def _state(job: Job, alive: bool, lines: list[Line], ended: Line) -> tuple[JobState, str]:
    if not job.folder.is_dir():
        return "failed", f"its folder {job.folder} is gone"
    if ended and not alive:
        return ended["state"], ended.get("problem", "")
    if alive:
        return ("running" if lines else "queued"), ""
    if job.asked_to_end.exists():
        return "cancelled", ""
    return "failed", f"its process ended without a word (killed, or out of memory: see {job.log})"


def _current(said: Iterable[Line]) -> list[Line]:
    """The lines that still hold: a resumption takes back what came after its checkpoint, and how it ended."""
    lines: list[Line] = []
    for line in said:
        if line["event"] == "begun":
            lines = [kept for kept in lines if _is_before(kept, line["step"])]
        lines.append(line)
    return lines


def _is_before(line: Line, step: int) -> bool:
    return line["event"] in ("loss", "checkpoint") and line["step"] <= step


def _points(lines: Iterable[Line]) -> Iterator[LossPoint]:
    found: dict[int, LossPoint] = {}
    for line in lines:
        if line["event"] != "loss":
            continue
        known = found.get(line["step"], LossPoint(line["step"]))
        found[line["step"]] = LossPoint(
            line["step"], line.get("training", known.training), line.get("validation", known.validation)
        )
    return (found[step] for step in sorted(found))


def _checkpoints(lines: Iterable[Line], job: Job) -> Iterator[Checkpoint]:
    """Those that are still there: a run keeps only a few."""
    for line in lines:
        if line["event"] == "checkpoint" and (folder := job.checkpoint(line["step"])).is_dir():
            yield Checkpoint(line["step"], str(folder), line.get("validation"))


def _last(lines: list[Line], event: str, key: str) -> int | None:
    return next((line[key] for line in reversed(lines) if line["event"] == event), None)
