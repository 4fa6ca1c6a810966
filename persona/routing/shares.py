"""Which arm a user is on: a stable hash, so the same on every worker, after every restart and change of shares."""

from collections.abc import Mapping
from hashlib import blake2b

from persona.values.owner import Owner

_WHOLE = 2**64


def pick(shares: Mapping[str, float], experiment: str, owner: Owner) -> str:
    """The arm of this owner. `experiment` keeps two experiments from picking the same users.

    Arms are laid out in the order of the settings, so raising a share keeps everyone who was in the arms before it.
    """
    if len(shares) == 1:
        return next(iter(shares))
    point = position(experiment, owner)
    reached = 0.0
    for arm, share in shares.items():
        reached += share
        if point < reached:
            return arm
    return arm


def position(experiment: str, owner: Owner) -> float:
    """Where an owner stands in an experiment: uniform in [0, 1)."""
    text = "\x1f".join((experiment, owner.tenant, owner.name))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / _WHOLE
