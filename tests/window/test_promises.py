"""Promise 1: the plan is what goes on the wire, within the budget, over any sequence of turns."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from windows import (
    CONTEXT,
    COUNTER,
    Session,
    any_text,
    check,
    common_prefix,
    hit,
    long_text,
    rules_for,
    shot,
    shown,
    tools,
    usual_rules,
    words,
)

from persona.errors import WindowTooSmall
from persona.values.message import Image, Text
from persona.window.fit import Fitted, fit, write
from persona.window.materials import Anchor

FROZEN = ("instructions", "shots", "profile", "summary")
turns = st.tuples(
    words.map(lambda text: text or "hi"), st.lists(any_text, max_size=2), st.none() | st.just("ok") | any_text
)
steps = st.one_of(
    *(st.tuples(st.just("turn"), turns) for _ in range(4)),
    st.tuples(st.just("remember"), any_text),
    st.tuples(st.just("forget"), st.integers(0, 9)),
    st.tuples(st.just("summarise"), any_text),
    st.tuples(st.just("recall"), st.lists(st.tuples(any_text, st.sampled_from(["turn", "chunk"])), max_size=4)),
    st.tuples(st.just("edit"), st.integers(0, 9)),
)


@st.composite
def sessions(draw: st.DrawFn, limit: st.SearchStrategy[int]) -> Session:
    """A conversation that has not begun, with any settings."""
    session = Session(
        draw(limit.flatmap(lambda most: st.one_of(rules_for(most), st.just(usual_rules(most))))),
        tools=draw(tools),
        shots=tuple(shot(number, text) for number, text in enumerate(draw(st.lists(any_text, max_size=3)))),
        instructions=draw(st.sampled_from(["", "You are kind.", "Sois bref. 今天"])),
        context=draw(st.sampled_from([CONTEXT, ""])),
    )
    for text in draw(st.lists(any_text, max_size=4)):
        session.remember(text)
    return session


def play(session: Session, step: tuple[str, object]) -> list[Fitted]:
    """One step of a conversation, and the windows that it made."""
    kind, what = step
    if kind == "remember":
        session.remember(str(what))
    elif kind == "summarise" and session.last:
        session.summarise(str(what), at=0.3)
    elif kind == "recall":
        assert isinstance(what, list)
        ids = [message.id for message in session.path if message.role == "user"] or [""]
        session.recalled = tuple(
            hit(number, text, ids[number % len(ids)] if kind == "turn" else "", kind)
            for number, (text, kind) in enumerate(what)
        )
    elif kind == "turn":
        assert isinstance(what, tuple)
        before = len(session.path)
        try:
            return session.turn(*what)
        except WindowTooSmall:  # the message that does not fit is taken back
            session.path = session.path[:before]
    elif isinstance(what, int):
        _undo(session, kind, what)
    return []


def _undo(session: Session, kind: str, which: int) -> None:
    if kind == "forget" and session.facts:
        session.forget(session.facts[which % len(session.facts)])
    asked = [message.depth for message in session.path if message.role == "user"]
    if kind == "edit" and asked:
        depth = asked[which % len(asked)]
        session.path = session.path[:depth]
        session.summaries = [one for one in session.summaries if one.upto_depth < depth]
        if depth <= session.anchor.first_depth:
            session.anchor = replace(session.anchor, first_depth=0)


@settings(max_examples=150, deadline=None)
@given(sessions(st.integers(200, 1500)), st.lists(steps, min_size=8, max_size=25))
def test_every_window_of_any_conversation_keeps_promise_one(session: Session, script: list[tuple[str, object]]) -> None:
    for step in script:
        before = session.last
        windows = play(session, step)
        for window in windows:
            check(window, session)
        for old, new in pairwise([before, *windows] if before else windows):
            assert old is not None
            assert new.plan.prefix_tokens <= common_prefix(old, new, session)


@settings(max_examples=60, deadline=None)
@given(sessions(st.integers(200, 6000)), st.lists(steps, min_size=4, max_size=12), any_text)
def test_a_window_shows_the_same_whether_it_is_counted_or_not(
    session: Session, script: list[tuple[str, object]], text: str
) -> None:
    for step in script:
        play(session, step)
    materials = session.materials(session.message("user", Text(text)))
    try:
        fitted = fit(materials, session.rules, session.anchor)
    except WindowTooSmall:
        with pytest.raises(WindowTooSmall):
            write(materials, session.rules, session.anchor)
        return
    written = write(materials, session.rules, session.anchor)
    shown = (written.messages, written.stable, written.layout.anchor)
    assert shown == (fitted.messages, fitted.stable, fitted.anchor)
    assert written.around == (*fitted.plan.sections[1:4], fitted.plan.section("recall"))


@settings(max_examples=100, deadline=None)
@given(sessions(st.just(100_000)), turns, st.integers(-3, 3))
def test_window_is_too_small_exactly_when_what_is_pinned_exceeds_the_limit(
    session: Session, turn: tuple[str, list[str], str | None], beyond: int
) -> None:
    asked = session.message("user", Text(turn[0]))
    roomy = fit(session.materials(asked), session.rules, Anchor())
    pinned = roomy.plan.section("instructions").tokens + roomy.plan.section("input").tokens
    pinned += roomy.plan.tools + roomy.plan.framing
    rules = replace(session.rules, limit=pinned + beyond)
    if beyond >= 0:
        assert fit(session.materials(asked), rules, Anchor()).plan.total <= rules.limit
        return
    with pytest.raises(WindowTooSmall) as refused:
        fit(session.materials(asked), rules, Anchor())
    parts = {name: roomy.plan.section(name).tokens for name in ("instructions", "input")}
    for name, tokens in {**parts, "tools": roomy.plan.tools, "framing": roomy.plan.framing}.items():
        assert f"{name} {tokens}" in str(refused.value)
    assert f"takes {pinned} tokens" in str(refused.value)
    assert f"may take {rules.limit} " in str(refused.value)


@settings(max_examples=150, deadline=None)
@given(
    sessions(st.integers(300, 2000)),
    st.lists(steps, min_size=4, max_size=16),
    turns,
    st.integers(1, 400) | st.just(5000),
)
def test_larger_budget_never_shows_less_for_the_same_anchor(
    session: Session, script: list[tuple[str, object]], turn: tuple[str, list[str], str | None], more: int
) -> None:
    for step in script:
        play(session, step)
    try:
        materials = session.materials(session.message("user", Text(turn[0])))
        small = fit(materials, session.rules, session.anchor)
    except WindowTooSmall:
        return
    large = fit(materials, replace(session.rules, limit=session.rules.limit + more), session.anchor)
    assume(small.plan.jumped == large.plan.jumped and small.anchor.first_depth == large.anchor.first_depth)
    for name in ("shots", "profile", "summary", "recall"):
        assert shown(small, name) <= shown(large, name), name
    stored = [[message.id for message in one.messages if message.id] for one in (small, large)]
    assert stored[0] == stored[1]


@settings(max_examples=100, deadline=None)
@given(sessions(st.integers(300, 2000)), st.lists(steps, min_size=4, max_size=16), turns, st.integers(1, 5000))
def test_larger_budget_never_shows_less_history(
    session: Session, script: list[tuple[str, object]], turn: tuple[str, list[str], str | None], more: int
) -> None:
    for step in script:
        play(session, step)
    try:
        materials = session.materials(session.message("user", Text(turn[0])))
        small = fit(materials, session.rules, session.anchor)
    except WindowTooSmall:
        return
    large = fit(materials, replace(session.rules, limit=session.rules.limit + more), session.anchor)
    assert small.plan.history.turns <= large.plan.history.turns


@settings(max_examples=60, deadline=None)
@given(st.lists(turns, min_size=2, max_size=8), st.lists(any_text, max_size=4), st.integers(500, 900))
def test_frozen_sections_are_the_same_bytes_while_the_anchor_stands(
    script: list[tuple[str, list[str], str | None]], facts: list[str], limit: int
) -> None:
    session = Session(usual_rules(limit), shots=(shot(0, "short"), shot(1, "longer " * 30)))
    for text in facts:
        session.remember(text)
    before: Fitted | None = None
    for number, turn in enumerate(script):
        session.remember(f"waits {number}")
        session.rules = usual_rules(limit + (-1) ** number * 17)  # the limit drifts with calibration
        for window in session.turn(*turn):
            roomy = all(window.plan.section(one).grant >= before.plan.section(one).tokens for one in FROZEN if before)
            if before and roomy and not window.plan.jumped:
                for name in FROZEN:
                    assert window.plan.section(name).digest == before.plan.section(name).digest
            before = window


def test_profile_at_its_max_does_not_move_when_the_limit_drifts() -> None:
    session = Session(usual_rules(2000))
    for number in range(30):
        session.remember(f"fact number {number} about this user")
    digests = set()
    for drift in (0, -150, 40, 300, -200, 0):
        session.rules = usual_rules(2000 + drift)
        digests.add(session.turn("hi")[0].plan.section("profile").digest)
    assert len(digests) == 1


@given(st.lists(st.one_of(words.map(Text), st.just(Image("https://x/y.png"))), max_size=4).map(tuple), any_text)
def test_blocks_go_before_any_kind_of_input(parts: tuple[Text | Image, ...], recalled: str) -> None:
    session = Session(usual_rules(20_000), context="", recalled=(hit(0, recalled),))
    asked = session.message("user", *parts)
    fitted = session.fit(asked)
    assert fitted.plan.total == COUNTER.request(fitted.messages)
    sent = fitted.messages[-1]
    assert sent.text.startswith("<recall>\n")
    assert sent.text.endswith(asked.text)
    assert [one for one in sent.parts if isinstance(one, Image)] == [one for one in parts if isinstance(one, Image)]


def test_words_that_begin_with_a_newline_add_up_when_nothing_is_stated() -> None:
    session = Session(usual_rules(2000), context="", recalled=(hit(0, "the cat is called Minou"),))
    check(session.turn("\n\n/what is my cat called?")[0], session)


def test_a_window_without_memories_and_without_context_sends_the_words_alone() -> None:
    session = Session(usual_rules(2000), context="")
    assert session.turn("hello")[0].messages[-1].text == "hello"


def test_running_tool_rounds_make_history_jump_and_do_not_lose_the_turn() -> None:
    session = Session(usual_rules(1000))
    for _ in range(4):
        session.turn(long_text(150))
    windows = session.turn("look it up", rounds=[long_text(400), long_text(20)])
    assert [one.plan.jumped for one in windows] == [False, True, False]
    for window in windows:
        check(window, session)


def test_tool_rounds_that_exceed_the_limit_are_refused() -> None:
    session = Session(usual_rules(500))
    with pytest.raises(WindowTooSmall):
        session.turn("look it up", rounds=[long_text(300), long_text(300)])


def test_notes_of_the_materials_are_kept_beside_those_of_a_jump() -> None:
    session = Session(usual_rules(400))
    session.turn("hi", reply=long_text(150))
    session.turn("hi", reply=long_text(250))
    asked = session.message("user", Text("hi"))
    materials = replace(session.materials(asked), notes=("recall went by words alone",), expects_summary=True)
    assert fit(materials, session.rules, session.anchor).plan.notes == (
        "recall went by words alone",
        "history overflowed: it now starts at message 2",
        "no summary was ready, so the older messages left without one",
    )
