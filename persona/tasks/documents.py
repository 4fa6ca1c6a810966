"""Keeps a knowledge base like its files: new and changed ones are indexed, gone ones dropped, each in its transaction.

A file of the same size and time as when it was read is passed over, so what was interrupted goes on where it was.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from persona.adapter import Embedder
from persona.errors import InvalidInput, NotFound, SettingsError
from persona.knowledge.apart import Apart
from persona.knowledge.files import Listing, expand, found_at, key_of, walk
from persona.settings.nearest import did_you_mean
from persona.settings.schema import Settings
from persona.store import documents, owners
from persona.store.engine import Database
from persona.store.transaction import Transaction
from persona.tasks.intake import Intake
from persona.values.document import DocumentChange, DocumentEntry, DocumentOrigin, KnowledgeReport
from persona.values.owner import Owner

log = logging.getLogger("persona.knowledge")

Say = Callable[[DocumentChange], None]
"""Told of each file when it is done."""

_MEGABYTE = 1_000_000


class Place(Protocol):
    """Where knowledge is kept: what turns work with, and what background work is done with."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def embedder(self) -> Embedder: ...
    @property
    def now_us(self) -> Callable[[], int]: ...


def base(name: str) -> Owner:
    """The owner of a knowledge base's memories."""
    return Owner("", name, "knowledge")


async def follow_files(place: Place, name: str, say: Say | None = None) -> KnowledgeReport:
    """Takes in the files that the settings name for a knowledge base, and forgets those they name no more.

    What was added by hand stays. Raises SettingsError for a pattern that matches no file.
    """
    folder, patterns = place.settings.folder, _declared(place, name)
    files = await asyncio.to_thread(expand, patterns, folder)
    key, stored = await place.database.run(lambda tx: _stored(tx, place, name))
    named = {found.key for found in files}
    gone = [
        path
        for path, entry in stored.items()
        if entry.origin == "settings" and path not in named and not _out_of_sight(folder / path)
    ]
    report = await _bring(place, name, key, stored, Listing(files), gone, "settings", say)
    if report.refused:
        log.warning("knowledge %s: %d files were refused: see `persona knowledge list`", name, len(report.refused))
    return report


async def add_files(place: Place, name: str, paths: Sequence[Path], say: Say | None = None) -> KnowledgeReport:
    """Takes in files by hand, and folders with all that is in them; forgets what is not there any more.

    Raises InvalidInput for a path of which nothing is known, SettingsError for a base that the settings do not name.
    """
    folder = place.settings.folder
    _declared(place, name)
    key, stored = await place.database.run(lambda tx: _stored(tx, place, name))
    listing, gone = await asyncio.to_thread(_listed, paths, folder, stored)
    return await _bring(place, name, key, stored, listing, gone, "hand", say)


async def remove_files(place: Place, name: str, paths: Sequence[Path] | None) -> tuple[str, ...]:
    """Forgets files, folders of files, or with None all of a knowledge base; returns the paths that were forgotten.

    Raises NotFound, with nothing forgotten, for a path of which nothing is known.
    """
    key, stored = await place.database.run(lambda tx: _stored(tx, place, name))
    wanted: dict[str, None] = dict.fromkeys(stored if paths is None else ())
    for path in paths or ():
        found = [str(path)] if str(path) in stored else _under(path, stored, place.settings.folder)
        if not found:
            raise NotFound(
                f"knowledge {name!r} has no document {str(path)!r}", hint=f"see `persona knowledge list {name}`"
            )
        wanted.update(dict.fromkeys(found))
    for one in wanted:
        await place.database.run(lambda tx, one=one: documents.drop(tx, key, one))  # type: ignore[misc]
    return tuple(wanted)


async def _bring(
    place: Place,
    name: str,
    key: int,
    stored: dict[str, DocumentEntry],
    listing: Listing,
    gone: Sequence[str],
    origin: DocumentOrigin,
    say: Say | None,
) -> KnowledgeReport:
    limits = place.settings.knowledge[name]
    most_bytes = limits.max_file_mb * _MEGABYTE
    with Apart(limits.max_file_s) as apart:
        intake = Intake(place.database, place.embedder, place.now_us, key, stored, most_bytes, apart, origin, say)
        await intake.bring(listing, gone)
    report = intake.report
    if report.added or report.updated or report.removed:
        counts = report.added, report.updated, report.removed
        log.info("knowledge %s: %d files added, %d changed, %d removed", name, *counts)
    return report


def _declared(place: Place, name: str) -> tuple[str, ...]:
    """The patterns of a knowledge base. Raises SettingsError when the settings do not name it."""
    if name not in place.settings.knowledge:
        raise SettingsError(
            f"the settings name no knowledge {name!r}{did_you_mean(name, place.settings.knowledge)}",
            hint=f"write [knowledge.{name}] into them, and list {name!r} in the knowledge of a route",
        )
    return place.settings.knowledge[name].files


def _stored(tx: Transaction, place: Place, name: str) -> tuple[int, dict[str, DocumentEntry]]:
    state = owners.find_or_make(tx, base(name), place.now_us())
    return state.key, {entry.path: entry for entry in documents.listing(tx, state.key)}


def _listed(paths: Sequence[Path], folder: Path, stored: dict[str, DocumentEntry]) -> tuple[Listing, list[str]]:
    """What the paths hold, and what is stored of them and is there no more."""
    for path in paths:
        if not os.path.lexists(path) and not _under(path, stored, folder):
            raise InvalidInput(f"there is no file {str(path)!r}", hint="check the path")
    listings = [_listing(path, folder) for path in paths]
    files = {found.key: found for one in listings for found in one.files}
    refused = {found.key: (found, why) for one in listings for found, why in one.refused if found.key not in files}
    unseen = tuple(key for one in listings for key in one.unseen)
    listing = Listing(tuple(files.values()), tuple(refused.values()), unseen)
    return listing, sorted({one for path in paths for one in _gone(path, stored, folder, listing)})


def _listing(path: Path, folder: Path) -> Listing:
    if path.is_dir():
        return walk(path, folder)
    return Listing((found_at(path, folder),) if os.path.lexists(path) else ())


def _gone(path: Path, stored: dict[str, DocumentEntry], folder: Path, listing: Listing) -> Iterator[str]:
    """What is stored of a file or a folder and is there no more; what cannot be seen may be there.

    A problem that was kept of what is no file any more, such as a folder that could not be listed, goes too.
    """
    there = {found.key for found in (*listing.files, *(found for found, _ in listing.refused))}
    for key in _under(path, stored, folder):
        unseen = any(key.startswith(f"{above}/") for above in listing.unseen)
        lost = not stored[key].indexed_us or not os.path.lexists(folder / key)
        if key not in there and not unseen and lost:
            yield key


def _under(path: Path, stored: dict[str, DocumentEntry], folder: Path) -> list[str]:
    """The stored files that a path names: itself, or what is in the folder that it is."""
    key, whole = key_of(path, folder), os.path.join(os.path.abspath(path), "")
    start = os.path.abspath(folder)
    return [one for one in stored if one == key or os.path.join(start, one).startswith(whole)]


def _out_of_sight(path: Path) -> bool:
    """Whether it cannot be said that a file is there: its folder may not be looked into just now."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return False
