"""A harvest from start to end: map, gather, write, and register what came of it.

Chunks are fixed by the keys of conversations, never by workers; what is in a file depends on the log, the settings and
the seed alone. A chunk that is whole is never made again, so that a run that was killed goes on from there.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path

import numpy as np

from persona.errors import DatasetError, NothingLeft, SettingsError
from persona.harvest import card, manifest, work
from persona.harvest.excluded import questions_of
from persona.harvest.gather import Pile, gather
from persona.harvest.hands import Hands, hands
from persona.harvest.job import CHUNK_KEYS, Job, Shop, arm_of, formats_of
from persona.harvest.mapping import chunk_folder
from persona.harvest.outcome import outcome_of, written
from persona.harvest.personal.further import versions
from persona.harvest.portrait import map_of, portrait_of, shown_of
from persona.harvest.recipe import Recipe, Selection, digest_of
from persona.harvest.tally import Tally, whole
from persona.harvest.work import Begun
from persona.harvest.write import write_all, write_contradictions
from persona.reports import dataset as report
from persona.settings.schema import Settings
from persona.store import datasets
from persona.store.engine import Database
from persona.store.log import LogReader, Wanted
from persona.values.dataset import DatasetEntry
from persona.values.example import Shape
from persona.values.harvest import Outcome


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, beside the settings. `arm` is empty for the one that serves most; `raw` renders nothing.

    `out` is the folder in which datasets get folders of their own, and the work that is under way lies. With `anew`
    work that was interrupted is not gone on with.
    """

    selection: Selection
    formats: tuple[str, ...]
    out: Path
    arm: str = ""
    raw: bool = False
    holdout_us: int = 0
    anew: bool = False
    chunk_keys: int = CHUNK_KEYS


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a harvest is: the step, and how much of it is done. `resumed` counts the chunks of an earlier run."""

    step: str
    done: int
    total: int
    resumed: int = 0


Say = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class _Made:
    """All examples, compared, with the folders of their chunks; and what is told of them before they are written."""

    chunks: list[Path]
    piles: dict[Shape, Pile]
    tally: Tally
    told: Outcome


def harvest(settings: Settings, asked: Asked, database: Database, now_us: int, say: Say) -> Outcome:
    """Makes a dataset and registers it. The same log, settings and seed give the same bytes and the same id.

    Raises InvalidInput, NotFound and SettingsError for what cannot be; NothingLeft, SplitLeaks, NoRoom and StoreError.
    """
    recipe, held_out = recipe_of(settings, asked)
    with work.room():
        folder = work.folder_of(asked.out, recipe)
        with work.alone(folder):
            job, begun = _begin(settings, asked, recipe, held_out, folder, database, now_us)
            missing = _missing(job, begun)
            with hands(job, missing) as every:
                making = every.make()
                every.begin(map_of, [])  # another process, when it is done with its chunks, gets what a map needs
                made = _made(job, begun, len(missing), making, every, database, say)
                return _finished(job, begun, asked, made, every, database, now_us, say)


def tried(settings: Settings, asked: Asked, database: Database, now_us: int, say: Say) -> Outcome:
    """What a harvest would do, with nothing written but in a folder that is taken away again. Raises as `harvest`."""
    recipe, held_out = recipe_of(settings, asked)
    where = f"in {tempfile.gettempdir()!r}, where a dry run has its files"
    with work.room(where), tempfile.TemporaryDirectory(prefix="persona-harvest-") as folder:
        apart = Path(folder)
        job, begun = _begin(settings, asked, recipe, held_out, apart, database, now_us)
        missing = _missing(job, begun)
        with hands(job, missing) as every:
            return _made(job, begun, len(missing), every.make(), every, database, say).told


def recipe_of(settings: Settings, asked: Asked) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe, and the questions that are held out. Raises InvalidInput, NotFound, SettingsError."""
    arm = arm_of(settings, asked.selection.route, asked.arm)
    shapes = formats_of(asked.formats)
    if "unpaired" in shapes and settings.harvest.liked_from is None:
        raise SettingsError(
            "nothing says from which rating a reply counts as liked", hint="set harvest.liked_from, such as 1.0"
        )
    held_out = questions_of([settings.folder / name for name in settings.harvest.exclude])
    serving = {
        "route": settings.routes[asked.selection.route].model_dump(mode="json", exclude={"serve"}),
        "profile": {name: slot.model_dump(mode="json") for name, slot in settings.profile.items()},
    }
    recipe = Recipe(
        selection=asked.selection,
        formats=asked.formats,
        settings=settings.harvest,
        arm=arm.name,
        target=str(arm.targets[0]),
        counter="",
        raw=asked.raw,
        holdout_us=asked.holdout_us,
        serving=digest_of(serving),
        excluded=sha256("\x1f".join(held_out).encode("utf-8", "surrogatepass")).hexdigest()[:16] if held_out else "",
    )
    shop = Shop(Job(settings, recipe, asked.out, 0))
    further = versions(settings.harvest.presidio) if shop.further else ""
    return replace(recipe, counter=shop.counter.name, further=further), held_out


def _begin(
    settings: Settings,
    asked: Asked,
    recipe: Recipe,
    held_out: tuple[str, ...],
    folder: Path,
    database: Database,
    now_us: int,
) -> tuple[Job, Begun]:
    """Goes on with what is there, unless something was erased, or somebody withdrew, since it was begun."""
    standing = database.run_now(datasets.standing, write=False)
    begun = None if asked.anew else work.begun(folder, asked.chunk_keys)
    if begun is None or not begun.stands(standing):
        selection = recipe.selection
        wanted = Wanted((selection.route,), selection.since_us, min(selection.until_us, now_us))
        first, last = database.run_now(LogReader(wanted).span, write=False)
        begun = Begun(
            now_us, first // asked.chunk_keys, last // asked.chunk_keys, standing.receipts, standing.withdrawn_us
        )
        work.begin(folder, begun, asked.chunk_keys)
    later: frozenset[int] = frozenset()
    if recipe.holdout_us:
        span = (recipe.selection.route, recipe.holdout_us, begun.until_us)
        later = database.run_now(lambda tx: datasets.owners_from(tx, *span), write=False)
    return Job(settings, recipe, folder, begun.until_us, held_out, later, asked.chunk_keys), begun


