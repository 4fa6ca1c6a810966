"""Everything that decides what a harvest writes: with the same recipe and the same log, the same bytes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256

from persona.settings.harvest import HarvestSettings

VERSION = 1
"""Raised when the same recipe would give other bytes: work that an older persona began is then done anew."""

FOR_EVER_US = 2**62


@dataclass(frozen=True, slots=True)
class Selection:
    """Which exchanges are asked for. Times are UTC microseconds; what is empty leaves the choice open.

    `arms` are those that answered. `rated_from` takes only replies that were rated so or better.
    """

    route: str
    arms: tuple[str, ...] = ()
    since_us: int = 0
    until_us: int = FOR_EVER_US
    tenants: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rated_from: float | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is asked for and how it is made.

    `arm` is the one whose window the examples are rendered through, and `target` the model that counts; nothing is
    rendered with `raw`. Exchanges from `holdout_us` on are all for testing, 0 for none. `serving` is a digest of what
    the settings say of the arm: its prompts, window and target. `further` is the version of what else looks for
    personal data.
    """

    selection: Selection
    formats: tuple[str, ...]
    settings: HarvestSettings
    arm: str
    target: str
    counter: str
    raw: bool = False
    holdout_us: int = 0
    serving: str = ""
    excluded: str = ""
    further: str = ""

    def to_dict(self) -> dict[str, object]:
        """The recipe in JSON types, without what does not decide a byte."""
        settings = self.settings.model_dump(mode="json", exclude={"processes"})
        return {**asdict(self), "settings": settings, "version": VERSION}

    @property
    def digest(self) -> str:
        """A fingerprint: 16 hexadecimal digits."""
        return digest_of(self.to_dict())


def digest_of(told: Mapping[str, object]) -> str:
    """A fingerprint of JSON values, the same wherever it is taken: 16 hexadecimal digits."""
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
