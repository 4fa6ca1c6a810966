"""Datasets that are written: read, compared, and written again without what was erased."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from persona.errors import DatasetChanged, DatasetError, NotFound
from persona.harvest import card, manifest, retold, work
from persona.harvest.formats import available
from persona.harvest.formats.reading import lines
from persona.harvest.retold import Left
from persona.harvest.run import put_in_place
from persona.harvest.write import CONTRADICTIONS, ROWS, Hashed, Shards, Written, line_of, write_contradictions
from persona.reports import dataset as report
from persona.store import datasets, receipts
from persona.store.engine import Database
from persona.values.dataset import DatasetEntry
from persona.values.harvest import SIDES, Contradiction

_AT_ONCE = 200  # exchanges that are looked up
_Row = dict[str, Any]  # a line of rows.jsonl


@dataclass(frozen=True, slots=True)
class Difference:
    """How two datasets differ: settings by their path, examples that only one has, and those on another side."""

    settings: Mapping[str, tuple[object, object]]
    checks: Mapping[str, tuple[int, int]]
    both: int
    only_first: int
    only_second: int
    moved: int


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What became of a dataset: the id of the new one, empty when nothing may stay, and how many examples went."""

    id: str
    path: str
    kept: int
    taken: int


@dataclass(frozen=True, slots=True)
class _Judged:
    """The lines of rows.jsonl that must go, and the keys that users have now who were merged into others."""

    taken: frozenset[int]
    moved: Mapping[int, int]


def found(database: Database, id: str) -> DatasetEntry:
    """One dataset of the registry. Raises NotFound."""
    entry = database.run_now(lambda tx: datasets.find(tx, id), write=False)
    if entry is None:
        raise NotFound(f"no dataset {id!r} was made here", hint="`persona datasets list` lists them")
    return entry


def difference(first: Path, second: Path) -> Difference:
    """How two datasets differ. Raises DatasetChanged where one has no manifest, or no examples any more."""
    manifests = manifest.read(first), manifest.read(second)
    for one in manifests:
        if "replaced_by" in one:
            stands = f"compare {one['replaced_by']}, which stands for it" if one["replaced_by"] else "harvest it again"
            raise DatasetChanged(f"the examples of {one['id']} were taken away", hint=stands)
    settings = [dict(_flat(one.get("settings", {}))) for one in manifests]
    counts = [Counter({c["name"]: c["number"] for c in one.get("funnel", {}).get("checks", ())}) for one in manifests]
    sides = [dict(_sides(folder)) for folder in (first, second)]
    both = sides[0].keys() & sides[1].keys()
    return Difference(
        {
            name: (settings[0].get(name), settings[1].get(name))
            for name in sorted(settings[0].keys() | settings[1].keys())
            if settings[0].get(name) != settings[1].get(name)
        },
        {
            name: (counts[0][name], counts[1][name])
            for name in counts[0] | counts[1]
            if counts[0][name] != counts[1][name]
        },
        len(both),
        len(sides[0]) - len(both),
        len(sides[1]) - len(both),
        sum(sides[0][key] != sides[1][key] for key in both),
    )


def without_erased(database: Database, entry: DatasetEntry, now_us: int) -> Rewritten:
    """Writes a dataset again under a new id, without what was erased, or withdrawn, since it was made.

    Of the old one a manifest without examples stays. Where nothing has to go, nothing is changed. Raises
    DatasetChanged for files that are not what their manifest says, and NoRoom.
    """
    if entry.state == "replaced":
        raise DatasetError(f"{entry.id} was replaced by {entry.replaced_by or 'nothing'} already")
    folder = Path(entry.path)
    told = manifest.read(folder)
    manifest.check(folder, told)
    standing = database.run_now(datasets.standing, write=False)
    judged = _judged(database, folder, entry, told)
    if not judged.taken:
        return Rewritten(entry.id, entry.path, entry.examples, 0)
    with work.room():
        made = folder.with_name(f"{folder.name}.rewriting")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        files, left = _copied(folder, made, told, judged)
        kept = left.total
        new = _registered(database, entry, told, made, files, left, standing.receipts, now_us) if kept else None
    shutil.rmtree(made, ignore_errors=True)
    _bury(folder, told, new.id if new else "")
    database.run_now(lambda tx: datasets.replaced(tx, entry.id, new.id if new else ""))
    return Rewritten(new.id if new else "", new.path if new else "", kept, entry.examples - kept)


def _judged(database: Database, folder: Path, entry: DatasetEntry, told: Mapping[str, Any]) -> _Judged:
    """What must go: of users from whom something was erased, whatever is not in the log any more; and all of those
    who have withdrawn."""
    required = told["settings"]["settings"]["consent"] == "required"
    withdrawn = database.run_now(datasets.withdrawn, write=False) if required else frozenset()
    touched = database.run_now(lambda tx: receipts.erased_since(tx, entry.receipts), write=False)
    suspects = [(number, row) for number, row in _rows(folder) if row["owner"] in set(touched)]
    owners: dict[str, int] = {}
    ids = sorted({id for _, row in suspects for id in _log(row)})
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        owners |= database.run_now(lambda tx, some=some: datasets.owners_of(tx, some), write=False)  # type: ignore[misc]
    gone = {number for number, row in suspects if not owners.keys() >= set(_log(row))}
    moved = {row["owner"]: owners[_log(row)[0]] for number, row in suspects if number not in gone}
    lost = {number for number, row in _rows(folder) if moved.get(row["owner"], row["owner"]) in withdrawn}
    return _Judged(frozenset(gone | lost), {old: new for old, new in moved.items() if old != new})


