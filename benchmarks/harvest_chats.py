"""Synthetic support chats, each made anew from its key, with the truth about what was planted in them.

Written without a look at what finds it, and frozen before: the benchmark of harvest judges by it.
"""

import random
from dataclasses import dataclass
from typing import Literal

from benchmarks import harvest_private as private
from benchmarks.harvest_pairs import NEAR, alike, nearly, twice
from benchmarks.harvest_private import Person
from benchmarks.harvest_voices import VOICES, Voice
from benchmarks.harvest_words import say, slots, thing

TURNS = 3
_PER_USER, _PER_TENANT = 4, 25
Role = Literal["plain", "exact", "near", "contradiction", "agreement", "alike", "follow-up", "thanks"]
_SHARES: tuple[tuple[Role, float, int], ...] = (  # of all exchanges, and members in a cluster
    ("exact", 0.03, 3),
    ("near", 0.04, 2),
    ("contradiction", 0.02, 2),
    ("agreement", 0.02, 2),
    ("alike", 0.02, 2),
    ("follow-up", 0.03, 1),
    ("thanks", 0.03, 1),
)
_WITH_PRIVATE, _ECHOED, _NAMED = 0.12, 0.3, 0.06


@dataclass(frozen=True, slots=True)
class Plant:
    """Personal data in a message: of what kind, and as it stands there."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """One message with what is personal in it."""

    text: str
    plants: tuple[Plant, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """The role of an exchange: which member of which cluster it is."""

    role: Role
    cluster: int
    member: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its reply. `kind` tells near duplicates and contradictions apart by how they were made."""

    asked: Said
    told: Said
    place: Place | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation of a user, by the keys of both."""

    key: int
    owner: int
    turns: tuple[Turn, ...]


class Chats:
    """So many conversations: half of them, and of the users, speak French."""

    def __init__(self, conversations: int, seed: int = 1) -> None:
        self.conversations = conversations
        self.owners = max(8, conversations // _PER_USER)
        self._seed = seed
        self._places = self._planted()

    def language(self, key: int) -> str:
        """Of a conversation or an owner, by their keys."""
        return "fr" if key % 2 else "en"

    def tenant(self, owner: int) -> str:
        """The tenant of an owner."""
        return f"tenant-{owner // _PER_TENANT}"

    def person(self, owner: int) -> Person:
        """Who an owner is."""
        return private.person(random.Random(f"{self._seed}/owner/{owner}"), self.language(owner))

    def place(self, key: int, turn: int) -> Place | None:
        """The role of an exchange; None for those that are like no others."""
        place = self._places.get(TURNS * key + turn)
        return None if place and place.role == "follow-up" and not turn else place  # nothing to go on from

    def chat(self, key: int) -> Chat:
        """The conversation with a key, the same every time."""
        dice = random.Random(f"{self._seed}/{key}")
        owner = 2 * dice.randrange(self.owners // 2) + 1 + (key + 1) % 2
        writer = _Writer(dice, self.language(key), self.person(owner))
        turns = tuple(self._turn(writer, self.place(key, number), number) for number in range(TURNS))
        return Chat(key, owner, turns)

    def _turn(self, writer: "_Writer", place: Place | None, number: int) -> Turn:
        if place is None:
            return writer.turn(number)
        seed = f"{self._seed}/{place.role}/{place.cluster}"
        if place.role in ("exact", "near"):
            first = _Writer(random.Random(seed), writer.language, writer.person).bare(number=1)
            if place.role == "near" and place.member:
                form = NEAR[place.cluster % len(NEAR)]
                said = nearly(random.Random(f"{seed}/{place.member}"), *first, writer.language, form)
                return Turn(Said(said[0]), Said(said[1]), place, form)
            return Turn(Said(first[0]), Said(first[1]), place)
        if place.role == "alike":
            asked, told = alike(seed, writer.language, place.member)
            return Turn(Said(asked), Said(told), place)
        if place.role in ("contradiction", "agreement"):
            asked, told, kind = twice(seed, writer.language, place.member, agree=place.role == "agreement")
            return Turn(Said(asked), Said(told), place, kind)
        asked, told = writer.short(place.role)
        return Turn(Said(asked), Said(told), place)

    def _planted(self) -> dict[int, Place]:
        """The exchanges with a role, by their numbers; a cluster is anywhere in the log, in one language."""
        dice = random.Random(f"{self._seed}/places")
        total = TURNS * self.conversations
        free: dict[int, list[int]] = {0: [], 1: []}
        for key in range(1, self.conversations + 1):
            free[key % 2] += range(TURNS * key, TURNS * key + TURNS)
        for numbers in free.values():
            dice.shuffle(numbers)
        places: dict[int, Place] = {}
        for role, share, members in _SHARES:
            for cluster in range(round(total * share / members)):
                numbers = free[cluster // len(NEAR) % 2]
                for member in range(members):
                    places[numbers.pop()] = Place(role, cluster, member)
        return places


class _Writer:
    """Somebody who writes to a shop, and who answers."""

    def __init__(self, dice: random.Random, language: str, person: Person) -> None:
        self._dice = dice
        self.language = language
        self.person = person
        self._voice: Voice = VOICES[language]
        asks, self._tells = dice.choice(self._voice.topics)
        self._asks = dice.sample(asks, len(asks))  # nobody asks the same twice
        named = thing(dice, language)
        self._slots = {**slots(language), "thing": named}

    def turn(self, number: int) -> Turn:
        """A question and a reply that are like no others, now and then with personal data."""
        dice = self._dice
        asked, told = self.bare(number)
        if dice.random() >= _WITH_PRIVATE:
            if dice.random() < _NAMED:
                return Turn(Said(asked), self._to_them(told))
            return Turn(Said(asked), Said(told))
        kind = dice.choice(tuple(private.KINDS))
        plant = Plant(kind, private.KINDS[kind](dice, self.person))
        carrier = self._carried(dice.choice(private.carriers(_carrier_of(kind), self.language)), plant)
        question = " ".join(dice.sample((asked, carrier), 2)) if dice.random() < 0.7 else f"{asked}\n{carrier}"
        if kind.startswith("profile") or dice.random() >= _ECHOED:
            return Turn(Said(question, (plant,)), Said(told))
        echo = self._carried(dice.choice(private.ECHOES[self.language]), plant)
        return Turn(Said(question, (plant,)), Said(f"{echo} {told}", (plant,)))

    def bare(self, number: int) -> tuple[str, str]:
        """A question and a reply with nothing personal. The first of a chat tells more."""
        dice, voice = self._dice, self._voice
        told = [*dice.sample(self._tells, dice.choice((2, 2, 3))), dice.choice(voice.asides)]
        dice.shuffle(told)
        asked = [*dice.sample(voice.stories, 1), *dice.sample(voice.moods, dice.choice((0, 1)))]
        if number and dice.random() < 0.6:
            asked = dice.sample(voice.moods, dice.choice((1, 2)))
        question = [dice.choice(voice.greetings) if not number else "", *asked, self._asks[number]]
        reply = [dice.choice(voice.openers), *told, dice.choice(voice.closers)]
        return self._joined(question), self._joined(reply)

    def short(self, role: Role) -> tuple[str, str]:
        """A question that means nothing without what came before, or thanks."""
        asked, told = self._dice.choice(self._voice.follow_ups if role == "follow-up" else self._voice.thanks)
        return self._joined([asked]), self._joined([told])

    def _to_them(self, told: str) -> Said:
        last, full = self.person.last, self.person.full
        plant = Plant("profile name", self._dice.choice((full, self.person.first, last)))
        return Said(f"{self._carried(self._dice.choice(private.NAMED[self.language]), plant)} {told}", (plant,))

    def _carried(self, template: str, plant: Plant) -> str:
        return say(self._dice, template, {**self._slots, "it": plant.text})

    def _joined(self, parts: list[str]) -> str:
        return " ".join(said for part in parts if (said := say(self._dice, part, self._slots)))


def _carrier_of(kind: str) -> str:
    return {"email spelt out": "email"}.get(kind, kind)
