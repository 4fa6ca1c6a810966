"""The newest turns of open conversations are kept as bytes, within a bound, and no window shows whether they were."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from talking import Desk, ask, window_of

from persona import AsyncAssistant, Settings
from persona.conversation.tails import Tail, Tails
from persona.values.message import Image, Message, Part, Role, Text, ToolCall, ToolResult
from persona.values.plan import NO_PLAN, Plan
from persona.window.materials import PastTurn

_ROUNDS, _CHATS = 7, 6

texts = st.text(st.characters(), max_size=20)  # halves of surrogate pairs too
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, texts),
    st.builds(Image, texts, st.sampled_from(["auto", "low", "high"])),
    st.builds(ToolCall, texts, texts, texts, texts),
    st.builds(ToolResult, texts, texts, texts, st.booleans()),
)
roles: st.SearchStrategy[Role] = st.sampled_from(["user", "assistant", "tool"])
turns = st.lists(
    st.tuples(st.lists(st.tuples(roles, st.lists(parts, max_size=2)), min_size=1, max_size=3), st.integers(0))
)
pasts = turns.map(lambda rows: [_past(number, *row) for number, row in enumerate(rows)])


def _past(number: int, said: list[tuple[Role, list[Part]]], tokens: int) -> PastTurn:
    path = [
        Message(role, tuple(parts), f"m{number}-{at}", depth=8 * number + at) for at, (role, parts) in enumerate(said)
    ]
    return PastTurn(tuple(path), tokens)


def tail(*past: PastTurn, revision: int = 1) -> Tail:
    return Tail(revision, "plain", past[-1].messages[-1].id if past else "", "[]", past, NO_PLAN.outline())


def said(number: int, *, size: int = 40) -> PastTurn:
    """A turn of two messages."""
    both = (Message("user", (Text("q" * size),), f"u{number}"), Message("assistant", (Text("r" * size),), f"a{number}"))
    return PastTurn(both, 2 * size)


def found(tails: Tails, key: int, put: Tail) -> Tail | None:
    return tails.get(key, put.revision, put.counter, put.head_id, put.anchor)


@given(pasts)
def test_a_tail_comes_back_as_it_was_put(past: list[PastTurn]) -> None:
    tails, put = Tails(1_000_000), tail(*past)
    tails.put(7, put)
    assert found(tails, 7, put) == put


@given(pasts, st.integers(0, 4), st.integers(0, 4))
def test_a_tail_that_goes_on_from_the_one_before_comes_back_as_it_was_put(
    past: list[PastTurn], before: int, gone: int
) -> None:
    tails = Tails(1_000_000)
    tails.put(7, tail(*past[:before]))
    put = tail(*past[gone:], revision=2)
    tails.put(7, put)
    assert found(tails, 7, put) == put


@pytest.mark.parametrize("changed", [{"revision": 2}, {"counter": "other"}, {"head_id": "b"}, {"anchor": "[1]"}])
def test_a_tail_of_another_state_of_the_conversation_is_not_given(changed: dict[str, object]) -> None:
    tails, put = Tails(1_000_000), tail(said(1))
    tails.put(7, put)
    asked = {"revision": put.revision, "counter": put.counter, "head_id": put.head_id, "anchor": put.anchor, **changed}
    assert tails.get(7, **asked) is None  # type: ignore[arg-type]


def test_the_conversations_used_longest_ago_go_first_when_there_is_no_more_room() -> None:
    tails, put = Tails(6_000), [tail(*(said(10 * chat + turn) for turn in range(4))) for chat in range(9)]
    for chat, one in enumerate(put):
        tails.put(chat, one)
        found(tails, 0, put[0])
        assert tails.nbytes <= 6_000
    there = [chat for chat, one in enumerate(put) if found(tails, chat, one)]
    assert there == [0, *range(10 - len(there), 9)]
    assert 2 < len(there) < 9
    tails.clear()
    assert (len(tails), tails.nbytes) == (0, 0)


def test_a_tail_beyond_the_bound_is_not_kept() -> None:
    tails = Tails(2_000)
    tails.put(1, tail(said(1)))
    tails.put(1, tail(said(1), said(2, size=2_000), revision=2))
    assert (len(tails), tails.nbytes) == (0, 0)


async def test_windows_are_the_same_while_other_conversations_push_the_kept_turns_out(tmp_path: Path) -> None:
    kept = await _plans(f"sqlite:///{tmp_path}/kept.db", megabytes=16)
    none = await _plans(f"sqlite:///{tmp_path}/none.db", megabytes=0)
    some = await _plans(f"sqlite:///{tmp_path}/some.db", megabytes=16, bound=5_000)
    assert [list(map(_told, chat)) for chat in kept] == [list(map(_told, chat)) for chat in none]
    assert [list(map(_told, chat)) for chat in kept] == [list(map(_told, chat)) for chat in some]
    assert all(any(plan.jumped for plan in chat) for chat in kept)
    assert all(after.prefix_tokens > 0 for chat in some for _, after in pairwise(chat))


async def _plans(url: str, megabytes: int, bound: int | None = None) -> list[list[Plan]]:
    """The plans of several conversations of one user that run at the same time, turn by turn."""
    route = {"target": "embedded:extractive-1", "window": {"budget": 600, "reserve": 100}}
    memory = {"history_cache_mb": megabytes, "turns": False}
    made = Settings.model_validate({"store": {"url": url}, "memory": memory, "routes": {"default": route}})
    async with AsyncAssistant.open(made, environment={}) as assistant:
        services = await assistant.services()
        if bound is not None:
            services.tails = Tails(bound)
        chats = [assistant.user("ada").conversation(id=f"c{number}", create=True) for number in range(_CHATS)]
        plans: list[list[Plan]] = [[] for _ in chats]
        for turn in range(_ROUNDS):
            sent = (chat.send(f"Turn {turn} of {chat.id}: " + "tea and toast. " * 24) for chat in chats)
            for at, reply in enumerate(await asyncio.gather(*sent)):
                plans[at].append(await chats[at].why(reply.id))
        if bound is not None:
            assert 0 < len(services.tails) < _CHATS
        return plans


def _told(plan: Plan) -> tuple[object, ...]:
    """A plan without what differs from run to run: ids."""
    history = plan.history
    shown = [(one.name, one.tokens, one.grant, one.digest) for one in plan.sections]
    return shown, plan.total, plan.prefix_tokens, plan.jumped, history.first_depth, history.turns, plan.notes


def test_a_conversation_with_tools_shows_the_same_with_and_without_its_kept_turns(tmp_path: Path) -> None:
    def hours() -> str:
        return "9 to 17"

    shown = []
    for megabytes in (16, 0):
        folder = tmp_path / str(megabytes)
        folder.mkdir()
        desk = Desk(folder)
        with desk.stack:
            desk.model.then(ask("hours"), "from nine", "yes", "bye")
            chat = desk.open(memory={"history_cache_mb": megabytes}).user("ada").conversation()
            chat.send("When do you open?", tools=[hours])
            chat.send("Really?")
            chat.send("Thanks.")
            shown.append([window_of(request) for request in desk.model.requests])
    assert shown[0] == shown[1]
