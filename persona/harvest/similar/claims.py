"""What a reply claims, and in what two replies to one question contradict each other."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from persona.harvest.similar.amounts import Amount, amounts
from persona.harvest.similar.stance import Stance, opposed, stance
from persona.values import words


@dataclass(frozen=True, slots=True)
class Claims:
    """The amounts, the stance and the values of slots in a reply."""

    amounts: frozenset[Amount]
    stance: Stance
    slots: frozenset[tuple[str, str]]


class Slots:
    """Known values, by slot; one is found in a text as whole words, whatever the case and the accents."""

    def __init__(self, values: Mapping[str, frozenset[str]]) -> None:
        self._of = {words.fold(value.lower()): slot for slot in sorted(values) for value in sorted(values[slot])}
        longest_first = sorted(self._of, key=lambda value: (-len(value), value))
        self._any = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)") if self._of else None

    def within(self, text: str) -> frozenset[tuple[str, str]]:
        """The slots and values that a text names."""
        if self._any is None:
            return frozenset()
        return frozenset((self._of[value], value) for value in self._any.findall(words.fold(text.lower())))


def claims(question: str, reply: str, slots: Slots) -> Claims:
    """What a reply to that question claims. What the question says itself is no claim of a slot."""
    return Claims(amounts(reply), stance(question, reply), slots.within(reply) - slots.within(question))


def differences(one: Claims, other: Claims) -> tuple[str, ...]:
    """What two replies say differently, for people to read; empty where they agree.

    One reply may say more than the other: "at 9" and "from 9 to 5" agree, "from 9 to 5" and "from 9 to 6" do not.
    """
    found = [*_of_amounts(one.amounts, other.amounts), *_of_slots(one.slots, other.slots)]
    if opposed(one.stance, other.stance):
        found.append("negation: one affirms what the other denies")
    return tuple(found)


def _of_amounts(one: frozenset[Amount], other: frozenset[Amount]) -> Iterable[str]:
    for kind in sorted({amount.kind for amount in one} & {amount.kind for amount in other}):
        left = {amount for amount in one if amount.kind == kind}
        right = {amount for amount in other if amount.kind == kind}
        if kind == "count":
            left, right = _comparable(left, right)
        mine, theirs = {amount.value for amount in left}, {amount.value for amount in right}
        if not (mine <= theirs or theirs <= mine):
            yield f"{kind}: {_listed(mine - theirs)} / {_listed(theirs - mine)}"


def _comparable(one: set[Amount], other: set[Amount]) -> tuple[set[Amount], set[Amount]]:
    """The counts of the same nouns; where each reply has one count alone, whatever it counts."""
    if len(one) == len(other) == 1:
        return one, other
    nouns = {amount.noun for amount in one} & {amount.noun for amount in other}
    return {amount for amount in one if amount.noun in nouns}, {amount for amount in other if amount.noun in nouns}


def _of_slots(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> Iterable[str]:
    for slot in sorted({slot for slot, _ in one} & {slot for slot, _ in other}):
        mine, theirs = ({value for name, value in side if name == slot} for side in (one, other))
        if not (mine <= theirs or theirs <= mine):
            yield f"{slot}: {_listed(mine - theirs)} / {_listed(theirs - mine)}"


def _listed(values: set[str]) -> str:
    return ", ".join(sorted(values))
