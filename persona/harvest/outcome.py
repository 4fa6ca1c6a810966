"""What a harvest did, in numbers: added up from the chunks and from what is kept."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from persona.adapter import Container
from persona.harvest.checks.example import COUNTED, EXAMPLE
from persona.harvest.checks.log import ANSWERED, CHOSEN, SELECTION
from persona.harvest.formats import available, find
from persona.harvest.formats.check import FileReport, past_limits
from persona.harvest.gather import ABOUT, Pile
from persona.harvest.job import formats_of
from persona.harvest.recipe import Recipe
from persona.harvest.tally import Tally
from persona.harvest.write import Written
from persona.values.harvest import (
    SIDES,
    Checked,
    FormatCount,
    Funnel,
    Lengths,
    Outcome,
    Sample,
    SideCount,
    Stage,
    purposes,
)

_EDGES = (64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072)
_MOST_USERS = 20
_GIVEN = "Only exchanges of users who agreed to training when they took place, and have not withdrawn since."
_TAKEN = (
    "Consent was not required by the settings: exchanges are in it whose users were never asked, or did not agree. "
    "Whoever uses this dataset needs another legal ground."
)

_ORDER: tuple[tuple[Stage, Mapping[str, str]], ...] = (
    ("selection", {one.name: one.about for one in SELECTION}),
    (
        "log",
        {
            "tool rounds": "a call for tools, which is part of the example of its turn's reply",
            **{one.name: one.about for one in (*ANSWERED, *CHOSEN)},
            "no feedback": "nobody said whether the reply is good, or better than another one",
            "erased": "what the reply answers is not stored any more",
            "window": "what it answers does not fit the arm's window",
        },
    ),
    (
        "example",
        {
            **{one.name: one.about for one in (*EXAMPLE, *COUNTED)},
            "form": "no format that was asked for has words for it",
        },
    ),
    ("dataset", ABOUT),
)


def outcome_of(recipe: Recipe, tally: Tally, piles: Sequence[Pile], limit: int) -> Outcome:
    """The outcome, as long as nothing is written."""
    kept = [pile for pile in piles if pile.kept.any()]
    tokens = _column(kept, "tokens").astype(np.int64)
    owners = _column(kept, "owner").astype(np.int64)
    languages = _column(kept, "language").astype("S3")
    sides = np.concatenate([pile.side[pile.kept] for pile in kept]) if kept else np.empty(0, np.int8)
    per_user = np.sort(np.unique(owners, return_counts=True)[1])[::-1]
    topics: Counter[str] = Counter()
    for pile in kept:
        topics.update(pile.topics)
    return Outcome(
        id="",
        path="",
        route=recipe.selection.route,
        funnel=_funnel(tally, piles, len(tokens)),
        sides=counted(sides, owners, tokens, languages),
        formats=tuple(_format(name, tally) for name in recipe.formats),
        lengths=lengths_of(tokens, recipe.counter, limit),
        languages=languages_of(languages),
        per_user=tuple(per_user[:_MOST_USERS].tolist()),
        purposes=purposes(len(tokens)),
        settings=recipe.to_dict(),
        consent=_GIVEN if recipe.settings.consent == "required" else _TAKEN,
        users=len(per_user),
        newest_us=tally.newest_us,
        topics=dict(sorted(topics.items(), key=lambda one: (-one[1], one[0]))),
        notes=tuple(_notes(recipe)),
        contradictions=tuple(chain.from_iterable(pile.contradictions() for pile in piles)),
    )


def written(told: Outcome, files: Mapping[str, Mapping[str, Written]], id: str, path: str) -> Outcome:
    """The same once it is written; `files` are those of each format."""
    return replace(told, id=id, path=path, formats=tuple(filled(one, files[one.name]) for one in told.formats))


def counted(
    sides: NDArray[np.int8], owners: NDArray[np.int64], tokens: NDArray[np.int64], languages: NDArray[np.bytes_]
) -> tuple[SideCount, ...]:
    """What lies on each side; the columns have a place for each example."""
    return tuple(
        SideCount(
            name,
            int((sides == number).sum()),
            len(np.unique(owners[sides == number])),
            int(tokens[sides == number].sum()),
            languages_of(languages[sides == number]),
        )
        for number, name in enumerate(SIDES)
    )


def _notes(recipe: Recipe) -> Iterator[str]:
    """What a person should know of the formats."""
    for some in formats_of(recipe.formats).values():
        for one in some:
            if one.loss == "every" and recipe.settings.rows == "exchange":
                yield f"{one.name} trains on every reply of an example, those of its history too"
            if one.loss == "last" and recipe.settings.rows == "conversation":
                yield f"{one.name} trains on the last reply of an example alone"


def _column(piles: Iterable[Pile], name: str) -> NDArray[np.generic]:
    """A column of what is kept."""
    found = [values[pile.kept[where]] for pile in piles for where, values in pile.own(name)]
    return np.concatenate(found) if found else np.empty(0)


def languages_of(column: NDArray[np.bytes_]) -> dict[str, int]:
    """The number of examples by language, the commonest first; an empty name for those that are not known."""
    names, counts = np.unique(column, return_counts=True)
    pairs = [(name.decode(), int(number)) for name, number in zip(names.tolist(), counts, strict=True)]
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _funnel(tally: Tally, piles: Sequence[Pile], kept: int) -> Funnel:
    late: Counter[str] = Counter()
    samples: dict[str, list[Sample]] = {}
    for pile in piles:
        for name, number in pile.dropped().items():
            late[name] += number
        for name, sample in pile.samples():
            samples.setdefault(name, []).append(sample)
    checks = []
    for stage, names in _ORDER:
        counts, seen = (late, samples) if stage == "dataset" else (tally.dropped, tally.samples)
        checks += [
            Checked(name, stage, about, counts[name], 0, tuple(seen.get(name, ())[:3])) for name, about in names.items()
        ]
        if stage == "example":
            checks += _mended(tally)
    return Funnel(tally.conversations, tally.exchanges, tally.examples, kept, tuple(checks))


def _mended(tally: Tally) -> list[Checked]:
    """What of personal data was replaced, by kind."""
    return [
        Checked(name, "example", "personal data, replaced", 0, number, tuple(tally.samples.get(name, ())))
        for name, number in sorted(tally.mended.items())
    ]


def _format(name: str, tally: Tally) -> FormatCount:
    return FormatCount(name, dict.fromkeys(SIDES, 0), dict(tally.unsayable.get(name, {})))


def filled(one: FormatCount, files: Mapping[str, Written]) -> FormatCount:
    """A format with what its files hold, and what its consumer would refuse them for."""
    examples: dict[str, int] = {
        side: sum(told.examples for path, told in files.items() if _side(path) == side) for side in SIDES
    }
    digests = {path: told.sha256 for path, told in files.items()}
    return replace(one, examples=examples, files=digests, problems=tuple(_problems(one.name, files)))


def _side(path: str) -> str:
    return next(side for side in SIDES if path.rpartition("/")[2].startswith(side))


def _problems(name: str, files: Mapping[str, Written]) -> Iterator[str]:
    """What is beyond the limits of a format. Of a side in several files the largest one counts, and all examples."""
    form = find(name, available())
    sides = [
        _whole(name, form.container, [one for path, one in files.items() if _side(path) == side]) for side in SIDES
    ]
    train, validation, _ = sides
    if train.rows:
        some = [*past_limits(form, train), *(past_limits(form, train, validation) if validation.rows else ())]
        yield from (f"{one.reason} ({one.where}): {one.hint}" for one in some)


def _whole(name: str, container: Container, files: Sequence[Written]) -> FileReport:
    rows = sum(one.examples for one in files)
    return FileReport(name, container, max([one.bytes for one in files], default=0), rows, rows, None)


def lengths_of(tokens: NDArray[np.int64], counter: str, limit: int) -> Lengths:
    if not len(tokens):
        return Lengths(counter, limit=limit)
    longest = int(tokens.max())
    edges = tuple(edge for at, edge in enumerate(_EDGES) if at == 0 or _EDGES[at - 1] < longest)
    counts = np.bincount(np.searchsorted(edges, tokens, "left"), minlength=len(edges) + 1)
    ordered = np.sort(tokens)
    middle, high = (int(ordered[(len(ordered) - 1) * share // 100]) for share in (50, 95))
    return Lengths(counter, edges, tuple(counts.tolist()), limit, middle, high, longest)
