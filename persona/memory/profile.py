"""What is known about a user by being told: facts, slots, consent, and how to address them."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from persona.errors import InvalidInput, NotFound
from persona.memory.slots import UNPRINTABLE, Slot, Slots, visible
from persona.store import consents, facts, owners
from persona.store.engine import Database
from persona.store.ids import new_id
from persona.store.transaction import Transaction
from persona.values.memory import Fact, Told
from persona.values.owner import Owner

log = logging.getLogger("persona.profile")

_LONGEST_TRAIT = 100
_LONGEST_FACT = 2_000
_LONGEST_KIND = 40


async def remember(database: Database, owner: Owner, text: str, kind: str, now_us: int, origin: Told = "app") -> Fact:
    """Keeps a fact about the user; the same fact again is the one that is there. Raises InvalidInput."""
    if not isinstance(kind, str) or not kind or len(kind) > _LONGEST_KIND or not kind.isprintable():
        raise InvalidInput(f"the kind of a fact is 1 to {_LONGEST_KIND} characters", hint="for example 'preference'")
    fact = Fact(new_id("fct"), said(text), kind, origin, now_us, now_us)

    def write(tx: Transaction) -> Fact:
        kept = facts.add(tx, _locked(tx, owner, now_us), fact)
        assert kept is not None, "what is told outright is kept"  # noqa: S101 - narrows the type
        return kept

    return await database.run(write)


async def fill(
    database: Database,
    slots: Slots,
    owner: Owner,
    values: Mapping[str, object],
    now_us: int,
    since_us: int | None = None,
    origin: Told = "app",
) -> tuple[Fact, ...]:
    """Sets slots to values, all or none; None empties one, and a list is all that a slot of several holds.

    Raises InvalidInput for an unknown slot, a value of another type, and a time that is still to come.
    """
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise InvalidInput("the values of slots are a mapping from their names", hint="for example {'city': 'Brest'}")
    if since_us == 0:
        since_us = 1  # an end at 0 would say that the fact before it still holds
    at_us = now_us if since_us is None else since_us
    if at_us > now_us:
        raise InvalidInput("the time since when it holds is still to come", hint="pass one that is past")
    order = count()  # facts of one moment keep their order
    told = [
        (slot, [_filled(slot, value, text, now_us + next(order), since_us, origin) for value, text in each])
        for slot, each in [(slots.named(name), _values(slots.named(name), given)) for name, given in values.items()]
    ]

    def write(tx: Transaction) -> tuple[Fact, ...]:
        key = _locked(tx, owner, now_us, facts.lock)
        return tuple(kept for slot, each in told for kept in _fill_one(tx, key, slot, each, at_us))

    return await database.run(write)


def _locked(tx: Transaction, owner: Owner, now_us: int, lock: Callable[[Transaction, int], bool] = owners.lock) -> int:
    """The owner's key, made when new; who was erased since they were found is made anew."""
    while not lock(tx, key := owners.find_or_make(tx, owner, now_us).key):
        continue
    return key


def _filled(slot: Slot, value: object, text: str, now_us: int, since_us: int | None, origin: Told) -> Fact:
    at_us = now_us if since_us is None else since_us
    return Fact(new_id("fct"), text, "fact", origin, now_us, at_us, slot=slot.name, value=value)


def _fill_one(tx: Transaction, owner_key: int, slot: Slot, told: Sequence[Fact], at_us: int) -> list[Fact]:
    kept = [one for fact in told if (one := facts.add(tx, owner_key, fact, many=slot.many))]
    if slot.many or not told:
        stay = {fact.id for fact in kept}
        for fact in facts.of_slot(tx, owner_key, slot.name):
            if fact.id not in stay:
                facts.end(tx, owner_key, fact.id, max(at_us, fact.valid_from_us))
    return kept


def _values(slot: Slot, given: object) -> list[tuple[object, str]]:
    if given is None:
        return []
    several = slot.many and isinstance(given, list | tuple | set | frozenset)
    read = [slot.read(one) for one in (cast(Collection[object], given) if several else (given,))]
    return [(value, said(text)) for value, text in read]


