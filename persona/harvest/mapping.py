"""Makes the examples of chunks, by nothing but a job and a number."""

import gc
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from operator import itemgetter
from pathlib import Path

from persona.harvest.candidate import Candidate
from persona.harvest.checks.example import COUNTED, EXAMPLE
from persona.harvest.checks.rules import Check, that_matter
from persona.harvest.chunk import Heap, refusal, write_chunk
from persona.harvest.consented import consented
from persona.harvest.examples import examples_of
from persona.harvest.job import Job, Shop
from persona.harvest.language import language
from persona.harvest.mending import Mending, mended
from persona.harvest.prompt import Declared, Scene, Words
from persona.harvest.split import TEST, place, side_of
from persona.harvest.tally import Tally
from persona.harvest.turns import LoggedTurn, tree_of, turns_of
from persona.render.known import facts_shown, recalled_ids
from persona.store import log
from persona.store.codec import count_in, decode_plans, names_nothing
from persona.store.engine import Database
from persona.store.log import LogReader, Wanted
from persona.store.sqlite import existing
from persona.values.harvest import Sample
from persona.values.log import LoggedConversation, LoggedMemory
from persona.values.memory import Fact
from persona.values.message import Image
from persona.values.plan import NO_PLAN, Plan
from persona.window.counting import Counter, declared_in

_SHOWN = 240  # characters of a sample's question, and of its reply


