"""What is known about a user by being told: facts, consent, and how to address them."""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from persona.errors import InvalidInput, NotFound
from persona.store import facts, owners, tasks
from persona.store.engine import Database, Transaction
from persona.store.ids import new_id
from persona.values.memory import Fact
from persona.values.owner import Owner

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_TRAIT = 100
_LONGEST_FACT = 2_000
_LONGEST_KIND = 40


async def remember(database: Database, owner: Owner, text: str, kind: str, now_us: int) -> Fact:
    """Keeps a fact about the user; the same fact again is the one that is there. Raises InvalidInput."""
    said = " ".join(text.split())
    if not said or len(said) > _LONGEST_FACT:
        raise InvalidInput(
            f"a fact is 1 to {_LONGEST_FACT} characters, and this one has {len(said)}",
            hint="say one thing in one or two sentences; longer texts are knowledge",
        )
    if _UNPRINTABLE.search(said):
        raise InvalidInput("the fact holds control characters or half a surrogate pair", hint="remove them first")
    if not kind or len(kind) > _LONGEST_KIND or not kind.isprintable():
        raise InvalidInput(f"the kind of a fact is 1 to {_LONGEST_KIND} characters", hint="for example 'preference'")
    fact = Fact(new_id("fct"), said, kind, "app", now_us, now_us)

    def write(tx: Transaction) -> Fact:
        state = owners.find_or_make(tx, owner, now_us)
        kept = facts.add(tx, state.key, fact)
        if kept == fact.id:
            tasks.put(tx, "index", state.key, fact.id, now_us)
        return next(known for known in facts.holding(tx, state.key) if known.id == kept)

    return await database.run(write)


async def forget(database: Database, owner: Owner, fact_id: str, now_us: int) -> None:
    """Ends a fact: from the next turn on no window shows it. Raises NotFound."""

    def write(tx: Transaction) -> bool:
        state = owners.find(tx, owner)
        return state is not None and facts.end(tx, state.key, fact_id, now_us)

    if not await database.run(write):
        raise NotFound(f"no fact {fact_id!r} holds for this user", hint="facts() lists those that do")


async def holding(database: Database, owner: Owner) -> tuple[Fact, ...]:
    """The facts that hold now, the oldest first."""

    def read(tx: Transaction) -> tuple[Fact, ...]:
        state = owners.find(tx, owner)
        return tuple(facts.holding(tx, state.key)) if state else ()

    return await database.run(read, write=False)


async def consent(database: Database, owner: Owner, training: bool, now_us: int) -> None:
    """Records whether the user's exchanges may be used for training, from now on."""

    def write(tx: Transaction) -> None:
        owners.set_consent(tx, owners.find_or_make(tx, owner, now_us).key, training, now_us)

    await database.run(write)


async def address(
    database: Database, owner: Owner, name: str | None, locale: str | None, time_zone: str | None, now_us: int
) -> None:
    """Records the user's name, locale and time zone, which the input section states; None leaves one as it is.

    Raises InvalidInput.
    """
    for value in (name, locale, time_zone):
        if value and (len(value) > _LONGEST_TRAIT or _UNPRINTABLE.search(value)):
            raise InvalidInput(f"a name, locale or time zone has at most {_LONGEST_TRAIT} printable characters")
    if time_zone and not _is_zone(time_zone):
        raise InvalidInput(f"there is no time zone {time_zone!r}", hint="name one such as 'Europe/Paris'")

    def write(tx: Transaction) -> None:
        state = owners.find_or_make(tx, owner, now_us)
        told = {"display_name": name, "locale": locale, "time_zone": time_zone}
        known = {trait: value for trait, value in told.items() if value is not None}
        owners.set_traits(tx, state.key, replace(state.traits, **known))

    await database.run(write)


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
