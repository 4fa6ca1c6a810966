"""What a dataset made of the synthetic chats, held against the truth: what was found, what was taken for something.

`python -m benchmarks.harvest_judge CONVERSATIONS FOLDER` prints ten of everything that went wrong in a dataset.
"""

import json
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harvest_chats import Chats, Place, Plant, Turn
from benchmarks.harvest_run import FORMAT
from benchmarks.harvest_store import place_of

Where = tuple[int, int]
_ALIKE = ("duplicate", "near duplicate", "crosses sides")
_APART = "crosses sides"
_CONTRADICTS = "contradiction"
_COMPARED = frozenset((*_ALIKE, _CONTRADICTS))
_EXAMPLES = 10


@dataclass(slots=True)
class Count:
    """How many there were, and how many of them were as wished; with some that were not."""

    total: int = 0
    good: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, good: bool, what: str) -> None:
        """Counts one."""
        self.total += 1
        self.good += good
        if not good and len(self.wrong) < _EXAMPLES:
            self.wrong.append(what)

    @property
    def found(self) -> float:
        """Percent that were as wished."""
        return 100 * self.good / self.total if self.total else 100.0

    @property
    def lost(self) -> float:
        """Percent that were not."""
        return 100 - self.found


Counts = defaultdict[str, Count]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an exchange: the check that took it out, empty when it was kept, and what for."""

    check: str
    winner: Where | None
    differs: str


@dataclass(slots=True)
class Judged:
    """All counts of one dataset."""

    copies: Counts = field(default_factory=lambda: defaultdict(Count))
    contradictions: Counts = field(default_factory=lambda: defaultdict(Count))
    kept: Counts = field(default_factory=lambda: defaultdict(Count))
    private: Counts = field(default_factory=lambda: defaultdict(Count))
    clean: Count = field(default_factory=Count)


def judge(chats: Chats, folder: Path) -> Judged:
    """Everything, of a dataset that was made raw."""
    judged = Judged()
    _judge_rows(chats, _fates(folder), judged)
    _judge_private(chats, folder, judged)
    return judged


def _lines(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _fates(folder: Path) -> dict[Where, Fate]:
    """What became of every exchange that was compared with the others."""
    fates = {}
    for row in _lines(folder / "rows.jsonl"):
        check = str(row.get("dropped", ""))
        if not check or check in _COMPARED:
            winner = place_of(str(row["for"])) if "for" in row else None
            fates[place_of(str(row["example"]))] = Fate(check, winner, str(row.get("differs", "")))
    return fates


def _judge_rows(chats: Chats, fates: dict[Where, Fate], judged: Judged) -> None:
    clusters: dict[tuple[str, int], list[Where]] = defaultdict(list)
    for key in range(1, chats.conversations + 1):
        turns = None
        for where in [(key, number) for number in range(3)]:
            fate = fates.get(where)
            place = chats.place(*where)
            if fate is None:
                continue
            if place and place.role not in ("follow-up", "thanks"):
                clusters[place.role, place.cluster].append(where)
            if place is None or place.role in ("alike", "follow-up"):
                turns = turns or (chats.chat(key).turns if fate.check else ())
                _judge_bystander(chats, where, place, fate, turns, judged)
    for (role, _), members in clusters.items():
        if role in ("exact", "near"):
            _judge_copies(chats, members, fates, judged)
        elif role in ("contradiction", "agreement") and len(members) > 1:
            _judge_pair(chats, members, fates, judged)


def _judge_bystander(
    chats: Chats, where: Where, place: Place | None, fate: Fate, turns: tuple[Turn, ...], judged: Judged
) -> None:
    """An exchange that says what no other says, unless chance made it so."""
    role = place.role if place else "plain"
    if fate.check and fate.winner:
        turn, other = turns[where[1]], chats.chat(fate.winner[0]).turns[fate.winner[1]]
        if _words(turn) == _words(other):
            return
        what = f"{fate.check} {fate.differs}\n    {_told(turn)}\n    {_told(other)}"
        judged.kept[f"{role}: {'contradicts' if fate.check == _CONTRADICTS else 'duplicate'}"].add(False, what)
    else:
        for reason in ("contradicts", "duplicate"):
            judged.kept[f"{role}: {reason}"].add(not fate.check, fate.check)


def _judge_copies(chats: Chats, members: list[Where], fates: dict[Where, Fate], judged: Judged) -> None:
    left = [where for where in members if not fates[where].check]
    turns = [chats.chat(key).turns[number] for key, number in members]
    kinds = sorted(turn.kind for turn in turns)
    role = turns[0].place.role if turns[0].place else ""
    for extra in range(1, len(members)):
        name = f"{role} {kinds[-1]}".strip()
        judged.copies[name].add(extra >= len(left), "\n    ".join(map(_told, turns)))


def _judge_pair(chats: Chats, members: list[Where], fates: dict[Where, Fate], judged: Judged) -> None:
    checks = {fates[where].check for where in members}
    if _APART in checks:  # on two sides, where one is taken out whatever it says
        return
    turns = [chats.chat(key).turns[number] for key, number in members]
    told = "\n    ".join([", ".join(checks), *map(_told, turns)])
    if turns[0].place and turns[0].place.role == "contradiction":
        judged.contradictions[turns[0].kind].add(_CONTRADICTS in checks, told)
        judged.kept["contradiction: both left"].add(bool(checks - {""}), told)
        return
    for where in members:
        judged.kept["agreement: dropped"].add(not fates[where].check, told)


def _told(turn: Turn) -> str:
    return f"{turn.asked.text!r} → {turn.told.text!r}"


def _words(turn: Turn) -> list[str]:
    return re.findall(r"\w+", f"{turn.asked.text} {turn.told.text}".lower())


def _judge_private(chats: Chats, folder: Path, judged: Judged) -> None:
    seen: dict[tuple[int, int], str] = {}
    for where, messages in _examples(folder):
        if where[0] not in (next(iter(seen), where))[:1]:
            seen = {}  # examples of one conversation follow each other
        turns = chats.chat(where[0]).turns[: where[1] + 1]
        said = [said for turn in turns for said in (turn.asked, turn.told)]
        for depth, (one, text) in enumerate(zip(said, messages[-len(said) :], strict=True)):
            if seen.get((where[0], depth)) == text:
                continue
            known, seen[where[0], depth] = (where[0], depth) in seen, text
            if one.plants:
                for plant in one.plants:
                    judged.private[plant.kind].add(not left(plant, text), f"{one.text!r}\n    {text!r}")
            elif not known or text.strip() != one.text.strip():
                judged.clean.add(text.strip() == one.text.strip(), f"{one.text!r}\n    {text!r}")


def _examples(folder: Path) -> Iterator[tuple[Where, list[str]]]:
    """The examples with the texts of their messages, in the order of the list of rows."""
    sides = {path.name.split(".")[0]: _lines(path) for path in sorted((folder / FORMAT).glob("*.jsonl"))}
    for row in _lines(folder / "rows.jsonl"):
        if "side" in row:
            example = next(sides[str(row["side"])])
            messages = example["messages"]
            assert isinstance(messages, list)
            yield place_of(str(row["example"])), [one["content"] for one in messages]


def left(plant: Plant, text: str) -> bool:
    """Whether enough of it is left in a text to know it again."""
    kind, said = plant.kind, _folded(plant.text)
    if kind.startswith("profile"):
        words = [said] if kind == "profile value" else re.findall(r"\w{3,}", said)  # no particles
        return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", _folded(text)) for word in words)
    if kind.startswith("email"):
        return re.split(r"\s*(?:@|\(at\)|\[at\])", said)[0] in _folded(text)
    if kind == "key":
        middle = len(plant.text) // 2
        return plant.text[middle - 6 : middle + 6] in text
    signs = r"[^0-9a-z]" if kind == "IBAN" else r"\D"
    return re.sub(signs, "", said)[-8 if kind == "IBAN" else -6 :] in re.sub(signs, "", _folded(text))


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def main(conversations: str, folder: str) -> None:
    """Prints what went wrong."""
    judged = judge(Chats(int(conversations)), Path(folder))
    for name in ("copies", "contradictions", "kept", "private"):
        for what, count in sorted(getattr(judged, name).items()):
            _print(f"{name}: {what}", count)
    _print("clean messages", judged.clean)


def _print(what: str, count: Count) -> None:
    print(f"\n{what}: {count.good:,} of {count.total:,} as wished ({count.found:.2f} %)")
    for one in count.wrong:
        print(f"  - {one}")


if __name__ == "__main__":
    main(*sys.argv[1:])