def _copied(folder: Path, made: Path, told: Mapping[str, Any], judged: _Judged) -> tuple[dict[str, Written], Left]:
    """Copies what stays: the files, and what is told of the examples in them."""
    formats, most = available(), told["settings"]["settings"]["shard_examples"]
    chosen = {one["name"]: formats[one["name"]] for one in told["formats"]}
    totals: Counter[tuple[str, str]] = Counter()
    kept = 0
    for number, row in _rows(folder):
        if "side" in row and number not in judged.taken:
            kept += 1
            totals.update((name, row["side"]) for name in row["formats"])
    places = [(name, side) for name in chosen for side in SIDES]
    readers = {place: _examples(folder, told, *place) for place in places}
    shards = {
        (name, side): Shards(made / name, side, chosen[name].container, totals[name, side], most)
        for name, side in places
    }
    left = Left(kept)
    for number, row in _rows(folder):
        examples = {name: next(readers[name, row["side"]]) for name in row["formats"]} if "side" in row else {}
        if examples and number not in judged.taken:
            for name, example in examples.items():
                shards[name, row["side"]].write(example)
            telling = next((name for name in examples if chosen[name].shape != "text"), next(iter(examples)))
            owner = judged.moved.get(row["owner"], row["owner"])
            left.add(row, owner, chosen[telling].example(examples[telling], row["example"]))
    files: dict[str, Written] = {}
    for (name, _), each in shards.items():
        each.close()
        files |= {f"{name}/{file}": one for file, one in each.written.items()}
    gone = {row["example"] for number, row in _rows(folder) if number in judged.taken and "example" in row}
    files[ROWS] = _copied_rows(folder, made, judged, gone)
    files |= _copied_contradictions(folder, made, gone) if CONTRADICTIONS in told["files"] else {}
    return files, left


def _copied_contradictions(folder: Path, made: Path, gone: Set[str]) -> dict[str, Written]:
    import json

    with (folder / CONTRADICTIONS).open("rb") as file:
        every = (Contradiction(**json.loads(line)) for line in file)
        return write_contradictions(made, [one for one in every if gone.isdisjoint((one.dropped, one.kept))])


def _copied_rows(folder: Path, made: Path, judged: _Judged, gone: Set[str]) -> Written:
    kept = 0
    with (made / ROWS).open("wb") as new:
        hashed = Hashed(new)
        for number, row in _rows(folder):
            if number not in judged.taken:
                if row.get("for") in gone:  # what it lost to, and in which words they differed
                    row = {name: value for name, value in row.items() if name not in ("for", "differs")}
                hashed.write(line_of({**row, "owner": judged.moved.get(row["owner"], row["owner"])}))
                kept += 1
    return Written(hashed.digest.hexdigest(), hashed.size, kept)


def _registered(
    database: Database,
    entry: DatasetEntry,
    told: Mapping[str, Any],
    made: Path,
    files: Mapping[str, Written],
    left: Left,
    receipts: int,
    now_us: int,
) -> DatasetEntry:
    id = manifest.dataset_id({**told["settings"], "without_erased": entry.id}, files)
    place = Path(entry.path).with_name(id)
    outcome = retold.outcome_of(told, left, files, id, str(place))
    changed = {**manifest.manifest_of(outcome, files), "rewritten_from": entry.id}
    text = manifest.written(changed)
    (made / manifest.NAME).write_text(text, encoding="utf-8")
    (made / card.NAME).write_text(card.card_of(outcome), encoding="utf-8")
    (made / report.NAME).write_text(report.page(outcome, retold.portrait_of(left, files)), encoding="utf-8")
    put_in_place(made, place)
    new = replace(
        entry,
        id=id,
        path=str(place),
        examples=left.total,
        manifest=sha256(text.encode()).hexdigest(),
        created_us=now_us,
        receipts=receipts,
    )
    if not datasets.register(database, new, sorted(Counter(left.owners).items())):
        shutil.rmtree(place)
        raise DatasetError("something of a user was erased while the dataset was written", hint="run it again")
    return new


def _bury(folder: Path, told: Mapping[str, Any], replaced_by: str) -> None:
    """Leaves of a dataset's folder the manifest alone, which says what became of it."""
    work.write_whole(folder / manifest.NAME, manifest.written(manifest.tombstone_of(told, replaced_by)))
    for one in folder.iterdir():
        if one.is_dir():
            shutil.rmtree(one)
        elif one.name != manifest.NAME:
            one.unlink()


def _rows(folder: Path) -> Iterator[tuple[int, _Row]]:
    """The lines of rows.jsonl, counted from 0."""
    import json

    with (folder / ROWS).open("rb") as file:
        for number, line in enumerate(file):
            yield number, json.loads(line)


def _log(row: _Row) -> list[str]:
    return list(row.get("log") or [row["exchange"]])


def _sides(folder: Path) -> Iterator[tuple[str, str]]:
    """What is kept, by its id and shape, with its side."""
    for _, row in _rows(folder) if (folder / ROWS).exists() else ():
        if "side" in row:
            yield f"{row['shape']} {row['example']}", row["side"]


def _examples(folder: Path, told: Mapping[str, Any], name: str, side: str) -> Iterator[Mapping[str, Any]]:
    """The examples of one side in one format, over all its files."""
    container = available()[name].container
    for path in sorted(told["files"]):
        if path.startswith(f"{name}/{side}"):
            for line in lines(folder / path, container):
                yield line.row or {}


def _flat(told: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in told.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