def said(text: str) -> str:
    """The words of a fact, on one line, without what nobody sees. Raises InvalidInput."""
    if not isinstance(text, str):
        raise InvalidInput(f"a fact is a str, and this is a {type(text).__name__}", hint="pass a str")
    words = " ".join(visible(text).split())
    if not words or len(words) > _LONGEST_FACT:
        raise InvalidInput(
            f"a fact is 1 to {_LONGEST_FACT} characters, and this one has {len(words)}",
            hint="say one thing in one or two sentences; longer texts are knowledge",
        )
    return words


async def forget(database: Database, owner: Owner, fact_id: str, now_us: int) -> None:
    """Ends a fact: from the next turn on no window shows it. Raises NotFound."""

    def write(tx: Transaction) -> bool:
        state = owners.find(tx, owner)
        return state is not None and facts.end(tx, state.key, fact_id, now_us)

    if not await database.run(write):
        raise NotFound(f"no fact {fact_id!r} holds for this user", hint="facts() lists those that do")


async def known(
    database: Database, owner: Owner, at_us: int | None = None, *, history: bool = False
) -> tuple[Fact, ...]:
    """The facts that hold now, or held at a time, the oldest first; with `history` all that ever did."""
    if history and at_us is not None:
        raise InvalidInput("a time and the whole history were asked for", hint="pass one of them")

    def read(tx: Transaction) -> tuple[Fact, ...]:
        state = owners.find(tx, owner)
        if state is None:
            return ()
        if history:
            return tuple(facts.history(tx, state.key))
        return tuple(facts.holding(tx, state.key) if at_us is None else facts.at(tx, state.key, at_us))

    return await database.run(read, write=False)


async def typed(database: Database, slots: Slots, owner: Owner, at_us: int | None = None) -> dict[str, object]:
    """What fills the slots, in their types and order; a slot of several gives a list, an empty one is left out."""
    found: dict[str, list[object]] = {name: [] for name in slots.by_name}
    # of two users who were joined, both may have said something of one day: what began last, as when it holds
    for fact in sorted(await known(database, owner, at_us), key=lambda fact: fact.valid_from_us):
        if fact.slot not in found:
            continue  # a fact of no slot, or of one that is no longer declared
        try:
            found[fact.slot].append(slots.named(fact.slot).typed(fact.value))
        except ValueError:
            log.warning("a value of the slot %s no longer fits its type, and is left out", fact.slot)
    return {name: each if slots.named(name).many else each[-1] for name, each in found.items() if each}


async def consent(database: Database, owner: Owner, training: bool, now_us: int) -> None:
    """Records whether the user's exchanges may be used for training, from now on."""

    def write(tx: Transaction) -> None:
        consents.record(tx, _locked(tx, owner, now_us), training, now_us)

    await database.run(write)


async def learning(database: Database, owner: Owner, on: bool, now_us: int) -> None:
    """Records whether facts are learnt from what the user says from now on."""
    await database.run(lambda tx: owners.set_learning(tx, _locked(tx, owner, now_us), on))


async def address(
    database: Database, owner: Owner, name: str | None, locale: str | None, time_zone: str | None, now_us: int
) -> None:
    """Records the user's name, locale and time zone, which the input section states; None leaves one as it is.

    Raises InvalidInput.
    """
    for value in (name, locale, time_zone):
        if value and (not isinstance(value, str) or len(value) > _LONGEST_TRAIT or UNPRINTABLE.search(value)):
            raise InvalidInput(f"a name, locale or time zone is a str of at most {_LONGEST_TRAIT} printable characters")
    if time_zone and not _is_zone(time_zone):
        raise InvalidInput(f"there is no time zone {time_zone!r}", hint="name one such as 'Europe/Paris'")

    def write(tx: Transaction) -> None:
        key = _locked(tx, owner, now_us)  # before it is read: another one may say the rest at once
        state = owners.find_or_make(tx, owner, now_us)
        told = {"display_name": name, "locale": locale, "time_zone": time_zone}
        known = {trait: value for trait, value in told.items() if value is not None}
        owners.set_traits(tx, key, replace(state.traits, **known))

    await database.run(write)


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
