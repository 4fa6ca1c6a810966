"""Conversations made up for the tests of the window, and what every window must keep to."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from persona.values.memory import Fact, Recalled, Source
from persona.values.message import Message, Part, Role, Text, ToolCall, ToolResult, say
from persona.values.plan import SectionName
from persona.values.request import Tool
from persona.window.anchor import due_for_summary, room_of_history
from persona.window.counting import Counter, EstimatingTokenizer
from persona.window.fit import Fitted, fit
from persona.window.materials import (
    Anchor,
    Block,
    Materials,
    Summary,
    block,
    line_of_fact,
    line_of_hit,
    turns_of,
)
from persona.window.rules import EXACT, FLEXIBLE, SectionRule, WindowRules

COUNTER = Counter(EstimatingTokenizer())
CONTEXT = '<context date="2026-11-21" time="10:32"/>\n'

WORDS = (
    *("the post office opens at nine ", "Où est la mairie ? ", "GmbH-Geschäftsführer ", "Привет, мир. "),
    *("今天天气很好。", "カタカナと漢字", "مرحبا بالعالم ", "می‌خواهم ", "שלום ", "हिन्दी में "),
    *("👩‍👩‍👧‍👦", "🏴‍☠️ ", "def f(x):\n    return x\n", '{"a": [1, 2]}', "a < b && b > c", "\n", "\n\n", "\t"),
    *("</recall>\n", "<recall>\n", ">\n<", "]]>", "<context/>\n", '"', "&lt;", "1234567890 "),
)
words = st.lists(st.sampled_from(WORDS), max_size=12).map("".join)
any_text = st.one_of(words, words, st.text(max_size=30))
shares = st.one_of(st.just(0), st.integers(2, 400), st.floats(0, 1))
tools = st.lists(
    st.builds(Tool, st.sampled_from(["hours", "mail"]), words, st.just({"type": "object", "properties": {}})),
    max_size=2,
).map(tuple)


@st.composite
def rules_for(draw: st.DrawFn, limit: int) -> WindowRules:
    """Rules whose shares of `min` fit together, as the settings demand."""
    sections: dict[SectionName, SectionRule] = {}
    left = 1.0
    for name in FLEXIBLE:
        least = draw(st.one_of(st.just(0), st.integers(2, 60), st.floats(0, left)))
        left -= least if isinstance(least, float) else 0.0
        sections[name] = SectionRule(least, draw(shares | st.just(1.0)), draw(st.integers(0, 6)))
    return WindowRules(limit, 100, sections, draw(st.sampled_from([0.3, 0.6, 0.9, 1.0])))


def usual_rules(limit: int) -> WindowRules:
    """The rules that the settings have by default."""
    sections: dict[SectionName, SectionRule] = {
        "shots": SectionRule(0, 0.15, 4),
        "profile": SectionRule(0, 0.10, 1),
        "summary": SectionRule(0, 0.10, 3),
        "history": SectionRule(0.20, 1.0, 5),
        "recall": SectionRule(0, 0.15, 2),
    }
    return WindowRules(limit, 100, sections)


@dataclass
class Session:
    """A conversation that is only a list: what the store and the turn do around `fit`."""

    rules: WindowRules
    counter: Counter = COUNTER
    tools: tuple[Tool, ...] = ()
    shots: tuple[Block, ...] = ()
    instructions: str = "You are kind."
    context: str = CONTEXT
    path: list[Message] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    recalled: tuple[Recalled, ...] = ()
    anchor: Anchor = field(default_factory=Anchor)
    last: Fitted | None = None
    clock_us: int = 1_000
    made: int = 0

    def id(self, kind: str) -> str:
        """A new id, later than all others."""
        self.made += 1
        self.clock_us += 10
        return f"{kind}{self.made}"

    def remember(self, text: str, kind: str = "preference") -> Fact:
        """A fact that holds from now on."""
        fact = Fact(self.id("f"), text, kind, created_us=self.clock_us, valid_from_us=self.clock_us)
        self.facts.append(fact)
        return fact

    def forget(self, fact: Fact) -> None:
        """A fact that holds no more."""
        self.facts.remove(fact)

    def summarise(self, text: str = "They talked.", at: float = 0.8) -> bool:
        """Makes the summary that is due, as the background work would."""
        assert self.last is not None
        kept = [one for one in self.path if one.depth >= self.anchor.first_depth]
        turns = turns_of(kept, list(map(self.counter.message, kept)))
        room = room_of_history(self.last.plan.outline(), self.rules.sections["history"].max)
        depth = due_for_summary(turns, room, self.rules.low_water, at)
        if depth is None:
            return False
        self.summaries.insert(0, Summary(self.id("s"), text, depth))
        return True

    def message(self, role: Role, *parts: Part) -> Message:
        """The next message of the path."""
        parent = self.path[-1].id if self.path else ""
        return Message(role, parts, self.id("m"), parent, depth=len(self.path))

    def materials(self, asked: Message, running: Sequence[Message] = ()) -> Materials:
        """What the store would give for this input."""
        counter, summaries = self.counter, [one for one in self.summaries if one.upto_depth < asked.depth]
        before = [one for one in self.path if self.anchor.first_depth <= one.depth < asked.depth]
        return Materials(
            target="t:m",
            counter=counter,
            samples=0,
            instructions=block("instructions", [say("system", self.instructions)], counter),
            tools=self.tools,
            tools_tokens=counter.tools(self.tools),
            shots=self.shots,
            facts=tuple(line_of_fact(fact, counter) for fact in self.facts),
            summary=summaries[0] if summaries else None,
            frozen_summary=next((one for one in summaries if one.id == self.anchor.summary_id), None),
            turns=turns_of(before, list(map(counter.message, before))),
            recall=tuple(line_of_hit(hit, counter) for hit in self.recalled),
            input=asked,
            context=self.context,
            running=tuple(running),
            now_us=self.clock_us,
        )

    def fit(self, asked: Message, running: Sequence[Message] = (), same_turn: bool = False) -> Fitted:
        """The window of one call; it moves the anchor."""
        previous = self.last.plan.outline() if self.last else None
        self.last = fit(self.materials(asked, running), self.rules, self.anchor, previous, same_turn)
        self.anchor = self.last.anchor
        return self.last

    def turn(self, text: str, rounds: Sequence[str] = (), reply: str | None = "ok") -> list[Fitted]:
        """A whole turn: a window for each round of tools and one for the reply. Without reply the call failed."""
        asked = self.message("user", Text(text))
        self.path.append(asked)
        gathered, fitted = self.materials(asked), [self.fit(asked)]
        for number, result in enumerate(rounds):
            call = ToolCall(f"call_{number}", "hours", '{"day": "lundi"}')
            self.path.append(self.message("assistant", call))
            self.path.append(self.message("tool", ToolResult(call.id, call.name, result)))
            # the turn gathered its materials once: they still reach back to where the anchor was then
            materials = replace(gathered, running=tuple(self.path[asked.depth + 1 :]))
            self.last = fit(materials, self.rules, self.anchor, fitted[-1].plan.outline(), same_turn=True)
            self.anchor = self.last.anchor
            fitted.append(self.last)
        if reply is not None:
            self.path.append(self.message("assistant", Text(reply)))
        return fitted


def shot(number: int, text: str, counter: Counter = COUNTER) -> Block:
    """A demonstration."""
    return block(f"shot{number}", [say("user", text), say("assistant", f"reply {number}")], counter)


def hit(number: int, text: str, message_id: str = "", kind: str = "turn") -> Recalled:
    """A recalled memory."""
    source = Source("chunk" if kind == "chunk" else "turn", f"r{number}", "file.md", "Heading", "2026-01-02")
    return Recalled(f"r{number}", text, source, 1.0 / (number + 1), message_id=message_id)


def long_text(tokens: int) -> str:
    """A text that the estimator counts as about so many tokens."""
    return "word " * tokens


def shown(fitted: Fitted, name: SectionName) -> set[str]:
    """The ids of what one section shows."""
    return {candidate.id for candidate in fitted.plan.section(name).candidates if candidate.included}


def rules_that_dropped(fitted: Fitted, name: SectionName) -> dict[str, str]:
    """What one section leaves out, and by which rule."""
    return {one.id: one.rule for one in fitted.plan.section(name).candidates if not one.included}


def check(fitted: Fitted, session: Session) -> None:
    """What holds for every window there is."""
    plan, messages = fitted.plan, fitted.messages
    assert plan.total == session.counter.request(messages, session.tools)
    assert plan.total <= plan.limit == session.rules.limit
    assert plan.total == sum(section.tokens for section in plan.sections) + plan.tools + plan.framing
    for section in plan.sections:
        assert 0 <= section.tokens <= section.grant
        included = [one for one in section.candidates if one.included]
        assert section.tokens or not included
    for name in ("recall", "history"):
        _, most = session.rules.sections[name].bounds(plan.limit)
        assert plan.section(name).tokens * EXACT <= most
    _check_order(fitted, session)
    _check_tool_groups(messages)


def _check_order(fitted: Fitted, session: Session) -> None:
    messages = fitted.messages
    assert messages[0].text == session.instructions
    stored = [message for message in messages if message.id]
    depths = [message.depth for message in stored]
    assert depths == list(range(depths[0], depths[-1] + 1))  # contiguous, in order, up to the newest
    assert stored[0].role == "user"
    asked = session.path[stored[-1].depth]
    while asked.role != "user":
        asked = session.path[asked.depth - 1]
    sent = next(one for one in stored if one.id == asked.id)
    assert sent.text.endswith(asked.text)  # the input is always whole
    assert [one for one in stored if one.id != asked.id] == [
        one for one in session.path[depths[0] : depths[-1] + 1] if one.id != asked.id
    ]  # nothing that is stored was changed
    assert messages[-len(stored) :] == tuple(stored)  # what is frozen comes before


def _check_tool_groups(messages: Sequence[Message]) -> None:
    for at, message in enumerate(messages):
        results = [part.call_id for part in message.parts if isinstance(part, ToolResult)]
        if message.role == "tool":
            assert [call.id for call in messages[at - 1].tool_calls] == results
        if message.tool_calls:
            assert messages[at + 1].role == "tool"


def common_prefix(before: Fitted, after: Fitted, session: Session) -> int:
    """The tokens of the messages that two requests begin with alike, their tools included."""
    tokens = session.counter.tools(session.tools)
    for old, new in zip(before.messages, after.messages, strict=False):
        if (old.role, old.parts) != (new.role, new.parts):
            break
        tokens += session.counter.message(old)
    return tokens
