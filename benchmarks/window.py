"""Assembling a window: 8k budget, about 120 messages of history, 40 candidates in the plan."""

from collections.abc import Callable
from dataclasses import replace

from benchmarks.figures import Table, Timing, cpu_us, ratio_row, row
from benchmarks.peers import NOT_INSTALLED, ask, peer_row
from benchmarks.texts import counter as plain_counter
from benchmarks.texts import messages
from persona.adapter import Framing
from persona.settings.window import Window
from persona.values.memory import Recalled, Source
from persona.values.message import Message, say
from persona.window.counting import Counter
from persona.window.estimate import NAME
from persona.window.fit import fit
from persona.window.materials import Anchor, Materials, PastTurn, block, line_of_hit, turns_of
from persona.window.rules import WindowRules, rules_of

SHORT, LONG = 100, 10_000
CANDIDATES = 40
RULES = rules_of(Window(), None, 1.0)
_WARM_UP = 20  # turns, for the anchor to be where it would be
_REACH_US, _REACH_RATIO = 150.0, 1.3


def run(quick: bool) -> list[Table]:
    """Ours, the limit and the peers, for a short history and a long one."""
    rounds = 200 if quick else 2_000
    short, long = History(SHORT), History(LONG)
    ours = {history.length: cpu_us(history.fit, rounds) for history in (short, long)}
    lengths = [SHORT] if quick else [SHORT, LONG]
    langchain = ask("peer_window", str(RULES.limit), *map(str, lengths))
    name, _ = plain_counter()
    rows = [
        row(f"persona, {LONG:,} messages: {long.shown()} in the window", ours[LONG], reach=_REACH_US),
        row(f"persona, {SHORT} messages: {short.shown()} in the window", ours[SHORT], reach=_REACH_US),
        row("persona, facts and hits made into counted lines first", cpu_us(long.prepare_and_fit, rounds), "beside"),
        row(f"stored counts added up backwards, {LONG:,} messages", cpu_us(long.add_up, rounds), "limit"),
        row(f"counting again backwards, {LONG:,} messages", cpu_us(long.count_again, 20), "peer"),
    ]
    for length in lengths:
        rows += peer_row(f"LangChain trim_messages, {length:,} messages", langchain, str(length))
    notes = [f"the peers count with {name}, as we did once, when each message was stored"]
    tables = [Table("window", "µs of CPU a turn", tuple(rows), tuple(notes if langchain else [*notes, NOT_INSTALLED]))]
    return [*tables, _flat(ours)]


def _flat(ours: dict[int, Timing]) -> Table:
    what = f"persona, {LONG:,} messages against {SHORT}"
    return Table("window: flat in the length", "times", (ratio_row(what, ours[LONG], ours[SHORT], _REACH_RATIO),))


class History:
    """A conversation of so many messages, standing where its anchor would stand, with 40 memories to choose from."""

    def __init__(self, length: int) -> None:
        self.length = length
        name, count = plain_counter()
        self.counter = Counter(PlainTokenizer(name, count))
        self.texts = messages(length)
        said = [_message(depth, text) for depth, text in enumerate(self.texts)]
        self.tokens = [self.counter.message(one) for one in said]
        self.hits = tuple(_hit(i, text) for i, text in enumerate(messages(CANDIDATES, seed=11)))
        self.materials = self._materials(turns_of(said, self.tokens))
        self.anchor = Anchor()
        self._walk_to_the_anchor()
        self.plan = fit(self.materials, RULES, self.anchor).plan
        self.previous = self.plan.outline()

    def shown(self) -> int:
        """How many messages of history are in the window."""
        history = fit(self.materials, RULES, self.anchor).plan.history
        return history.last_depth - history.first_depth + 1

    def fit(self) -> object:
        """What is timed."""
        return fit(self.materials, RULES, self.anchor, self.previous)

    def prepare_and_fit(self) -> object:
        """The same with the candidates' lines written and counted anew, as a turn does it."""
        recall = tuple(line_of_hit(hit, self.counter) for hit in self.hits)
        return fit(replace(self.materials, recall=recall), RULES, self.anchor, self.previous)

    def add_up(self) -> list[str]:
        """The limit: what is known of each message is added up from the newest, and nothing else is done."""
        return _newest(self.texts, self.tokens.__getitem__, RULES)

    def count_again(self) -> list[str]:
        """What a naive window does on each turn."""
        _, count = plain_counter()
        return _newest(self.texts, lambda index: count(self.texts[index]) + 4, RULES)

    def _materials(self, turns: tuple[PastTurn, ...]) -> Materials:
        instructions = block("instructions", [say("system", " ".join(messages(3, seed=5)))], self.counter)
        return Materials(
            target="bench:model",
            counter=self.counter,
            samples=0,
            instructions=instructions,
            tools=(),
            tools_tokens=0,
            shots=(),
            facts=(),
            summary=None,
            frozen_summary=None,
            turns=turns,
            recall=tuple(line_of_hit(hit, self.counter) for hit in self.hits),
            input=_message(self.length, "À quelle heure ouvre la poste ?"),
            context='<context date="2026-11-21" time="09:30" time_zone="UTC"/>\n',
            now_us=1,
        )

    def _walk_to_the_anchor(self) -> None:
        """Lives through the conversation, jump by jump: the store gives a turn what comes after its anchor."""
        turns = self.materials.turns
        past = max(0, len(turns) - LONG)
        for end in range(min(_WARM_UP, len(turns)), len(turns) + 1):
            seen = tuple(turn for turn in turns[past:end] if turn.first_depth >= self.anchor.first_depth)
            self.anchor = fit(replace(self.materials, turns=seen), RULES, self.anchor).anchor
            past = max(past, self.anchor.first_depth // 2)
        kept = tuple(turn for turn in turns if turn.first_depth >= self.anchor.first_depth)
        self.materials = replace(self.materials, turns=kept)


class PlainTokenizer:
    """The run's counter as a tokenizer."""

    framing = Framing()

    def __init__(self, name: str, count: Callable[[str], int]) -> None:
        self.exact = name != NAME
        self.name = name
        self.count = count


def _newest(texts: list[str], tokens: Callable[[int], int], rules: WindowRules) -> list[str]:
    left, index = rules.limit, len(texts)
    while index and (taken := tokens(index - 1)) <= left:
        left -= taken
        index -= 1
    return texts[index:]


def _message(depth: int, text: str) -> Message:
    plain = say("assistant" if depth % 2 else "user", text)
    return replace(plain, id=f"msg_{depth}", depth=depth, created_us=depth + 1)


def _hit(index: int, text: str) -> Recalled:
    source = Source("turn", f"mem_{index}", date="2026-11-20")
    return Recalled(f"mem_{index}", text, source, 4.0 - index / 10, message_id=f"old_{index}")
