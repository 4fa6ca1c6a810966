"""What is told of a dataset that was written again: counted from what is left in its files, not from the log."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.harvest.manifest import nameless
from persona.harvest.outcome import counted, filled, languages_of, lengths_of
from persona.harvest.portrait import even, files_of, map_of
from persona.harvest.similar import topics
from persona.harvest.write import Written
from persona.values import words
from persona.values.example import Example
from persona.values.harvest import SIDES, Checked, FormatCount, Funnel, Outcome, Side, purposes
from persona.values.portrait import Portrait

_AGAIN = "written again without what was erased or withdrawn since"
_BESIDE = re.compile(r"\A(?:<recall>.*?</recall>\n)?(?:<context [^>]*/>\n)?", re.DOTALL)  # what the window adds


@dataclass(slots=True)
class Left:
    """What is kept of the examples that stay, one after the other. `total` is how many there will be."""

    total: int
    owners: list[int] = field(default_factory=list)
    sides: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    languages: list[bytes] = field(default_factory=list)
    terms: list[list[int]] = field(default_factory=list)
    shown: list[tuple[Side, str]] = field(default_factory=list)
    _wanted: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self._wanted = frozenset(even(np.arange(self.total)))

    def add(self, row: Mapping[str, Any], owner: int, example: Example) -> None:
        """One example that stays, with its line of the list of rows."""
        question = _question(example)
        if len(self.owners) in self._wanted:
            self.shown.append((row["side"], question))
        self.owners.append(owner)
        self.sides.append(SIDES.index(row["side"]))
        self.tokens.append(row["tokens"])
        self.languages.append((row.get("language") or "").encode())
        self.terms.append(topics.terms(question, row.get("language") or None))


def outcome_of(told: Mapping[str, Any], left: Left, files: Mapping[str, Written], id: str, path: str) -> Outcome:
    """The outcome of a dataset that holds what may stay of the one whose manifest is `told`.

    Samples are gone: they may be of whoever was erased.
    """
    tokens, owners = np.array(left.tokens, np.int64), np.array(left.owners, np.int64)
    spoken = np.array(left.languages, "S3")
    per_user = np.sort(np.unique(owners, return_counts=True)[1])[::-1]
    base = [note for note in told["notes"] if not note.startswith(_AGAIN)]
    return Outcome(
        id=id,
        path=path,
        route=told["route"],
        funnel=_funnel(told["funnel"], left.total),
        sides=counted(np.array(left.sides, np.int8), owners, tokens, spoken),
        formats=tuple(_refilled(one, files) for one in told["formats"]),
        lengths=lengths_of(tokens, told["lengths"]["counter"], told["lengths"]["limit"]),
        languages=languages_of(spoken),
        per_user=tuple(per_user[: len(told["per_user"])].tolist()),
        purposes=purposes(left.total),
        settings=nameless(told["settings"]),
        consent=told["consent"],
        users=len(per_user),
        newest_us=told["newest_us"],
        topics=_topics(np.array(left.terms, np.uint32), told["topics"]),
        notes=(*base, f"{_AGAIN} {told['id']} was made"),
    )


def portrait_of(left: Left, files: Mapping[str, Written]) -> Portrait:
    """The map and the files. Of pairs nothing is left: what was taken out is in no file."""
    return Portrait(tuple(map_of(left.shown)), (), files_of(files))


def _funnel(told: Mapping[str, Any], kept: int) -> Funnel:
    name = "erased since"
    checks = [Checked(**{**one, "samples": ()}) for one in told["checks"] if one["name"] != name]
    before = sum(one["number"] for one in told["checks"] if one["name"] == name)
    about = "was erased, or its user withdrew, after the dataset was made"
    gone = Checked(name, "dataset", about, before + told["kept"] - kept)
    return Funnel(told["conversations"], told["exchanges"], told["examples"], kept, (*checks, gone))


def _refilled(one: Mapping[str, Any], files: Mapping[str, Written]) -> FormatCount:
    mine = {path: told for path, told in files.items() if path.startswith(f"{one['name']}/")}
    return filled(FormatCount(**one), mine)


def _topics(terms: NDArray[np.uint32], before: Sequence[str]) -> dict[str, int]:
    """The topics that there were, by the same names, and how many examples each has now."""
    found = Counter(topics.topics([terms], [terms]).tolist())
    names: Counter[str] = Counter()
    for name in before:
        hashes = {topics.term_hash(term) for spoken in ("fr", "en", "") if (term := words.term(name, spoken))}
        names[name] = sum(found[one] for one in hashes)
    return {name: number for name, number in sorted(names.items(), key=lambda one: (-one[1], one[0])) if number}


def _question(example: Example) -> str:
    asked = next((message.text for message in reversed(example.messages) if message.role == "user"), "")
    return _BESIDE.sub("", asked)
