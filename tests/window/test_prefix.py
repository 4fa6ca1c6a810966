"""How much of a request the provider may find in its cache: never more than the truth, and all of it when steady."""

from dataclasses import replace
from itertools import pairwise

import pytest
from windows import Session, common_prefix, hit, long_text, shot, usual_rules

from persona.values.message import Text
from persona.values.request import Tool
from persona.window.fit import Fitted

HOURS = Tool("hours", "Opening hours of an office.", {"type": "object", "properties": {"day": {"type": "string"}}})


def begun(limit: int = 3000) -> Session:
    """A conversation with everything in its window."""
    session = Session(usual_rules(limit), tools=(HOURS,), shots=(shot(0, "when?"),))
    session.remember("likes teal")
    session.recalled = (hit(0, "the cat is called Minou"),)
    session.turn("hello")
    return session


def next_two(session: Session, text: str = "and now?") -> tuple[Fitted, Fitted]:
    """The last window and the first of the next turn."""
    before = session.last
    assert before is not None
    return before, session.turn(text)[0]


def test_nothing_is_unchanged_in_the_first_request() -> None:
    assert Session(usual_rules(3000)).turn("hi")[0].plan.prefix_tokens == 0


def test_everything_before_the_last_input_is_unchanged_when_the_conversation_goes_on() -> None:
    session = begun()
    for number in range(12):
        before, after = next_two(session, f"question {number}")
        assert after.plan.prefix_tokens == common_prefix(before, after, session)
        assert after.plan.prefix_tokens == before.plan.history.tokens + before.plan.tools + sum(
            before.plan.section(name).tokens for name in ("instructions", "shots", "profile", "summary")
        )


def test_tool_round_repeats_the_whole_last_request() -> None:
    session = begun()
    windows = session.turn("look it up", rounds=["9 h", "10 h"])
    for before, after in pairwise(windows):
        assert after.plan.prefix_tokens == common_prefix(before, after, session)
        assert after.plan.prefix_tokens == before.plan.total - before.plan.framing


def test_turn_after_tool_rounds_repeats_the_history_before_them() -> None:
    session = begun()
    session.turn("look it up", rounds=["9 h"])
    before, after = next_two(session)
    assert after.plan.prefix_tokens == common_prefix(before, after, session)


def test_jump_keeps_the_instructions_and_shots() -> None:
    session = begun(600)
    for _ in range(10):
        before, after = next_two(session, long_text(80))
        assert after.plan.prefix_tokens <= common_prefix(before, after, session)
        if after.plan.jumped:
            break
    frozen = ("instructions", "shots", "profile")
    assert after.plan.prefix_tokens == after.plan.tools + sum(after.plan.section(one).tokens for one in frozen)


def test_rebuilt_profile_ends_the_prefix_before_it() -> None:
    session = begun()
    session.remember("lives in Lyon")
    session.turn("hi")
    session.forget(session.facts[0])
    before, after = next_two(session)
    assert after.plan.prefix_tokens == common_prefix(before, after, session)
    assert after.plan.prefix_tokens == after.plan.tools + sum(
        after.plan.section(name).tokens for name in ("instructions", "shots")
    )


def test_new_summary_ends_the_prefix_before_it() -> None:
    session = begun(700)
    for number in range(20):
        session.summarise(f"They spoke of {number}.")
        before, after = next_two(session, long_text(60))
        assert after.plan.prefix_tokens <= common_prefix(before, after, session)
    assert after.plan.section("summary").tokens


@pytest.mark.parametrize(
    "changed",
    [
        (),
        (HOURS, HOURS),
        (replace(HOURS, name="other", description="A different description, somewhat longer."),),
        (replace(HOURS, description="Opening hours of an offing."),),  # the same number of tokens
    ],
)
def test_nothing_is_unchanged_after_the_tools_changed(changed: tuple[Tool, ...]) -> None:
    session = begun()
    session.tools = changed
    assert next_two(session)[1].plan.prefix_tokens == 0


def test_changed_instructions_leave_the_tools_alone() -> None:
    session = begun()
    session.instructions = "You are kinder."
    _, after = next_two(session)
    assert after.plan.prefix_tokens == after.plan.tools


def test_another_target_shares_nothing() -> None:
    session = begun()
    before = session.last
    assert before is not None
    session.last = replace(before, plan=replace(before.plan, target="t:other"))
    assert session.turn("hi")[0].plan.prefix_tokens == 0


def test_edit_counts_nothing_of_a_history_that_parts() -> None:
    session = begun()
    for _ in range(4):
        session.turn("hi")
    before = session.last
    session.path = session.path[:4]
    session.turn("something else")
    after = session.last
    assert before is not None
    assert after is not None
    assert 0 < after.plan.prefix_tokens <= common_prefix(before, after, session)


def test_prefix_goes_on_over_messages_that_were_left_out_of_the_history() -> None:
    """A tool group that never finished leaves a gap in the depths."""
    session = begun()
    session.turn("one")
    session.turn("two")
    session.path = [replace(one, depth=one.depth + (2 if one.depth > 1 else 0)) for one in session.path]
    asked = replace(session.message("user", Text("three")), depth=20)
    before = session.fit(asked)
    following = [asked, replace(session.message("assistant", Text("ok")), depth=21)]
    session.path += following
    after = session.fit(replace(session.message("user", Text("four")), depth=22))
    assert after.plan.prefix_tokens == common_prefix(before, after, session)
    assert after.plan.prefix_tokens > before.plan.history.tokens
