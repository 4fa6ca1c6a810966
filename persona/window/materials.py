"""What could go into a window, counted: the input of `fit`."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from persona.values.memory import Fact, Recalled
from persona.values.message import Message
from persona.values.record import record
from persona.values.request import AnswerSchema, Tool
from persona.window.blocks import fact_line, recalled_line
from persona.window.counting import Counter


@dataclass(frozen=True, slots=True)
class Block:
    """Messages that go in together or not at all, with their tokens and a digest of their bytes."""

    id: str
    messages: tuple[Message, ...]
    tokens: int
    digest: str = ""


@record(frozen=True, slots=True)
class Line:
    """One tagged line of the profile or recall section. `at_us` is when it became known,
    `message_id` the message that says it, or empty.
    """

    id: str
    text: str
    tokens: int
    title: str
    score: float | None = None
    at_us: int = 0
    message_id: str = ""


@record(frozen=True, slots=True)
class PastTurn:
    """One user message and everything up to the next one: kept or dropped whole, so tool groups never split."""

    messages: tuple[Message, ...]
    tokens: int

    @property
    def first_depth(self) -> int:
        """The depth of its first message on the conversation's path."""
        return self.messages[0].depth


@dataclass(frozen=True, slots=True)
class Summary:
    """What was said up to and including the message at `upto_depth`."""

    id: str
    text: str
    upto_depth: int


@record(frozen=True, slots=True)
class Anchor:
    """Where the history of a window starts, and the snapshots that were frozen with it.

    `frozen_us` is 0 before the first window. `facts` are the ids of all facts known then, of which the profile shows
    the first `facts_shown`: the others had no room.
    """

    first_depth: int = 0
    frozen_us: int = 0
    facts: tuple[str, ...] = ()
    shots: tuple[str, ...] = ()
    summary_id: str = ""
    facts_shown: int = 0


@record(frozen=True, slots=True)
class Materials:
    """Everything one window is made of. `turns` are oldest first; what is older than the anchor is left out.

    `facts` are all facts that hold now, in order of importance; `running` are the tool calls and results of this
    turn so far; `context` is the block that goes before the user's words; `summary` is the newest there is,
    `frozen_summary` the one that the anchor names.
    """

    target: str
    counter: Counter
    samples: int
    instructions: Block
    tools: tuple[Tool, ...]
    tools_tokens: int
    shots: tuple[Block, ...]
    facts: tuple[Line, ...]
    summary: Summary | None
    frozen_summary: Summary | None
    turns: tuple[PastTurn, ...]
    recall: tuple[Line, ...]
    input: Message
    context: str = ""
    running: tuple[Message, ...] = ()
    now_us: int = 0
    expects_summary: bool = False
    notes: tuple[str, ...] = ()
    answer: AnswerSchema | None = None
    answer_tokens: int = 0


def block(id: str, messages: Sequence[Message], counter: Counter, seal: str = "") -> Block:
    """The messages as one counted block; `seal` is anything else that their bytes on the wire depend on."""
    bytes_ = seal + "\x1e".join(f"{message.role}\x1f{message.text}" for message in messages)
    return Block(id, tuple(messages), counter.messages(messages), digest(bytes_))


def digest(text: str) -> str:
    """A short fingerprint of a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def line_of_fact(fact: Fact, counter: Counter) -> Line:
    """A fact as a counted line."""
    text = fact_line(fact)
    return Line(fact.id, text, counter.text(text), fact.kind, None, fact.created_us)


def line_of_hit(hit: Recalled, counter: Counter) -> Line:
    """A recalled memory as a counted line."""
    text = recalled_line(hit)
    return Line(hit.id, text, counter.text(text), hit.source.title or hit.source.kind, hit.score, 0, hit.message_id)


def recounted(turns: Sequence[PastTurn], counter: Counter) -> tuple[PastTurn, ...]:
    """The turns in the tokens of another counter."""
    return tuple(PastTurn(turn.messages, counter.messages(turn.messages)) for turn in turns)


def turns_of(messages: Sequence[Message], tokens: Sequence[int]) -> tuple[PastTurn, ...]:
    """The path's messages as whole turns: one starts at every user message, and what precedes the first is none."""
    turns: list[PastTurn] = []
    start = next((at for at, message in enumerate(messages) if message.role == "user"), len(messages))
    for end in range(start + 1, len(messages) + 1):
        if end == len(messages) or messages[end].role == "user":
            turns.append(PastTurn(tuple(messages[start:end]), sum(tokens[start:end])))
            start = end
    return tuple(turns)
