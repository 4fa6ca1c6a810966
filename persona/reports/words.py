"""Numbers, rules and settings of a dataset in words, the same ones on its page and on its card."""

from collections.abc import Iterator, Mapping, Sequence

from persona.values.time import from_us, iso_day

_TABLES = {"settings": "harvest"}  # as persona.toml calls it
_UNTOLD = ("users", "tenants")  # names that are nobody's business on a page
_UNSET = "–"
_FOR_EVER_US = 2**60


def count(number: int, noun: str) -> str:
    """A number of things: "1 example", "2,000 examples"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def share(part: float, whole: float) -> str:
    """A share for people: "12 %", "3.4 %"; what is there is never 0 %, and what is left out never all."""
    if not whole or not part:
        return "0 %"
    of = 100 * part / whole
    if of < 0.1:
        return "<0.1 %"
    if part < whole and of > 99.9:
        return ">99.9 %"
    return f"{of:.1f} %" if of < 10 else f"{of:.0f} %"


def split_rule(settings: Mapping[str, object]) -> str:
    """How it was decided on which side an example is."""
    holdout = settings.get("holdout_us")
    by_hash = "every user is on one side, by a hash of who they are, so that nobody moves when the log grows."
    if isinstance(holdout, int) and holdout:
        return f"What was said from {iso_day(holdout)} on is the test; of the rest {by_hash}"
    return by_hash[0].upper() + by_hash[1:]


def told_settings(told: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    """The settings of a dataset one by one, each with its value; who is chosen by name stays untold."""
    for name, value in told.items():
        if isinstance(value, Mapping):
            yield from told_settings(value, f"{before}{_TABLES.get(name, name)}.")
        else:
            yield f"{before}{name}", _worded(name, value)


def _worded(name: str, value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        if name in _UNTOLD and value:
            return f"{len(value)} named"
        return ", ".join(map(str, value)) or _UNSET
    if name.endswith("_us") and isinstance(value, int):
        return from_us(value).isoformat() if 0 < value < _FOR_EVER_US else _UNSET
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _UNSET if value in (None, "") else str(value)
