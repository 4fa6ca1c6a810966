"""Personal data in the examples of a conversation, replaced at once: a value becomes the same one in all of them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Literal

from persona.harvest.candidate import Candidate
from persona.harvest.personal.mend import Mender
from persona.harvest.personal.signs import signs_of_all
from persona.harvest.personal.texts import Laid, lay
from persona.harvest.personal.values import Known
from persona.harvest.tally import Tally
from persona.values.harvest import Sample
from persona.values.log import LoggedConversation
from persona.values.memory import Fact
from persona.values.message import Message, Part, Text, say, text_of
from persona.values.record import record

_REGIONS = {"fr": ("FR",), "de": ("DE",), "en": ("US", "GB"), "es": ("ES",), "it": ("IT",), "nl": ("NL",)}
_NAMES = re.compile(r"name|nom|alias|signature", re.IGNORECASE)
_PLACES = re.compile(r"city|town|village|street|address|place|ville|commune|rue|adresse|lieu", re.IGNORECASE)
_EMPLOYERS = re.compile(
    r"company|employer|organi[sz]ation|school|entreprise|employeur|soci[ée]t[ée]|[ée]cole", re.IGNORECASE
)
_DIGIT = re.compile(r"\d")

Parts = tuple[Part, ...]
Put = Callable[[Message], Message]
_Loss = dict[Parts, tuple[Message, bool]]


class Mending:
    """What is known of the user of one conversation, and the mending of its examples."""

    def __init__(self, mender: Mender, conversation: LoggedConversation, seed: int, fixed: frozenset[Parts]) -> None:
        self._mender = mender
        named = f"{conversation.owner_key}/{conversation.key}"
        self._who = tuple(known_of(conversation)), regions_of(conversation.traits.locale), seed, named
        self._fixed = fixed

    def draft(self, candidates: Sequence[Candidate]) -> "Draft":
        """What the candidates say, laid end to end. What the settings say, such as instructions, stays as it is."""
        loss, blocks = self._texts(candidates)
        said = [message for message, _ in loss.values()]
        return Draft(candidates, lay(said), [weight for _, weight in loss.values()], blocks)

    def mend(self, draft: "Draft", signs: frozenset[str], tally: Tally) -> Sequence[Candidate]:
        """The candidates of a draft without personal data; `signs` are those of its text."""
        candidates, said, blocks = draft.candidates, draft.laid.messages, draft.blocks
        mended = self._mender.mend_laid(draft.laid, signs, draft.weights, *self._who)
        if not mended.counts:
            return candidates
        for kind, number in mended.counts.items():
            tally.mended[f"personal: {kind}"] += number
        for sample in mended.samples:
            name = f"personal: {sample.kind}"
            if tally.wants_sample(name):
                tally.sample(name, Sample(candidates[0].example.id, sample.kind, sample.before, sample.after))
        new = {
            old.parts: message.parts for old, message in zip(said, mended.messages, strict=True) if message is not old
        }
        for whole, (block, question) in blocks.items():
            before, after = new.get(block.parts, block.parts), new.get(question.parts, question.parts)
            if before is not block.parts or after is not question.parts:
                new[whole] = (Text(text_of(before) + text_of(after)),)
        put = _putting(new)
        for one in candidates:
            one.put(put)
        return candidates

    def _texts(self, candidates: Sequence[Candidate]) -> tuple[_Loss, dict[Parts, tuple[Message, Message]]]:
        """What is to be looked through, each once and whether it carries loss; and what is made of two of these."""
        loss: _Loss = {}
        blocks: dict[Parts, tuple[Message, Message]] = {}
        seen: dict[int, bool] = {}  # with loss or without: the same messages come again and again, as the same objects
        for one in candidates:
            for message, weight in _messages(one):
                before = seen.get(id(message.parts))
                if before or before is weight:
                    continue
                seen[id(message.parts)] = weight
                if message.parts in self._fixed:
                    continue
                if parted := _parted(message, one.asked):
                    blocks[message.parts] = parted
                for each in parted or (message,):
                    known = loss.setdefault(each.parts, (each, weight))
                    if weight and not known[1]:
                        loss[each.parts] = known[0], True
        return loss, blocks

    def shown(self, text: str) -> str:
        """A text as a report may show it."""
        return self._mender.mend([say("user", text)], [False], *self._who).messages[0].text


@record(frozen=True, slots=True)
class Draft:
    """Candidates, the messages in them as one text, whether each carries loss, and what is made of two of these."""

    candidates: Sequence[Candidate]
    laid: Laid
    weights: Sequence[bool]
    blocks: Mapping[Parts, tuple[Message, Message]]


def mended(some: Iterable[tuple[Mending, Sequence[Candidate]]], tally: Tally) -> Iterator[Sequence[Candidate]]:
    """The candidates of some conversations without personal data, whose signs are looked for in all of them at once."""
    drafts = [(mending, mending.draft(candidates)) for mending, candidates in some]
    signs = signs_of_all([draft.laid.text for _, draft in drafts])
    for (mending, draft), each in zip(drafts, signs, strict=True):
        yield mending.mend(draft, each, tally)


def known_of(conversation: LoggedConversation) -> Iterator[Known]:
    """What the profile holds, or ever held, that tells who somebody is: the name, and the values of its slots."""
    if conversation.traits.display_name:
        yield Known("name", conversation.traits.display_name)
    for fact in conversation.facts:
        if fact.slot:
            yield from _of_slot(fact)


def _of_slot(fact: Fact) -> Iterator[Known]:
    """Names, places and employers by what their slot is called; of other values those with digits in them."""
    for value in fact.value if isinstance(fact.value, list) else [fact.value]:
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            continue
        kind = _kind_of(fact.slot)
        if kind != "value" or _DIGIT.search(text):
            yield Known(kind, text)


@lru_cache(maxsize=1024)
def _kind_of(slot: str) -> Literal["name", "place", "organisation", "value"]:
    if _NAMES.search(slot):
        return "name"
    if _PLACES.search(slot):
        return "place"
    return "organisation" if _EMPLOYERS.search(slot) else "value"


def regions_of(locale: str) -> tuple[str, ...]:
    """Where a user is (ISO 3166), by their locale: `fr-CA` says so, `fr` only guesses."""
    language, _, region = locale.replace("_", "-").partition("-")
    if len(region) == 2 and region.isalpha():
        return (region.upper(),)
    return _REGIONS.get(language.lower(), ())


def _messages(one: Candidate) -> Iterator[tuple[Message, bool]]:
    example = one.example
    said = one.replies if example.rejected is None else (example.rejected, *one.replies)
    without, learnt = zip(one.asked, repeat(False), strict=False), zip(said, repeat(True), strict=False)
    return chain(zip(example.messages, example.weights, strict=True), without, learnt)


def _parted(message: Message, asked: Sequence[Message]) -> tuple[Message, Message] | None:
    """The blocks of the window before a question, and the question, which is looked through once for both."""
    if message.role != "user" or len(asked) != 1 or message.parts is asked[0].parts or len(message.parts) != 1:
        return None
    whole, question = message.text, asked[0].text
    if not question or len(asked[0].parts) != 1 or not whole.endswith(question) or len(whole) == len(question):
        return None
    return say("user", whole[: -len(question)]), asked[0]


def _putting(new: Mapping[Parts, Parts]) -> Put:
    """What puts the new parts into a message; the same message comes again and again."""
    made: dict[int, Message] = {}

    def put(message: Message) -> Message:
        found = made.get(id(message))
        if found is None:
            parts = new.get(message.parts)
            found = made[id(message)] = message if parts is None else message.of_parts(parts)
        return found

    return put