def _missing(job: Job, begun: Begun) -> list[int]:
    """The chunks that no earlier run has made."""
    return [number for number in begun.chunks if not chunk_folder(job.work, number).exists()]


def _made(
    job: Job, begun: Begun, missing: int, making: Iterator[int], every: Hands, database: Database, say: Say
) -> _Made:
    """Maps and gathers. So many chunks are `missing`, and `making` makes them."""
    there = len(begun.chunks) - missing
    for made in chain((0,), making):
        say(Progress("reading", there + made, len(begun.chunks), there))
    say(Progress("comparing", 0, 1))
    shop = Shop(job)
    gone = _gone(begun, database)
    slots = {name: frozenset(slot.choices) for name, slot in job.settings.profile.items() if slot.choices}
    folders = [chunk_folder(job.work, number) for number in begun.chunks]
    piles = {
        shape: gather(shape, [folder / shape for folder in folders], job.recipe.settings, slots, gone, every.each)
        for shape in shop.formats
    }
    tally = whole(_tallies(folders))
    outcome = outcome_of(job.recipe, tally, list(piles.values()), shop.rules.max_tokens)
    say(Progress("comparing", 1, 1))
    return _Made(folders, piles, tally, outcome)


def _tallies(folders: Sequence[Path]) -> Iterator[dict[str, object]]:
    import json

    for folder in folders:
        yield json.loads((folder / "tally.json").read_text(encoding="utf-8"))


def _gone(begun: Begun, database: Database) -> frozenset[int]:
    """The owners of whom something was erased, or who withdrew, since the harvest began."""
    standing = database.run_now(datasets.standing, write=False)
    if begun.stands(standing):
        return frozenset()
    return database.run_now(lambda tx: datasets.gone_since(tx, begun.receipts, begun.withdrawn_us), write=False)


def _finished(
    job: Job,
    begun: Begun,
    asked: Asked,
    made: _Made,
    every: Hands,
    database: Database,
    now_us: int,
    say: Say,
) -> Outcome:
    """Writes the files, puts them in their place, and registers them."""
    piles = list(made.piles.values())
    if not made.told.funnel.kept:
        raise NothingLeft(*_nothing(made.told))
    points = every.begin(map_of, shown_of(piles))
    out = job.work / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    say(Progress("writing", 0, 1))
    most, formats = job.recipe.settings.shard_examples, formats_of(job.recipe.formats)
    files = write_all(out, made.chunks, made.piles, formats, made.tally.columns, most, every.each)
    files[""] |= write_contradictions(out, made.told.contradictions)
    say(Progress("writing", 1, 1))
    paths = {path: one for some in files.values() for path, one in some.items()}
    id = manifest.dataset_id(job.recipe.to_dict(), paths)
    place = asked.out / id
    outcome = written(made.told, files, id, str(place.absolute()))
    text = manifest.written(manifest.manifest_of(outcome, paths))
    (out / manifest.NAME).write_text(text, encoding="utf-8")
    (out / card.NAME).write_text(card.card_of(outcome), encoding="utf-8")
    portrait = portrait_of(piles, points(), paths, job.recipe.settings.contradictions)
    (out / report.NAME).write_text(report.page(outcome, portrait), encoding="utf-8")
    put_in_place(out, place)
    entry = DatasetEntry(
        id=id,
        route=outcome.route,
        path=outcome.path,
        examples=outcome.funnel.kept,
        manifest=sha256(text.encode()).hexdigest(),
        newest_us=outcome.newest_us,
        created_us=now_us,
        receipts=begun.receipts,
    )
    if not datasets.register(database, entry, _owners(piles)):
        shutil.rmtree(place)
        raise DatasetError("something of a user was erased while the dataset was written", hint="run it again")
    work.end(job.work)
    return outcome


def put_in_place(made: Path, place: Path) -> None:
    """Moves a folder of files to where its dataset belongs. Raises DatasetError where something else is."""
    if not place.exists():
        made.rename(place)
        return
    try:
        there = (place / manifest.NAME).read_bytes()
        manifest.check(place, manifest.read(place))
    except (OSError, DatasetError) as error:
        raise DatasetError(
            f"{str(place)!r} is there and is not what it was", hint="remove it, or name another folder with --out"
        ) from error
    if there != (made / manifest.NAME).read_bytes():
        raise DatasetError(f"{str(place)!r} holds something else", hint="name another folder with --out")


def _owners(piles: Sequence[Pile]) -> list[tuple[int, int]]:
    """The keys of the users whose examples are kept, and how many of each."""
    found = [values[pile.kept[where]] for pile in piles for where, values in pile.own("owner")]
    keys, counts = np.unique(np.concatenate(found), return_counts=True)
    return list(zip(keys.tolist(), counts.tolist(), strict=True))


def _nothing(told: Outcome) -> tuple[str]:
    """Why nothing is left, in one line."""
    worst = sorted((one for one in told.funnel.checks if one.number), key=lambda one: -one.number)[:3]
    taken = ", ".join(f"{one.number:,} by {one.name!r}" for one in worst)
    said = f"; taken out: {taken}" if taken else f"; the route {told.route!r} has no exchanges in that time"
    return (f"no example is left of {told.funnel.exchanges:,} exchanges{said}",)
