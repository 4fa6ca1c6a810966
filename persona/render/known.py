"""What the log says was known at one of its exchanges: found by the ids that its plan names."""

from collections.abc import Iterator, Mapping, Sequence

from persona.errors import NotFound
from persona.render.history import Counted, answered, tokens_of
from persona.store.codec import count_in
from persona.values.log import LoggedConversation, LoggedExchange, LoggedMemory
from persona.values.memory import Fact, Recalled, Source
from persona.values.message import Message
from persona.values.plan import Candidate, Plan
from persona.values.time import iso_day
from persona.window.counting import Counter
from persona.window.materials import Line, PastTurn, Summary, line_of_fact, line_of_hit

_REMEMBERED = 20_000  # lines of memories: some 10 MB


class Known:
    """One logged conversation, counted by one counter."""

    def __init__(self, conversation: LoggedConversation, counter: Counter) -> None:
        self.conversation = conversation
        self._counter = counter
        self._messages = {message.id: message for message in conversation.messages}
        self._counts = dict(zip(self._messages, conversation.counts, strict=True))
        self._turns: dict[str, PastTurn | None] = {}
        self._facts = {fact.id: fact for fact in conversation.facts}
        self._fact_lines: dict[str, Line] = {}

    def asked(self, exchange: LoggedExchange) -> tuple[Message, tuple[Message, ...]]:
        """The user message that an exchange answers, and the tool rounds between the two. Raises NotFound."""
        running: list[Message] = []
        found = self._message(exchange.reply_id)
        while found is not None and found.role != "user":
            running.append(found)
            found = self._message(found.parent_id)
        if not running or found is None:
            raise NotFound(f"exchange {exchange.id!r} has no reply, or its question is no longer stored")
        return found, tuple(reversed(running[1:]))

    def turns_before(self, asked: Message, first_depth: int) -> tuple[PastTurn, ...]:
        """The whole turns on the path to a message, from a depth on."""
        turns: list[PastTurn] = []
        last = self._message(asked.parent_id)
        while last is not None and (turn := self._turn(last)) is not None and turn.first_depth >= first_depth:
            turns.append(turn)
            last = self._message(turn.messages[0].parent_id)
        return tuple(turns[::-1])

    def fact(self, id: str) -> Fact | None:
        """A fact that the profile held, unless it was erased."""
        return self._facts.get(id)

    def line_of(self, fact: Fact) -> Line:
        """A fact as a counted line."""
        line = self._fact_lines.get(fact.id)
        if line is None:
            line = self._fact_lines[fact.id] = line_of_fact(fact, self._counter)
        return line

    def memory(self, found: Mapping[str, LoggedMemory], id: str) -> LoggedMemory | None:
        """A memory that this user's windows may show: one of their own, or knowledge."""
        one = found.get(id)
        return one if one and (one.kind == "chunk" or one.owner_key == self.conversation.owner_key) else None

    def summaries(self, exchange: LoggedExchange, asked: Message) -> tuple[Summary, ...]:
        """The summaries of what came before that were there at the time, the furthest first."""
        return tuple(
            Summary(one.id, one.text, one.upto_depth)
            for one in reversed(self.conversation.summaries)
            if one.upto_depth < asked.depth and one.created_us <= exchange.started_us
        )

    def _message(self, id: str) -> Message | None:
        return self._messages.get(id)

    def _turn(self, last: Message) -> PastTurn | None:
        """The turn that ends with this message, unless its question is gone. Later windows show it again."""
        if last.id not in self._turns:
            path: list[Counted] = []
            before: Message | None = last
            while before is not None:
                path.append(self._counted(before))
                before = None if before.role == "user" else self._message(before.parent_id)
            self._turns[last.id] = _as_turn(answered(path[::-1])) if path[-1][0].role == "user" else None
        return self._turns[last.id]

    def _counted(self, message: Message) -> Counted:
        known = count_in(self._counts[message.id], self._counter.name)
        return message, tokens_of(message, known, self._counter)


class MemoryLines:
    """Memories as counted lines, each made once: the same ones are recalled again and again."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._lines: dict[str, tuple[LoggedMemory, Line]] = {}

    def line(self, memory: LoggedMemory, score: float | None) -> Line:
        """A memory's line, with the score it was recalled by."""
        known = self._lines.get(memory.id)
        if known is None or known[0] is not memory:
            if len(self._lines) >= _REMEMBERED:
                self._lines.clear()
            known = self._lines[memory.id] = memory, line_of_hit(_hit(memory), self._counter)
        line = known[1]
        return Line(line.id, line.text, line.tokens, line.title, score, 0, line.message_id)


def facts_shown(plan: Plan) -> tuple[list[str], list[str]]:
    """The ids of the facts that the plan's profile was frozen with, in order, and of those that came later."""
    frozen = [one.id for one in plan.section("profile").candidates]
    return frozen, [one.id for one in plan.section("recall").candidates if one.score is None]


def hits(plan: Plan) -> Iterator[Candidate]:
    """The memories that were recalled, best first."""
    return (one for one in plan.section("recall").candidates if one.score is not None)


def recalled_ids(plan: Plan) -> list[str]:
    """The ids of the memories whose words a rendering may need."""
    return [one.id for one in hits(plan)]


def missing(plan: Plan, known: Known, memories: Mapping[str, LoggedMemory]) -> Iterator[str]:
    """What the window showed and the store holds no more, in words."""
    shown = plan.section("profile").candidates + plan.section("recall").candidates
    if not shown:
        return
    gone = {"fact": 0, "memory": 0}
    for one in shown:
        if one.included and one.score is None and known.fact(one.id) is None:
            gone["fact"] += 1
        elif one.included and one.score is not None and known.memory(memories, one.id) is None:
            gone["memory"] += 1
    yield from (f"{number} {kind}(s) that it was shown are no longer stored" for kind, number in gone.items() if number)


def _as_turn(counted: Sequence[Counted]) -> PastTurn:
    return PastTurn(tuple([message for message, _ in counted]), sum([tokens for _, tokens in counted]))


def _hit(memory: LoggedMemory) -> Recalled:
    day = iso_day(memory.at_us)
    source = Source(memory.kind, memory.id, memory.title, memory.heading, day, memory.page)
    return Recalled(memory.id, memory.text, source, 0.0, message_id=memory.message_id, fact_kind=memory.fact_kind)
