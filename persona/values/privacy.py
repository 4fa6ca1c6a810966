"""What a user may ask for: what was erased, exported, joined, and what they agreed to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from persona.values.memory import Fact

Scope = Literal["user", "conversation", "message", "fact", "merge"]
Place = Literal["", "log", "file", "server"]
"""Where traces may be: nowhere, in SQLite's log (a reader keeps it), in its file and log, on a database server."""

FindingKind = Literal["duplicate", "contradiction", "no source", "stale"]

_VACUUM = "end long transactions, then run `persona prune --vacuum`"
_LEFT: Mapping[Place, tuple[str, ...]] = {
    "": (),
    "log": (f"a reader keeps old pages in the log of the SQLite file: {_VACUUM}",),
    "file": (f"the SQLite file could not be rewritten (a writer, or no room), so old pages are in it: {_VACUUM}",),
    "server": (
        "dead rows, which no query sees, in the files of the tables until they are written anew: VACUUM FULL {tables}",
        "transactions that were begun before the erasure still see the rows: look for old ones in pg_stat_activity",
        "the write-ahead log, its archive and replicas, until they are past the erasure",
    ),
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased, without a name or a text: rows by table, and entries by index.

    `consented` counts erased exchanges that were stamped with consent to training, `recalled` exchanges that stay and
    are known to have been shown some of it. `datasets` are the datasets with examples of the user, `models` what was
    tuned on them, as `backend:name`, and `reports` the files of comparisons on them. `left_in` is where traces may be;
    `scrubbed_us` is when the last of them went out of a SQLite file. Times are UTC microseconds.
    """

    id: str
    scope: Scope
    erased_us: int
    counts: Mapping[str, int]
    indexes: Mapping[str, int]
    consented: int = 0
    recalled: int = 0
    datasets: tuple[str, ...] = ()
    left_in: Place = ""
    scrubbed_us: int = 0
    models: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()

    @property
    def remains(self) -> tuple[str, ...]:
        """What may still hold some of it, one sentence each with what to do; backups are always among it."""
        tables = ", ".join(f"persona_{name}" for name in self.counts)
        said = [sentence.format(tables=tables) for sentence in _LEFT[self.left_in]]
        if self.recalled:
            said.append(f"at least {self.recalled} exchanges that stay were shown some of it: read what they replied")
        said += [
            f"the dataset {id}, made before this: `persona datasets rewrite {id} --without-erased` takes it out"
            for id in self.datasets
        ]
        said += [
            f"the model {name}, tuned on it: tune again on what `datasets rewrite` leaves, promote that, and "
            "delete this one with `persona tune clean`"
            for name in self.models
        ]
        said += [
            f"{path} and the answers beside it, which quote the examples: delete the folder, and compare again"
            for path in self.reports
        ]
        if self.consented:
            said.append(
                f"{self.consented} of the exchanges were given for training: copies of datasets from before this, "
                "wherever you keep them"
            )
        return (*said, "backups and exports from before this, wherever you keep them")

    def to_dict(self) -> dict[str, Any]:
        """The receipt for machines: JSON types only."""
        return {**asdict(self), "remains": list(self.remains)}


@dataclass(frozen=True, slots=True)
class Exported:
    """How many rows of each table an export holds."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Consent:
    """One answer to the question whether a user's exchanges may be used for training. The time is UTC microseconds."""

    training: bool
    at_us: int


@dataclass(frozen=True, slots=True)
class Merged:
    """How many rows of each table a user took over from another.

    `renamed` maps ids of conversations that both had to their new ones; `superseded` counts facts that a newer one
    ended, and `dropped_keys` idempotency keys that both had used.
    """

    counts: Mapping[str, int]
    renamed: Mapping[str, str]
    superseded: int
    dropped_keys: int


@dataclass(frozen=True, slots=True)
class UserEntry:
    """One user in a listing. `consent` is None while they were never asked; `seen_us` is their last turn, or 0."""

    name: str
    tenant: str
    conversations: int
    messages: int
    created_us: int
    seen_us: int
    consent: bool | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a profile that a person should look at; `facts` are the entries it is about."""

    kind: FindingKind
    facts: tuple[Fact, ...]
    reason: str
