"""Training rows made up by hypothesis: conversations with tools, preferences, ratings."""

import json
from collections.abc import Sequence

from hypothesis import strategies as st

from persona.values.example import Example, every_reply, last_of
from persona.values.message import Message, ToolCall, ToolResult, say
from persona.values.request import Tool

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(str.strip)
WORDS = TEXT | st.sampled_from(
    ["Bonjour, où est mon colis ?", 'He said "no";\n\nthen left', "[1, 2]", "naïve,é", " a "]
)
NAME = st.sampled_from(["opening_hours", "track"])
TOOL = Tool("opening_hours", "When we open.", {"type": "object", "properties": {"day": {"type": "string"}}})


@st.composite
def chats(draw: st.DrawFn, tools: bool = False, system: bool = True) -> Example:
    """A conversation in turn, some with a system prompt, some with tool groups."""
    messages = [say("system", draw(WORDS))] if system and draw(st.booleans()) else []
    for turn in range(draw(st.integers(1, 3))):
        messages.append(say("user", draw(WORDS)))
        if tools and draw(st.booleans()):
            messages += draw(_group(turn))
        messages.append(say("assistant", draw(WORDS)))
    weights = last_of(messages) if draw(st.booleans()) else every_reply(messages)
    return Example("x", tuple(messages), weights, (TOOL,) if tools else ())


@st.composite
def _group(draw: st.DrawFn, turn: int) -> list[Message]:
    calls = [
        ToolCall(f"call_{turn}_{n}", draw(NAME), json.dumps(draw(st.dictionaries(NAME, WORDS, max_size=2))))
        for n in range(draw(st.integers(1, 3)))
    ]
    results = tuple(ToolResult(call.id, call.name, draw(WORDS | st.just(""))) for call in calls)
    return [Message("assistant", tuple(calls)), Message("tool", results)]


def single() -> st.SearchStrategy[Example]:
    """One question and its reply."""
    return st.builds(lambda q, a: _row((say("user", q), say("assistant", a))), WORDS, WORDS)


def preferences(chat: st.SearchStrategy[Example]) -> st.SearchStrategy[Example]:
    """The same with a reply that was not wanted."""

    def other(row: Example, reply: str) -> Example:
        return Example(row.id, row.messages, last_of(row.messages), row.tools, say("assistant", f"{reply}!!"))

    return st.builds(other, chat, WORDS).filter(
        lambda row: row.rejected is not None and row.rejected != row.messages[-1]
    )


def ratings(chat: st.SearchStrategy[Example]) -> st.SearchStrategy[Example]:
    """The same with what somebody thought of it."""
    return st.builds(
        lambda row, label: Example(row.id, row.messages, last_of(row.messages), row.tools, None, label),
        chat,
        st.booleans(),
    )


def _row(messages: Sequence[Message]) -> Example:
    return Example("x", tuple(messages), last_of(messages))
