"""Looks through what is known of a user: said twice, of unknown source, stale, or at odds with something else."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil

from persona.errors import NotFound
from persona.store import facts, messages, owners
from persona.store.transaction import Transaction
from persona.values import words
from persona.values.memory import Fact
from persona.values.owner import Owner
from persona.values.privacy import Finding

SAME_TERMS = 0.75
"""The share of their terms that two facts have in common when they speak of the same thing; numbers aside."""

_RESTLESS = 3  # changes of a slot
_DAY_US = 86_400_000_000
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NOT = re.compile(
    r"\b(?:not|no|never|none|without|cannot|non|pas|jamais|sans|aucune?|ne|n)\b|n't\b|\bn'", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Said:
    """A fact by its words, what it speaks of (terms without numbers), its numbers, and whether it denies."""

    fact: Fact
    digest: str
    terms: frozenset[str]
    numbers: frozenset[str]
    denies: bool


def read(tx: Transaction, owner: Owner) -> tuple[list[Fact], set[str]]:
    """Every fact that the user ever had, and the messages among their sources that are still stored.

    Raises NotFound.
    """
    state = owners.find(tx, owner)
    if state is None:
        raise NotFound(f"nothing is stored for user {owner.name!r}", hint="`persona users list` says who there is")
    known = facts.history(tx, state.key)
    named = {fact.message_id for fact in known if fact.message_id}
    return known, {id for id in named if messages.to_remember(tx, state.key, id)}


def audit(
    known: Sequence[Fact], stored: Collection[str], many: Collection[str], now_us: int, days: int
) -> list[Finding]:
    """What is wrong with these facts. `stored` are ids of messages that are there, `many` slots of several values.

    A fact is stale when it is older than `days`, or when its slot changed three times or more in as many days.
    """
    holding = [fact for fact in known if not fact.valid_to_us]
    found = [*_in_slots(holding, many), *_free(holding), *_sources(holding, stored)]
    since_us = now_us - days * _DAY_US
    return [*found, *_old(holding, since_us, days), *_restless(known, many, since_us, days)]


def _in_slots(holding: Sequence[Fact], many: Collection[str]) -> Iterator[Finding]:
    for one, other in combinations((fact for fact in holding if fact.slot), 2):
        if one.slot == other.slot:
            same = one.value == other.value if one.value is not None else facts.digest(one) == facts.digest(other)
            if same:
                yield Finding("duplicate", (one, other), f"both say the same of {one.slot}")
            elif one.slot not in many:
                yield Finding("contradiction", (one, other), f"{one.slot} has one value, and two are held")


def _free(holding: Sequence[Fact]) -> Iterator[Finding]:
    """Pairs of free facts that speak of the same thing, by the terms they share."""
    said = [_read(fact) for fact in holding if not fact.slot]
    for one, other in _perhaps_alike(said):
        if one.digest == other.digest:
            yield Finding("duplicate", (one.fact, other.fact), "the same words")
        elif _alike(one, other):
            yield _judge(one, other)


def _perhaps_alike(said: Sequence[_Said]) -> list[tuple[_Said, _Said]]:
    """The pairs of the same words, and those that share one of the rarest terms of both: all that are alike do.

    Two sets with a share s of their terms in common have s of each in common, so not all of the 1 - s that are rarest
    are missing in the other: prefix filtering (Chaudhuri, Ganti and Kaushik, 2006). Comparing all pairs of 5,000 facts
    takes 8 s.
    """
    often = Counter(term for one in said for term in one.terms)
    met: dict[str, list[int]] = {}
    pairs: set[tuple[int, int]] = set()
    for place, one in enumerate(said):
        rarest = sorted(one.terms, key=lambda term: (often[term], term))
        for sign in [one.digest, *rarest[: len(rarest) - ceil(SAME_TERMS * len(rarest)) + 1]]:
            before = met.setdefault(sign, [])
            pairs.update((earlier, place) for earlier in before)
            before.append(place)
    return [(said[one], said[other]) for one, other in sorted(pairs)]


def _judge(one: _Said, other: _Said) -> Finding:
    pair = (one.fact, other.fact)
    if one.denies != other.denies:
        return Finding("contradiction", pair, "one denies what the other says")
    if one.numbers != other.numbers:
        return Finding("contradiction", pair, "they differ in a number")
    return Finding("duplicate", pair, "nearly the same words")


def _read(fact: Fact) -> _Said:
    numbers = frozenset(_NUMBER.findall(fact.text))
    terms = frozenset(words.terms(_NOT.sub(" ", _NUMBER.sub(" ", fact.text))))
    return _Said(fact, facts.digest(fact), terms, numbers, bool(_NOT.search(fact.text)))


def _alike(one: _Said, other: _Said) -> bool:
    either = one.terms | other.terms
    return bool(either) and len(one.terms & other.terms) >= SAME_TERMS * len(either)


def _sources(holding: Sequence[Fact], stored: Collection[str]) -> Iterator[Finding]:
    for fact in holding:
        if fact.message_id and fact.message_id not in stored:
            yield Finding("no source", (fact,), "the message it was learnt from is no longer stored")
        elif fact.origin == "learnt" and not fact.message_id:
            yield Finding("no source", (fact,), "a model learnt it, and no message is named")


def _old(holding: Sequence[Fact], before_us: int, days: int) -> Iterator[Finding]:
    for fact in holding:
        if fact.valid_from_us < before_us:
            yield Finding("stale", (fact,), f"it has held for more than {days} days")


def _restless(known: Sequence[Fact], many: Collection[str], since_us: int, days: int) -> Iterator[Finding]:
    changes: dict[str, list[Fact]] = {}
    for fact in known:
        if fact.slot and fact.slot not in many and fact.valid_to_us > since_us:
            changes.setdefault(fact.slot, []).append(fact)
    for slot, ended in changes.items():
        if len(ended) >= _RESTLESS:
            yield Finding("stale", tuple(ended), f"{slot} changed {len(ended)} times in {days} days")