class Mapper:
    """Makes chunks, one after the other, with what is made once for all of them."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._shop = Shop(job)
        store, selection = job.settings.store, job.recipe.selection
        self._database = Database(
            existing(job.settings.database_url), busy_timeout_s=store.busy_timeout_s, connections=1
        )
        self._reader = LogReader(Wanted((selection.route,), selection.since_us, min(selection.until_us, job.until_us)))
        self._declared: dict[str, Declared] = {}

    def make(self, number: int) -> None:
        """Makes the chunk of this number, all of it or nothing; a chunk that is there stays as it is."""
        folder = chunk_folder(self._job.work, number)
        if folder.exists():
            return
        with _without_collections():
            self._make(number, folder)

    def _make(self, number: int, folder: Path) -> None:
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        made = self._examples(number)
        write_chunk(unfinished, made.heaps, made.refused(), made.tally)
        unfinished.rename(folder)

    def _examples(self, number: int) -> "_Chunk":
        made, keys = _Chunk(self._job, self._shop), self._job.chunk_keys
        for found in self._reader.pages(self._database, number * keys, (number + 1) * keys - 1):
            made.take(found, self._words(found))
        return made

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    def _words(self, found: Iterable[LoggedConversation]) -> Words:
        """What the plans of these conversations name; what was declared is kept for the next ones."""
        told = {
            exchange.id: exchange.plan
            for conversation in found
            for exchange in conversation.exchanges
            if exchange.purpose == "turn" and exchange.reply_id
        }
        bare = dict.fromkeys(told, NO_PLAN)
        if self._job.recipe.raw:  # of which only what was remembered and declared is asked
            told = {id: plan for id, plan in told.items() if not names_nothing(plan)}
        plans = dict(zip(told, decode_plans(told.values()), strict=True))
        digests = {plan.tools_digest for plan in plans.values()} - {"", *self._declared}
        if digests:
            kept = self._database.run_now(lambda tx: log.prompts(tx, digests), write=False)
            self._declared.update({digest: declared_in(kept.get(digest, "")) for digest in sorted(digests)})
        ids = {id for plan in plans.values() for id in recalled_ids(plan)}
        memories = self._database.run_now(lambda tx: log.memories(tx, ids), write=False) if ids else {}
        withheld = self._withheld(found, plans, memories) if self._job.recipe.settings.consent == "required" else {}
        memories = {id: one for id, one in memories.items() if id not in withheld}
        return Words({**bare, **plans}, memories, self._declared, withheld)

    def _withheld(
        self, found: Iterable[LoggedConversation], plans: Mapping[str, Plan], memories: Mapping[str, LoggedMemory]
    ) -> dict[str, str]:
        """What the plans name of what was said, or learnt of it, without consent: the texts by their ids."""
        named = {id for plan in plans.values() for ids in facts_shown(plan) for id in ids}
        facts = [one for conversation in found for one in conversation.facts if one.id in named] if named else []
        remembered: list[Fact | LoggedMemory] = [*facts, *memories.values()]
        learnt = [one for one in remembered if one.message_id]
        if not learnt:
            return {}
        given = self._database.run_now(lambda tx: log.given(tx, {one.message_id for one in learnt}), write=False)
        return {one.id: one.text for one in learnt if one.message_id not in given}


@contextmanager
def _without_collections() -> Iterator[None]:
    """Rows make no cycles, and a chunk is small: looking for some again and again takes a twelfth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Chunk:
    """The examples of one chunk while they are made."""

    def __init__(self, job: Job, shop: Shop) -> None:
        self._job = job
        self._shop = shop
        self._split = job.recipe.settings.split
        self.tally = Tally()
        templates = job.recipe.settings.per_template is not None
        self.heaps = {shape: Heap(formats, shop.lexicon, templates) for shape, formats in shop.formats.items()}
        self._refused: list[tuple[int, bytes]] = []  # with the key of the conversation
        self._written = that_matter(EXAMPLE, shop.rules)
        self._counted = that_matter(COUNTED, shop.rules)

    def take(self, found: Iterable[LoggedConversation], words: Words) -> None:
        """Makes the examples of some conversations, step by step for all: what a step needs stays in a core's cache."""
        begun = [(logged, self._shop.mending(logged)) for logged in found]
        made = [self._made(logged, words, mending) for logged, mending in begun]
        for one in chain.from_iterable(made):
            one.language = language(f"{one.reply}\n{one.question}")
        good = [
            (mending, [one for one in some if not self._fails(one, self._written, mending)])
            for (_, mending), some in zip(begun, made, strict=True)
        ]
        ready = list(mended(good, self.tally))
        for (logged, mending), candidates in zip(begun, ready, strict=True):
            known = _stored(logged, self._shop.counter) if candidates else {}
            stands = place(self._split.seed, logged.owner)
            side = side_of(stands, self._split)
            for one in candidates:
                one.tokens = _tokens(one, self._shop.counter, known)
                self._keep(one, stands, side, mending)

    def _made(self, logged: LoggedConversation, words: Words, mending: Mending) -> list[Candidate]:
        rules = self._shop.rules
        conversation = consented(logged, words) if rules.consent_required else logged
        tree = tree_of(logged, conversation.messages)
        turns = turns_of(conversation, tree)
        self.tally.conversations += 1
        rounds = sum([len(turn.rounds) for turn in turns])
        self.tally.exchanges += len(turns) + rounds
        self.tally.dropped["tool rounds"] += rounds

        def refuse(turn: LoggedTurn, check: str, reason: str) -> None:
            self._refuse(logged, turn, check, reason, mending)

        made = list(examples_of(Scene(conversation, tree, words), turns, self._shop.making, refuse))
        self.tally.examples += len(made)
        return made

    def refused(self) -> list[bytes]:
        """The lines of what the checks took out, conversation by conversation."""
        return [line for _, line in sorted(self._refused, key=itemgetter(0))]

    def _keep(self, one: Candidate, stands: int, side: int, mending: Mending) -> None:
        if self._fails(one, self._counted, mending):
            return
        reason = self.heaps[one.example.shape].add(one, stands, self._timely(side, one), self.tally)
        if reason:
            self._drop(one, "form", reason, mending)
        else:
            self.tally.newest_us = max(self.tally.newest_us, one.at_us)

    def _timely(self, side: int, one: Candidate) -> int:
        """The side of an example: with a holdout by time the test is what comes after it, and nothing else."""
        holdout_us = self._job.recipe.holdout_us
        if not holdout_us:
            return side
        return TEST if one.at_us >= holdout_us else 0 if side == TEST else side

    def _fails(self, one: Candidate, checks: tuple[Check[Candidate], ...], mending: Mending) -> bool:
        for check in checks:
            reason = check.judge(one, self._shop.rules)
            if reason is not None:
                self._drop(one, check.name, reason, mending)
                return True
        return False

    def _drop(self, one: Candidate, check: str, reason: str, mending: Mending) -> None:
        self.tally.dropped[check] += 1
        line = refusal(one.example.id, one.conversation_key, one.owner_key, check)
        self._refused.append((one.conversation_key, line))
        if self.tally.wants_sample(check):
            said = mending.shown(_said(one.question, one.reply))
            self.tally.sample(check, Sample(one.example.id, mending.shown(reason), said))

    def _refuse(self, logged: LoggedConversation, turn: LoggedTurn, check: str, reason: str, mending: Mending) -> None:
        self.tally.dropped[check] += 1
        if check in _NOT_ASKED_FOR:
            return
        self._refused.append((logged.key, refusal(turn.exchange.id, logged.key, logged.owner_key, check)))
        if check != "consent" and self.tally.wants_sample(check):
            said = _said(turn.asked.text if turn.asked else "", turn.reply.text if turn.reply else "")
            self.tally.sample(check, Sample(turn.exchange.id, reason, mending.shown(said)))


_NOT_ASKED_FOR = frozenset(("arm", "dates", "users", "tags", "rating"))


def _tokens(one: Candidate, counter: Counter, known: dict[int, int]) -> int:
    """Those of the whole request with its reply, and of the longer one of two replies.

    `known` are the counts that were stored, by the identity of a message's parts: what was replaced is counted anew,
    once for all rows that show it.
    """
    example = one.example
    total = counter.framing.per_request + counter.tools(example.tools)
    for message in example.messages:
        which = id(message.parts)
        if which not in known:
            known[which] = counter.message(message)
        total += known[which]
    if example.rejected:
        total += max(0, counter.message(example.rejected) - counter.message(example.messages[-1]))
    return total


def _stored(conversation: LoggedConversation, counter: Counter) -> dict[int, int]:
    """The counts that this counter made when messages were stored; pictures are counted anew."""
    found = {}
    for message, raw in zip(conversation.messages, conversation.counts, strict=True):
        count = count_in(raw, counter.name)
        if count and Image not in map(type, message.parts):
            found[id(message.parts)] = count
    return found


def _said(question: str, reply: str) -> str:
    return f"{question[:_SHOWN]}\n→ {reply[:_SHOWN]}"


def chunk_folder(work: Path, number: int) -> Path:
    """Where a chunk lies when it is whole."""
    return work / "chunks" / f"{number:08d}"
