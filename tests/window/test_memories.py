"""Facts and recalled memories in a window: forgotten at once, new ones wait, nothing is shown twice."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from windows import COUNTER, Session, any_text, hit, long_text, rules_that_dropped, shot, shown, usual_rules

from persona.values.memory import Recalled, Source
from persona.values.message import Text
from persona.window.fit import Fitted, fit
from persona.window.materials import Anchor


def wire(fitted: Fitted) -> str:
    """All the words that are sent."""
    return "\n".join(message.text for message in fitted.messages)


def test_forgotten_fact_is_gone_at_once() -> None:
    session = Session(usual_rules(2000))
    kept, gone = session.remember("likes teal"), session.remember("lives in Lyon")
    assert "lives in Lyon" in wire(session.turn("hi")[0])
    session.forget(gone)
    (window,) = session.turn("hi")
    assert "lives in Lyon" not in wire(window)
    assert shown(window, "profile") == {kept.id}
    assert session.anchor.facts == (kept.id,)


def test_forgotten_fact_that_was_waiting_is_gone_at_once_and_the_profile_stays() -> None:
    session = Session(usual_rules(2000))
    session.remember("likes teal")
    (before,) = session.turn("hi")
    waiting = session.remember("lives in Lyon")
    session.turn("hi")
    session.forget(waiting)
    (window,) = session.turn("hi")
    assert "lives in Lyon" not in wire(window)
    assert window.plan.section("profile").digest == before.plan.section("profile").digest


def test_rebuilt_profile_takes_in_the_facts_that_waited() -> None:
    session = Session(usual_rules(2000))
    gone = session.remember("likes teal")
    session.turn("hi")
    waited = session.remember("lives in Lyon")
    session.forget(gone)
    (window,) = session.turn("hi")
    assert shown(window, "profile") == {waited.id}
    assert not shown(window, "recall")


def test_new_fact_waits_in_recall_until_the_anchor_jumps() -> None:
    session = Session(usual_rules(1000))
    old = session.remember("likes teal")
    session.turn("hi")
    new = session.remember("lives in Lyon")
    (window,) = session.turn("hi", reply=long_text(450))
    assert (shown(window, "profile"), shown(window, "recall")) == ({old.id}, {new.id})
    session.turn("hi", reply=long_text(450))
    (window,) = session.turn("hi", reply=long_text(450))
    assert window.plan.jumped
    assert (shown(window, "profile"), shown(window, "recall")) == ({old.id, new.id}, set())


def test_fact_stored_at_the_moment_of_the_first_window_is_shown_once() -> None:
    session = Session(usual_rules(2000))
    fact = replace(session.remember("likes teal"), created_us=10**9)  # a clock that runs ahead
    session.facts = [fact]
    for _ in range(3):
        assert wire(session.turn("hi")[0]).count("likes teal") == 1


def test_fact_dated_before_the_first_window_but_stored_after_it_is_shown() -> None:
    session = Session(usual_rules(2000))
    session.turn("hi")
    session.facts = [replace(session.remember("likes teal"), created_us=1)]
    assert "likes teal" in wire(session.turn("hi")[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["remember", "forget", "turn", "turn", "long"]), min_size=3, max_size=25))
def test_every_fact_that_holds_is_shown_exactly_once(script: list[str]) -> None:
    session = Session(usual_rules(3000))
    for number, step in enumerate(script):
        if step == "remember":
            session.remember(f"<fact number {number}>")
        elif step == "forget" and session.facts:
            session.forget(session.facts[number % len(session.facts)])
        elif step in ("turn", "long"):
            session.recalled = tuple(
                Recalled(fact.id, fact.text, Source("fact", fact.id), 1.0, fact_kind="fact") for fact in session.facts
            )
            (window,) = session.turn("hi", reply=long_text(500 if step == "long" else 2))
            said = wire(window)
            assert said.count("&lt;fact number") == len(session.facts)
            for fact in session.facts:
                assert said.count(f"{fact.text[1:-1]}&gt;") == 1


def test_fact_in_the_profile_is_not_recalled_again() -> None:
    session = Session(usual_rules(2000))
    fact = session.remember("likes teal")
    session.recalled = (Recalled(fact.id, fact.text, Source("fact", fact.id), 1.0, fact_kind="preference"),)
    assert rules_that_dropped(session.turn("hi")[0], "recall") == {fact.id: "already in the profile"}


def test_fact_that_found_no_room_in_the_profile_can_be_recalled() -> None:
    session = Session(usual_rules(1000))
    facts = [session.remember(f"fact number {number} about this user") for number in range(20)]
    last = facts[-1]
    session.recalled = (Recalled(last.id, last.text, Source("fact", last.id), 1.0, fact_kind="fact"),)
    for _ in range(2):
        (window,) = session.turn("hi")
        assert last.id not in shown(window, "profile")
        assert last.id in shown(window, "recall")


def test_memory_of_a_message_in_the_history_is_dropped_with_the_rule() -> None:
    session = Session(usual_rules(2000))
    session.turn("my cat is Minou")
    session.recalled = (hit(0, "my cat is Minou", session.path[0].id), hit(1, "my dog is Rex", "m-elsewhere"))
    (window,) = session.turn("what is my cat called?")
    assert rules_that_dropped(window, "recall") == {"r0": "already in the history"}
    assert shown(window, "recall") == {"r1"}


def test_memory_of_a_message_that_a_jump_leaves_out_comes_back_in_recall() -> None:
    session = Session(usual_rules(440))
    session.turn("my cat is Minou", reply=long_text(200))
    session.recalled = (hit(0, "my cat is Minou", session.path[0].id),)
    session.turn("hi", reply=long_text(200))
    (window,) = session.turn("what is my cat called?")
    assert window.plan.jumped
    assert shown(window, "recall") == {"r0"}


def test_memory_of_the_input_itself_is_dropped_with_the_rule() -> None:
    session = Session(usual_rules(2000))
    asked = session.message("user", Text("my cat is Minou"))
    session.recalled = (hit(0, "my cat is Minou", asked.id),)
    assert rules_that_dropped(session.fit(asked), "recall") == {"r0": "already in the input"}


def test_best_memories_are_kept_and_the_rest_says_why_not() -> None:
    session = Session(usual_rules(1000), recalled=tuple(hit(number, long_text(40)) for number in range(6)))
    (window,) = session.turn("hi")
    section = window.plan.section("recall")
    included = [one.included for one in section.candidates]
    assert included == sorted(included, reverse=True)
    assert any(included)
    assert set(rules_that_dropped(window, "recall").values()) == {"over the section's 150 tokens"}


def test_a_memory_that_does_not_fit_lets_none_behind_it_in() -> None:
    """Else a larger budget, which holds it, would show less of the others."""
    session = Session(usual_rules(400), recalled=(hit(0, "short"), hit(1, long_text(60)), hit(2, "short")))
    assert shown(session.turn("hi")[0], "recall") == {"r0"}


def test_facts_without_room_in_the_profile_are_in_the_plan_with_the_rule() -> None:
    session = Session(usual_rules(1000))
    facts = [session.remember(f"fact number {number} about this user") for number in range(20)]
    rules = set()
    for _ in range(2):
        (window,) = session.turn("hi")
        left_out = rules_that_dropped(window, "profile")
        assert set(left_out) | shown(window, "profile") == {fact.id for fact in facts}
        rules |= set(left_out.values())
    assert rules == {"over the section's 100 tokens", "no room when the profile was frozen"}


def test_shots_over_their_max_stay_out_for_the_whole_conversation() -> None:
    session = Session(usual_rules(1000), shots=(shot(0, "short"), shot(1, long_text(150)), shot(2, "short")))
    (window,) = session.turn("hi")
    assert shown(window, "shots") == {"shot0"}
    assert rules_that_dropped(window, "shots") == dict.fromkeys(["shot1", "shot2"], "over the section's 150 tokens")
    session.rules = usual_rules(5000)
    assert shown(session.turn("hi")[0], "shots") == {"shot0"}


@given(st.lists(any_text, max_size=5), st.lists(any_text, max_size=5))
def test_same_materials_give_the_same_window(facts: list[str], recalled: list[str]) -> None:
    session = Session(usual_rules(800), recalled=tuple(hit(at, text) for at, text in enumerate(recalled)))
    for text in facts:
        session.remember(text)
    materials = session.materials(session.message("user", Text("hi")))
    assert fit(materials, session.rules, Anchor()) == fit(materials, session.rules, Anchor())
    assert COUNTER.request(session.fit(materials.input).messages) <= 800
