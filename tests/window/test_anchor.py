"""When history overflows: where the anchor lands, and what a summary covers by then."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from windows import Session, check, long_text, rules_that_dropped, shown, usual_rules

from persona.values.message import Message, Text
from persona.window.anchor import due_for_summary, landing, newest_that_fit, room_of_history, tokens_of
from persona.window.materials import PastTurn, Summary, turns_of
from persona.window.rules import SectionRule


def turns_with(*tokens: int) -> tuple[PastTurn, ...]:
    """Turns of two messages each."""
    return tuple(
        PastTurn((Message("user", (), f"u{i}", depth=2 * i), Message("assistant", (), f"a{i}", depth=2 * i + 1)), size)
        for i, size in enumerate(tokens)
    )


sizes = st.lists(st.integers(1, 300), min_size=1, max_size=12).map(lambda tokens: turns_with(*tokens))
low_waters = st.sampled_from([0.3, 0.6, 0.9, 1.0])


@given(sizes, st.integers(0, 1500), low_waters, st.none() | st.integers(0, 30))
def test_what_stays_after_a_jump_fits_the_grant(
    turns: tuple[PastTurn, ...], grant: int, low_water: float, upto: int | None
) -> None:
    summary = None if upto is None else Summary("s", "", upto)
    assert tokens_of(turns[landing(turns, grant, low_water, summary) :]) <= grant


@given(sizes, st.integers(0, 1500), low_waters)
def test_without_a_summary_history_falls_to_low_water_and_no_further(
    turns: tuple[PastTurn, ...], grant: int, low_water: float
) -> None:
    cut = landing(turns, grant, low_water, None)
    kept = turns[cut:]
    assert tokens_of(kept) <= grant * low_water or len(kept) == 1
    assert not cut or tokens_of(turns[cut - 1 :]) > int(grant * low_water)


def test_newest_turn_stays_when_the_grant_holds_it() -> None:
    assert landing(turns_with(100, 100, 700), 800, 0.6, None) == 2


def test_turn_larger_than_the_grant_leaves_nothing() -> None:
    assert landing(turns_with(100, 900), 800, 0.6, None) == 2


def test_history_starts_right_after_a_summary_that_stops_a_little_earlier() -> None:
    turns = turns_with(100, 100, 100, 100, 100, 100, 100)
    assert landing(turns, 600, 0.6, None) == 4
    assert landing(turns, 600, 0.6, Summary("s", "", upto_depth=5)) == 3
    assert landing(turns, 600, 0.6, Summary("s", "", upto_depth=1)) == 1


def test_a_summary_that_stops_much_earlier_does_not_hold_history_back() -> None:
    turns = turns_with(100, 100, 100, 100, 100, 100, 100)
    assert landing(turns, 500, 0.6, Summary("s", "", upto_depth=1)) == 4


def test_a_summary_of_more_than_is_left_out_does_not_shorten_history() -> None:
    assert landing(turns_with(100, 100, 100), 200, 1.0, Summary("s", "", upto_depth=5)) == 1


@given(sizes, st.integers(0, 1500))
def test_newest_that_fit_are_as_many_as_can_be(turns: tuple[PastTurn, ...], tokens: int) -> None:
    first = newest_that_fit(turns, tokens)
    assert tokens_of(turns[first:]) <= tokens
    assert first == 0 or tokens_of(turns[first - 1 :]) > tokens


@given(sizes, st.integers(1, 1500), low_waters, st.integers(1, 300))
def test_summary_due_covers_no_turn_that_a_jump_would_keep(
    turns: tuple[PastTurn, ...], grant: int, low_water: float, following: int
) -> None:
    depth = due_for_summary(turns, grant, low_water, 0.8)
    later = turns_with(*(turn.tokens for turn in turns), following)
    if depth is None or tokens_of(later) <= grant:
        return
    cut = landing(later, grant, low_water, None)
    assert cut == len(later) or depth < later[cut].first_depth


@given(sizes, st.integers(1, 1500), low_waters)
def test_history_starts_right_after_the_summary_that_was_due(
    turns: tuple[PastTurn, ...], grant: int, low_water: float
) -> None:
    """Nothing falls between the two, whenever what the summary leaves fits."""
    depth = due_for_summary(turns, grant, low_water, 0.0)
    if depth is None or tokens_of(turns) <= grant:
        return
    summary = Summary("s", "", depth)
    cut = landing(turns, grant, low_water, summary)
    after = [turn for turn in turns if turn.first_depth > depth]
    if tokens_of(after) <= grant:
        assert not turns[cut:] or turns[cut].first_depth <= depth + 1


def test_summary_is_not_due_before_its_share() -> None:
    turns = turns_with(100, 100, 100)
    assert due_for_summary(turns, 400, 0.6, 0.8) is None
    assert due_for_summary(turns, 375, 0.6, 0.8) == 3


def test_summary_covers_what_a_jump_at_the_full_grant_would_leave_out() -> None:
    turns = turns_with(*[40] * 10)
    assert due_for_summary(turns, 500, 0.6, 0.8) == turns[4].messages[-1].depth  # 200 of 500 would leave
    assert due_for_summary(turns, 500, 0.9, 0.8) == turns[1].messages[-1].depth  # 50 of 500
    assert due_for_summary(turns, 300, 0.6, 0.8) == turns[5].messages[-1].depth  # 220 of 400


def test_summary_of_nothing_is_not_due() -> None:
    assert due_for_summary((), 100, 0.6, 0.0) is None


def test_one_turn_alone_is_not_summarised_while_it_can_be_shown() -> None:
    assert due_for_summary(turns_with(90), 100, 0.6, 0.8) is None


def test_turn_too_large_to_be_shown_again_is_summarised() -> None:
    assert due_for_summary(turns_with(10, 120), 100, 0.6, 0.8) == 3


def test_everything_before_a_large_newest_turn_is_summarised() -> None:
    assert due_for_summary(turns_with(10, 10, 85), 100, 0.6, 0.8) == 3


def test_room_of_history_stays_within_its_max() -> None:
    session = Session(usual_rules(1000))
    plan = session.turn("hi")[0].plan
    kept = plan.outline()
    assert room_of_history(kept, 1.0) == 1000 - plan.total
    assert room_of_history(kept, 0.5) == 500
    assert room_of_history(kept, 200) == 200


def test_summary_is_due_before_history_reaches_a_max_of_its_own() -> None:
    session = Session(usual_rules(2000))
    session.rules = replace(session.rules, sections={**session.rules.sections, "history": SectionRule(0.2, 0.3)})
    due = False
    for _ in range(20):
        window = session.turn(long_text(60))[0]
        if window.plan.jumped:
            assert window.plan.section("summary").tokens
            return
        due = due or session.summarise()
    pytest.fail("history never overflowed")


def test_first_turn_has_no_history() -> None:
    window = Session(usual_rules(500)).turn("hi")[0]
    assert (window.plan.history.turns, window.plan.history.tokens, window.plan.history.left_out) == (0, 0, 0)
    assert not window.plan.jumped
    assert window.plan.prefix_tokens == 0


def test_prefix_is_stable_for_many_turns_after_a_jump() -> None:
    session = Session(usual_rules(2000))
    jumps = []
    for number in range(80):
        (window,) = session.turn(f"question {number} " + long_text(20), reply=long_text(20))
        check(window, session)
        if window.plan.jumped:
            jumps.append(number)
    assert len(jumps) >= 3
    assert min(later - earlier for earlier, later in pairwise(jumps)) >= 10


def test_history_only_grows_between_jumps() -> None:
    session = Session(usual_rules(1200))
    before = None
    for number in range(40):
        session.recalled = ()
        (window,) = session.turn(long_text(10 + number % 7 * 5))
        history = window.plan.history
        if before and not window.plan.jumped:
            assert history.first_depth == before.first_depth
            assert history.turns == before.turns + 1
        before = history


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 250), min_size=5, max_size=25), st.integers(400, 900))
def test_anchor_moves_only_when_history_overflows(sizes: list[int], limit: int) -> None:
    session = Session(usual_rules(limit))
    for size in sizes:
        anchor = session.anchor
        fitted = session.turn(long_text(size))[0]
        plan = fitted.plan
        before = [one for one in session.path[anchor.first_depth :] if one.depth < session.path[-2].depth]
        overflow = sum(map(session.counter.message, before)) > limit - plan.total + plan.section("history").tokens
        assert plan.jumped == overflow
        if not plan.jumped:
            assert session.anchor.first_depth == anchor.first_depth


def test_turn_larger_than_the_window_leaves_history_empty_and_the_next_one_goes_on() -> None:
    session = Session(usual_rules(400))
    session.turn("hi", reply=long_text(500))
    (jumped,) = session.turn("and now?")
    assert jumped.plan.jumped
    assert jumped.plan.history.turns == 0
    assert jumped.plan.history.left_out == 2
    (following,) = session.turn("still there?")
    assert not following.plan.jumped
    assert following.plan.history.turns == 1
    assert following.plan.prefix_tokens == following.plan.section("instructions").tokens


def test_jump_shows_the_newest_summary_and_starts_right_after_it() -> None:
    session = Session(usual_rules(1500))
    for number in range(60):
        (window,) = session.turn(f"question {number} " + long_text(20), reply=long_text(20))
        if window.plan.jumped:
            break
        session.summarise(f"They spoke of {number}.")
    assert window.plan.section("summary").tokens
    assert window.plan.history.first_depth == session.summaries[0].upto_depth + 1
    assert not [note for note in window.plan.notes if "summary" in note]
    assert shown(window, "summary") == {session.summaries[0].id}


def test_gap_between_summary_and_history_is_noted() -> None:
    session = Session(usual_rules(500))
    session.turn("one", reply=long_text(60))
    session.summaries.append(Summary("s", "They talked.", 1))
    session.turn("two", reply=long_text(180))
    session.turn("three", reply=long_text(180))
    (window,) = session.turn("four " + long_text(150))
    assert "the summary stops 2 messages before the history" in window.plan.notes


def test_summary_longer_than_its_section_stays_out_with_the_rule() -> None:
    session = Session(usual_rules(500))
    session.turn("one", reply=long_text(250))
    session.summaries.append(Summary("s", long_text(200), 1))
    session.turn("two", reply=long_text(200))
    (window,) = session.turn("three")
    assert window.plan.jumped
    assert not [note for note in window.plan.notes if "summary stops" in note]
    assert rules_that_dropped(window, "summary") == {"s": "over the section's 50 tokens"}
    session.rules = usual_rules(5000)
    assert not session.turn("four")[0].plan.section("summary").tokens  # it was not frozen, so it does not appear


def test_turns_begin_with_a_user_message() -> None:
    messages = [Message(role, (Text(role),), f"m{at}", depth=at) for at, role in enumerate(["assistant", "user"])]
    (turn,) = turns_of(messages, [1, 2])
    assert turn.messages == (messages[1],)
    assert turn.tokens == 2
