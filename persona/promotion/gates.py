"""What must hold before an arm takes a step: reasons in words, none when it may. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from persona.values.promotion import Evidence, Step


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of an arm that is to take a step.

    `base` is the arm that serves most now, and `targets` are the base's and the arm's by the settings. `held` is
    the arm that the route is held on; `users` talked on the canary, and `needed` must have. `alarm` is what is clear of
    it by now. `retired` is the ISO day on which the model was shut down, empty when it was not.
    """

    route: str
    base: str
    arm: str
    step: Step
    targets: tuple[str, str]
    evidence: Evidence | None
    held: str = ""
    users: int = 0
    needed: int = 0
    alarm: str = ""
    retired: str = ""


def reasons(case: Case) -> tuple[str, ...]:
    """Why the arm may not take the step, each in a person's words; empty when it may."""
    return tuple(reason for gate in GATES if (reason := gate(case)))


def _compared(case: Case) -> str:
    found = case.evidence
    if found is None:
        return (
            f"{case.arm!r} was not compared with {case.base!r}, which serves now: "
            f"`persona compare {case.route} --arms {case.base},{case.arm} --on …` does"
        )
    if found.targets != case.targets:
        then, now = (" and ".join(pair) for pair in (found.targets, case.targets))
        return f"{found.id} compared {then}, but the arms are {now} now: compare them again"
    return ""


def _better(case: Case) -> str:
    """A win, or no worse than the comparison's margin and cheaper."""
    found = case.evidence
    if found is None or found.verdict == "better" or (found.verdict == "not worse" and found.cheaper):
        return ""
    if found.verdict != "not worse":
        return f"{found.id}: {found.words}"
    base, other = found.costs
    if base is None or other is None:
        return f"{found.id}: {found.words}, and whether it is cheaper is unknown"
    return f"{found.id}: {found.words}, and it is not cheaper (${other} instead of ${base} for the same examples)"


def _not_held(case: Case) -> str:
    if not case.held or case.step == "shadow":
        return ""
    return (
        f"the route is held on {case.held!r}, so the settings would do nothing: "
        f"`persona routes release {case.route}` lets them serve"
    )


def _lives(case: Case) -> str:
    return f"{case.targets[1]} was shut down on {case.retired}" if case.retired else ""


def _tried(case: Case) -> str:
    if case.step != "promoted" or case.users >= case.needed:
        return ""
    return f"as a canary it served {case.users} users, and {case.needed} are needed: wait, or lower canary.users"


def _well(case: Case) -> str:
    return f"as a canary {case.alarm}" if case.alarm and case.step == "promoted" else ""


GATES: tuple[Callable[[Case], str], ...] = (_lives, _compared, _better, _not_held, _tried, _well)
