"""Where an arm stands, which step is next, and what then serves. Pure."""

from collections.abc import Mapping, Sequence

from persona.errors import InvalidInput, NotFound
from persona.values.promotion import ALARM, Promotion, Serving, State, Step

STEPS: tuple[Step, ...] = ("shadow", "canary", "promoted")
_WHOLE = 1 - 1e-6


def state(serving: Serving, arm: str, steps: Sequence[Promotion] = ()) -> State:
    """Where an arm of a route stands: what the settings say, and of an arm that does nothing, whether it once served.

    `steps` are the route's, the newest first.
    """
    last = next((one for one in steps if one.arm == arm), None)
    if share := serving.shares.get(arm, 0.0):
        tried = last is not None and last.step == "canary"
        return "promoted" if share > _WHOLE or (arm == serving.most and not tried) else "canary"
    if serving.shadow == arm:
        return "shadow"
    return "retired" if last and last.step in ("retired", "rolled back") else "candidate"


def ahead(now: State, to: str = "") -> tuple[Step, ...]:
    """The steps from where an arm stands to `to`; just the next one when that is empty.

    Raises InvalidInput when there is nothing ahead.
    """
    if to and to not in STEPS:
        raise InvalidInput(f"there is no step {to!r}", hint=f"--to takes {', '.join(STEPS)}")
    left = STEPS[STEPS.index(now) + 1 :] if now in STEPS else STEPS
    if not left:
        raise InvalidInput("the arm serves the route already", hint="`persona rollback` takes it back")
    if to and to not in left:
        raise InvalidInput(
            f"the arm is at {now!r}, which is not before {to!r}", hint="`persona rollback` takes it back"
        )
    return left[: left.index(to) + 1] if to else left[:1]


def after(serving: Serving, arm: str, step: Step, share: float) -> Serving:
    """What serves after a step. A canary's share is taken from the arm that serves most, and a shadow becomes it."""
    shadow = "" if serving.shadow == arm else serving.shadow
    if step == "shadow":
        return Serving(serving.shares, arm)
    if step == "promoted":
        return Serving({arm: 1.0}, shadow)
    others = {name: part for name, part in serving.shares.items() if name != arm}
    most = max(others, key=lambda name: others[name])
    left = round(others[most] - share + serving.shares.get(arm, 0.0), 9)
    if left <= 0:
        raise InvalidInput(f"{most!r} has no share of {share:g} to give", hint="set a smaller share for the canary")
    return Serving({**others, most: left, arm: share}, shadow)


def before(steps: Sequence[Promotion], serving: Serving) -> Promotion:
    """The step that a rollback goes behind: the first one by which the newest arm came to serve anybody.

    `steps` are the route's, the newest first. Raises NotFound when nobody was promoted since the last rollback.
    """
    found: Promotion | None = None
    for one in steps:
        if one.step == "rolled back" and one.who != ALARM:
            break
        if one.step in ("canary", "promoted"):
            if found and found.arm != one.arm:
                break
            found = one
            if one.step == "canary":
                break
    if found is None or dict(found.before.shares) == dict(serving.shares):
        raise NotFound("nothing was promoted that could be taken back", hint="see `persona routes history`")
    return found


def in_toml(shares: Mapping[str, float]) -> str:
    """Shares as the settings file has them."""
    if len(shares) == 1:
        return f'"{next(iter(shares))}"'
    return "{ " + ", ".join(f"{_key(arm)} = {share:.9g}" for arm, share in shares.items()) + " }"


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else f'"{name}"'
