"""What providers were seen to count, per target and counter."""

from sqlalchemy import delete, select

from persona.store.statements import insert_into, param, table
from persona.store.tables import CalibrationRow
from persona.store.transaction import Statement, Transaction

_calibrations = table(CalibrationRow)
_c = _calibrations.c
_INSERT = insert_into(CalibrationRow)
_DELETE = Statement(delete(_calibrations).where(_c.target == param("target"), _c.counter == param("counter")))
_ALL = Statement(select(_c.target, _c.counter, _c.ratio, _c.error, _c.samples))


def save(tx: Transaction, target: str, counter: str, ratio: float, error: float, samples: int, now_us: int) -> None:
    """Keeps the newest calibration of a target."""
    tx.run(_DELETE, {"target": target, "counter": counter})
    seen = {"ratio": ratio, "error": error, "samples": samples, "updated_us": now_us}
    tx.run(_INSERT, {"target": target, "counter": counter, **seen})


def load(tx: Transaction) -> dict[tuple[str, str], tuple[float, float, int]]:
    """All calibrations: (target, counter) → (ratio, error, samples)."""
    return {(target, counter): (ratio, error, n) for target, counter, ratio, error, n in tx.all(_ALL, {})}
