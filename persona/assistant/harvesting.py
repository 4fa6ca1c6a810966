"""What an ML engineer asks of an installation: a dataset of the log, and the datasets that there are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from persona.assistant.database import prepared
from persona.conversation.services import utc_now_us
from persona.errors import InvalidInput
from persona.harvest import manifest, run, shelved
from persona.harvest.recipe import FOR_EVER_US, Selection
from persona.harvest.run import Asked, Progress
from persona.harvest.shelved import Difference, Rewritten
from persona.routing.routes import Routes
from persona.settings import Settings
from persona.store import datasets
from persona.values.dataset import DatasetEntry
from persona.values.harvest import Outcome
from persona.values.time import to_us


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be harvested, beside the settings; what is empty leaves the choice open.

    `formats` are those of `persona check`; `out` is the folder that datasets get folders of their own in. `arm` is the
    one that will serve (the one that serves most, when empty), and examples are rendered through its window, unless
    they are `raw`. `answered_by` are the arms whose replies are taken. A naive time is UTC. Exchanges from `holdout`
    on are for testing, and nothing else. With `anew` a run that was interrupted is not gone on with.
    """

    route: str = ""
    formats: tuple[str, ...] = ("trl",)
    out: Path = field(default_factory=lambda: Path("datasets"))
    arm: str = ""
    raw: bool = False
    answered_by: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    tenants: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rated_from: float | None = None
    holdout: datetime | None = None
    anew: bool = False


Say = Callable[[Progress], None]


def harvest(settings: Settings, wish: Wish, say: Say = lambda progress: None) -> Outcome:
    """Makes a dataset of the log, in this thread and in processes of its own. Interrupted, the same call goes on.

    A script that calls it stands under `if __name__ == "__main__"`, as for any use of several processes. Raises
    InvalidInput, NotFound and SettingsError for what cannot be; NothingLeft, SplitLeaks, NoRoom and StoreError.
    """
    asked = _asked(settings, wish)
    with prepared(settings) as database:
        return run.harvest(settings, asked, database, utc_now_us(), say)


def try_out(settings: Settings, wish: Wish, say: Say = lambda progress: None) -> Outcome:
    """What a harvest would do, with nothing written. Raises as `harvest` does."""
    asked = _asked(settings, wish)
    with prepared(settings) as database:
        return run.tried(settings, asked, database, utc_now_us(), say)


def listing(settings: Settings) -> list[DatasetEntry]:
    """The datasets that were made of this database, the newest first."""
    with prepared(settings) as database:
        return database.run_now(datasets.listing, write=False)


def show(settings: Settings, id: str) -> tuple[DatasetEntry, dict[str, Any]]:
    """One dataset with its manifest. Raises NotFound, and DatasetChanged where its files are gone."""
    with prepared(settings) as database:
        entry = shelved.found(database, id)
    return entry, manifest.read(Path(entry.path))


def diff(settings: Settings, first: str, second: str) -> Difference:
    """How two datasets differ, by their ids or their folders. Raises NotFound and DatasetChanged."""
    return shelved.difference(_folder(settings, first), _folder(settings, second))


def rewrite(settings: Settings, id: str) -> Rewritten:
    """Writes a dataset again, under a new id, without what was erased or withdrawn since it was made.

    The old one keeps a manifest without examples. Raises NotFound, DatasetError and StoreError.
    """
    with prepared(settings) as database:
        return shelved.without_erased(database, shelved.found(database, id), utc_now_us())


def _folder(settings: Settings, named: str) -> Path:
    if (Path(named) / manifest.NAME).is_file():
        return Path(named)
    with prepared(settings) as database:
        return Path(shelved.found(database, named).path)


def _asked(settings: Settings, wish: Wish) -> Asked:
    if not wish.formats:
        raise InvalidInput("no format was named", hint="name one, such as trl; `persona formats` lists them")
    selection = Selection(
        route=wish.route or Routes(settings).default(),
        arms=wish.answered_by,
        since_us=to_us(wish.since) if wish.since else 0,
        until_us=to_us(wish.until) if wish.until else FOR_EVER_US,
        tenants=wish.tenants,
        users=wish.users,
        tags=wish.tags,
        rated_from=wish.rated_from,
    )
    formats = tuple(dict.fromkeys(wish.formats))
    holdout_us = to_us(wish.holdout) if wish.holdout else 0
    return Asked(selection, formats, wish.out, wish.arm, wish.raw, holdout_us, wish.anew)
