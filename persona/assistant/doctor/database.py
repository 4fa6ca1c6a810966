"""The database: reachable, whole, of the right version; and what waits in it."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from persona.assistant.doctor.findings import Finding, failed
from persona.errors import StoreError
from persona.settings import Settings
from persona.store import calibrations, holds, reembedding, schema, tasks
from persona.store.backend import shown
from persona.store.engine import Database
from persona.store.holds import Hold
from persona.store.sqlite import existing, in_memory, missing

_UPGRADE = "run `persona db upgrade`"
_GIVEN_UP = "`persona tasks --state dead` lists what was given up, `persona tasks retry --all` tries it again"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in the database.

    `calibrations` are (ratio, error, samples) by target and counter, `memories` their number by embedder.
    """

    findings: tuple[Finding, ...]
    calibrations: dict[tuple[str, str], tuple[float, float, int]] = field(default_factory=dict)
    memories: dict[str, int] = field(default_factory=dict)


def look(settings: Settings) -> Looked:
    """Looks at the database without making or migrating it. On a large SQLite file this reads all of it."""
    absent = _absent(settings)
    if absent:
        return Looked((absent,))
    try:
        database = Database(existing(settings.database_url), busy_timeout_s=settings.store.busy_timeout_s)
    except StoreError as error:
        return Looked((failed("database", error),))
    try:
        return _look_into(settings, database)
    except StoreError as error:
        return Looked((failed("database", error),))
    finally:
        database.close()


def _absent(settings: Settings) -> Finding | None:
    """What there is to say of a SQLite database that is no file, or not there yet."""
    path = missing(settings.database_url)
    if path is None:
        return _fleeting(settings.database_url)
    if not path.parent.is_dir():
        return Finding("database", "fail", f"there is no folder {str(path.parent)!r}", "make it, or change store.url")
    return Finding("database", "ok", f"{path} is not there yet: the first use makes it")


def _fleeting(url: str) -> Finding | None:
    try:
        fleeting = url.startswith("sqlite") and in_memory(make_url(url))
    except ArgumentError:
        return None  # opening it says what is wrong
    found = Finding("database", "warn", "in memory: gone when the process ends", "name a file in store.url")
    return found if fleeting else None


def _look_into(settings: Settings, database: Database) -> Looked:
    with database.connection(write=False) as connection:
        kept = _kept(connection, database.sqlite)
        broken = _broken(connection) if database.sqlite else ""
    if broken:
        advice = "restore the file from a backup"
        return Looked((Finding("database", "fail", f"{kept}: damaged ({broken})", advice),))
    found = schema.version(database)
    state = _version(database, found)
    if found != schema.HEAD:
        return Looked((Finding("database", "ok", kept), state))
    waiting = database.run_now(tasks.counts, write=False)
    known = database.run_now(calibrations.load, write=False)
    counts = database.run_now(reembedding.counts, write=False)
    held = [_held(hold, settings) for hold in database.run_now(holds.all_of_them, write=False)]
    return Looked((Finding("database", "ok", kept), state, _outbox(waiting, settings.tasks.run), *held), known, counts)


def _kept(connection: Connection, sqlite: bool) -> str:
    url = connection.engine.url
    if not sqlite:
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        return f"{shown(url)}, {_size(int(size))}"
    pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    each = int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    sqlite_version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    path = connection.exec_driver_sql("PRAGMA database_list").one()[2]
    return f"{path}, {_size(pages * each)}, SQLite {sqlite_version}"


def _broken(connection: Connection) -> str:
    """What SQLite's own check finds first, or nothing."""
    said = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    return "" if said == "ok" else said.splitlines()[0]


def _version(database: Database, found: str | None) -> Finding:
    if found == schema.HEAD:
        return Finding("tables", "ok", f"version {found}")
    if found is not None and found not in schema.REVISIONS:
        return Finding("tables", "fail", f"version {found}, and this persona needs {schema.HEAD}", "upgrade pypersona")
    has = f"version {found}, and this persona needs {schema.HEAD}" if found else "none yet"
    if database.sqlite:
        return Finding("tables", "ok", f"{has}: the first use brings them up to date")
    return Finding("tables", "fail", has, _UPGRADE)


def _outbox(counts: dict[str, int], runs_here: bool) -> Finding:
    said = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "nothing waits"
    if counts.get("dead"):
        return Finding("outbox", "warn", said, _GIVEN_UP)
    if counts and not runs_here:
        return Finding("outbox", "warn", said, "tasks.run is false here: run `persona work`")
    return Finding("outbox", "ok", said)


def _held(hold: Hold, settings: Settings) -> Finding:
    topic, route = f"hold {hold.route}", settings.routes.get(hold.route)
    if route is None or hold.arm not in route.arms:
        said = f"held on the arm {hold.arm}, which the settings do not have: the hold does nothing"
    else:
        said = (
            f"held on the arm {hold.arm} by {hold.who}, whatever the settings say: {hold.why or 'no reason was given'}"
        )
    return Finding(topic, "warn", said, f"run `persona routes release {hold.route}` when the settings are to serve it")


def _size(size: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size //= 1000
    return f"{size} GB"
