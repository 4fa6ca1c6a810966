"""What a logged conversation gives: examples of replies, of better and worse ones, of liked and disliked ones."""

from dataclasses import replace

import pytest
from harvest.logged import plan
from harvest.talked import Talk, made_of

from persona.harvest.candidate import Candidate
from persona.harvest.consented import consented
from persona.harvest.mending import Mending, mended
from persona.harvest.personal.mend import Mender
from persona.harvest.prompt import Words
from persona.harvest.tally import Tally
from persona.harvest.turns import tree_of, turns_of
from persona.store.codec import decode_plan, encode_plan
from persona.values.example import Example
from persona.values.memory import Fact
from persona.values.message import ToolCall, say
from persona.values.owner import Owner
from persona.values.plan import NO_PLAN, SectionPlan
from persona.values.plan import Candidate as Shown


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_each_exchange_gives_an_example_with_what_came_before_and_loss_on_its_reply(talk: Talk) -> None:
    talk.say("one?", "one.")
    talk.say("two?", "two.")
    made = made_of(talk)
    assert made.shown() == [["one?", "one."], ["one?", "one.", "two?", "two."]]
    assert [one.example.weights for one in made.examples] == [(False, True), (False, False, False, True)]
    assert [one.log for one in made.examples] == [("exc_0",), ("exc_1",)]


def test_a_tool_group_stays_whole_and_its_call_is_learnt(talk: Talk) -> None:
    talk.say("one?", "one.", rounds=True)
    (one,) = made_of(talk).examples
    assert [message.role for message in one.example.messages] == ["user", "assistant", "tool", "assistant"]
    assert one.example.weights == (False, True, False, True)
    assert one.log == ("exc_0", "exc_1")


def test_a_conversation_gives_one_example_with_loss_on_every_reply_that_is_good(talk: Talk) -> None:
    talk.say("one?", "one.")
    talk.say("two?", "too long", stop="length")
    talk.say("three?", "three.")
    made = made_of(talk, whole=True)
    (one,) = made.examples
    assert [message.text for message in one.example.messages] == [
        "one?",
        "one.",
        "two?",
        "too long",
        "three?",
        "three.",
    ]
    assert one.example.weights == (False, True, False, False, False, True)
    assert made.refused == {"exc_1": "truncated"}
    assert (one.question, one.reply) == ("one?\nthree?", "one.\nthree.")


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"outcome": "failed", "error": "Overloaded"}, "failed"),
        ({"outcome": "cut", "error": "StreamCut"}, "cut"),
        ({"outcome": "cancelled", "error": "TurnCancelled"}, "cut"),
        ({"outcome": "failed", "error": "Refused"}, "refused"),
        ({"stop": "refused"}, "refused"),
        ({"stop": "length"}, "truncated"),
        ({"consent": None}, "consent"),
        ({"consent": False}, "consent"),
    ],
    ids=str,
)
def test_what_is_no_reply_to_learn_is_named(talk: Talk, changes: dict[str, object], check: str) -> None:
    talk.say("one?", "one.", **changes)
    made = made_of(talk)
    assert (made.examples, made.refused) == ([], {"exc_0": check})


def test_nothing_is_taken_of_a_user_who_has_withdrawn(talk: Talk) -> None:
    talk.now = False
    talk.say("one?", "one.")
    assert made_of(talk).refused == {"exc_0": "consent"}
    assert len(made_of(talk, consent_required=False).examples) == 1


def test_what_was_said_before_the_user_agreed_is_not_shown(talk: Talk) -> None:
    talk.consent = None
    talk.say("before?", "before.")
    talk.consent = True
    talk.say("after?", "after.")
    logged = talk.logged()
    shown = consented(logged, Words({}, {}, {}, {}))
    made = made_of(shown)
    assert made.shown() == [["after?", "after."]]
    turns = turns_of(shown, tree_of(logged, shown.messages))
    assert [turn.on_path for turn in turns] == [False, True]


def test_a_reply_that_used_what_was_said_without_consent_is_not_shown(talk: Talk) -> None:
    talk.consent = None
    talk.say("my key hangs behind the green door", "noted.")
    talk.consent = True
    talk.say("where is it?", "It hangs behind the green door.")
    talk.say("thank you", "with pleasure.")
    shown = consented(talk.logged(), Words({}, {}, {}, {}))
    made = made_of(shown)
    assert made.shown() == [["thank you", "with pleasure."]]
    assert made.refused == {"exc_0": "consent", "exc_1": "consent"}


def test_a_reply_that_repeats_one_that_used_what_may_not_be_shown_is_not_shown(talk: Talk) -> None:
    talk.say("where is my key?", "It hangs behind the green door.")
    talk.say("and which door is that?", "The one behind the green door of the barn.")
    talk.say("thank you", "with pleasure.")
    recalled = SectionPlan("recall", 9, 90, (Shown("mem_1", 9, True, "fits", 0.5),))
    plans = {"exc_0": replace(NO_PLAN, sections=(recalled,))}
    words = Words(plans, {}, {}, {"mem_1": "my key hangs behind the green door"})
    made = made_of(consented(talk.logged(), words))
    assert made.shown() == [["thank you", "with pleasure."]]
    assert made.refused == {"exc_0": "consent", "exc_1": "consent"}


def test_a_call_of_a_tool_that_used_what_was_said_without_consent_is_not_shown(talk: Talk) -> None:
    talk.consent = None
    talk.say("the word of my cousin is x-ray 42", "noted.")
    talk.consent = True
    talk.say("look it up", "done.", rounds=True)
    talk.say("thank you", "with pleasure.")
    call = (ToolCall("c1", "look", '{"word":"x-ray 42"}'),)
    talk.messages = [replace(one, parts=call) if one.tool_calls else one for one in talk.messages]
    made = made_of(consented(talk.logged(), Words({}, {}, {}, {})))
    assert made.shown() == [["thank you", "with pleasure."]]


@pytest.mark.parametrize(
    ("asked", "invented"), [("what is the weather?", "Lyon"), ("what is the weather in Lyon?", "")]
)
def test_a_call_of_a_tool_that_used_what_an_example_does_not_show_is_invented(
    talk: Talk, asked: str, invented: str
) -> None:
    known = SectionPlan("profile", 9, 90, (Shown("fac_1", 9, True, "fits"),))
    bare = decode_plan(plan(0, 0))
    sections = tuple(known if one.name == "profile" else one for one in bare.sections)
    told = encode_plan(replace(bare, sections=sections))
    talk.say(asked, "it is mild.", rounds=True, plan=told)
    call = (ToolCall("c1", "weather", '{"city":"Lyon"}'),)
    talk.messages = [replace(one, parts=call) if one.tool_calls else one for one in talk.messages]
    logged = talk.logged(facts=(Fact("fac_1", "She lives in Lyon."),))
    (one,) = made_of(logged).examples
    assert one.invented == invented
    talk.say("thank you", "with pleasure.")
    made = made_of(talk.logged(facts=logged.facts), whole=True)
    assert made.refused == ({"exc_1": "memory"} if invented else {})


def test_what_the_user_says_again_after_a_reply_is_not_what_the_reply_took(talk: Talk) -> None:
    talk.consent = None
    talk.say("my key hangs behind the green door", "noted.")
    talk.consent = True
    talk.say("where is it?", "It hangs behind the green door.")
    talk.say("right, it hangs behind the green door", "It hangs behind the green door, indeed.")
    made = made_of(consented(talk.logged(), Words({}, {}, {}, {})))
    assert made.shown() == [["right, it hangs behind the green door", "It hangs behind the green door, indeed."]]


def test_a_correction_replaces_the_reply(talk: Talk) -> None:
    reply = talk.say("one?", "wrong", stop="length")
    talk.feel(reply, "correction", text="right")
    (one,) = made_of(talk).examples
    assert [message.text for message in one.example.messages] == ["one?", "right"]
    assert one.corrected


def test_a_correction_is_better_than_the_reply(talk: Talk) -> None:
    talk.feel(talk.say("one?", "wrong"), "correction", text="right")
    (one,) = made_of(talk, "preference").examples
    assert one.example.rejected
    assert (one.reply, one.rejected, one.example.shape) == ("right", "wrong", "preference")


def regenerated(talk: Talk) -> tuple[str, str]:
    asked = talk.ask("one?")
    first = talk.answer(asked, "first")
    talk.feel(first, "regeneration")
    return first, talk.answer(asked, "second", turn="trn_again")


def test_of_two_replies_the_one_that_the_user_went_on_from_is_better(talk: Talk) -> None:
    regenerated(talk)
    talk.say("two?", "two.")
    made = made_of(talk, "preference", "chat")
    pair = made.examples[0]
    assert (pair.reply, pair.rejected, pair.log) == ("second", "first", ("exc_1", "exc_0"))
    assert [one.reply for one in made.examples[1:]] == ["second", "two."]
    assert made.refused == {"exc_0": "regenerated"}


def test_of_two_replies_none_is_better_when_the_user_just_left(talk: Talk) -> None:
    regenerated(talk)
    assert made_of(talk, "preference").examples == []


def test_of_two_replies_the_higher_rated_is_better_wherever_the_user_went_on(talk: Talk) -> None:
    first, second = regenerated(talk)
    talk.feel(first, "rating", 1.0)
    talk.feel(second, "rating", -1.0)
    talk.say("two?", "two.")
    (one,) = made_of(talk, "preference").examples
    assert (one.reply, one.rejected) == ("first", "second")


def test_a_lone_rating_says_whether_a_reply_was_liked(talk: Talk) -> None:
    talk.feel(talk.say("one?", "one."), "rating", 1.0)
    talk.feel(talk.say("two?", "two."), "rating", 0.0)
    talk.say("three?", "three.")
    made = made_of(talk, "unpaired", liked_from=1.0)
    assert [one.example.label for one in made.examples] == [True, False]
    assert made.refused == {"exc_2": "no feedback"}


def test_what_is_disliked_is_not_learnt_unless_it_was_corrected(talk: Talk) -> None:
    first, second = talk.say("one?", "one."), talk.say("two?", "two.")
    for reply in (first, second):
        talk.feel(reply, "rating", 0.0)
    talk.feel(second, "correction", text="TWO")
    made = made_of(talk, liked_from=1.0)
    assert made.refused == {"exc_0": "disliked"}
    assert [one.reply for one in made.examples] == ["TWO"]


def test_the_last_rating_counts(talk: Talk) -> None:
    reply = talk.say("one?", "one.")
    talk.feel(reply, "rating", 0.0)
    talk.feel(reply, "rating", 1.0)
    assert made_of(talk, liked_from=1.0).examples[0].rating == 1.0


def test_of_an_edited_question_only_the_version_that_was_continued_is_taken(talk: Talk) -> None:
    talk.say("wrong?", "wrong.")
    talk.answer(talk.ask("right?", after=""), "right.")
    made = made_of(talk)
    assert made.shown() == [["right?", "right."]]
    assert made.refused == {"exc_0": "left"}


def test_a_question_without_an_answer_is_read_with_the_next_one(talk: Talk) -> None:
    asked = talk.ask("are you there?")
    talk.fail(asked, error="Overloaded")
    talk.say("hello?", "yes.")
    made = made_of(talk)
    assert made.shown() == [["are you there?\n\nhello?", "yes."]]
    assert made.refused == {"exc_0": "failed"}


def test_calls_of_tools_that_were_never_answered_are_not_shown(talk: Talk) -> None:
    asked = talk.ask("look?")
    talk.answer(asked, "42", rounds=True)
    talk.messages = [message for message in talk.messages if message.role != "tool"]
    talk.messages[-1] = type(talk.messages[-1])(
        "assistant", talk.messages[-1].parts, talk.messages[-1].id, "msg_001", talk.messages[-1].turn_id, 2
    )
    (one,) = made_of(talk).examples
    assert [message.role for message in one.example.messages] == ["user", "assistant"]


def test_a_selection_takes_what_was_asked_for(talk: Talk) -> None:
    talk.say("one?", "one.")
    logged = talk.logged(tags=("vip",))
    from persona.harvest.recipe import Selection

    for changes, check in (
        ({"arms": ("tuned",)}, "arm"),
        ({"since_us": 10**12}, "dates"),
        ({"until_us": 1}, "dates"),
        ({"tenants": ("other",)}, "users"),
        ({"users": ("bob",)}, "users"),
        ({"tags": ("other",)}, "tags"),
        ({"rated_from": 1.0}, "rating"),
    ):
        selection = Selection("default", **changes)  # type: ignore[arg-type]
        assert _refused(logged, selection) == check
    assert _refused(logged, Selection("default", tags=("vip", "x"), users=("ada",), tenants=("acme",))) is None


def test_a_question_is_looked_through_once_with_the_blocks_of_the_window_before_it(talk: Talk) -> None:
    talk.say("?", "!")
    asked, reply = say("user", "Write to grace@navy.org"), say("assistant", "To grace@navy.org, then.")
    sent = say("user", f"<context>\nuser: alan@navy.org\n</context>\n{asked.text}")
    messages = (say("system", "Be grace@navy.org."), sent, reply)
    one = Candidate(
        Example("exc_0", messages, (False, False, True)), Owner("", "ada"), 7, 1, ("exc_0",), 1, (asked,), (reply,)
    )
    tally = Tally()
    mending = Mending(Mender(), talk.logged(), 1, frozenset([messages[0].parts]))
    ((made,),) = mended([(mending, [one])], tally)
    system, shown, told = (message.text for message in made.example.messages)
    assert system == messages[0].text, "what the settings say stays"
    assert "navy" not in shown + told
    assert shown.endswith(made.question)
    assert made.question.removeprefix("Write to ") in told
    assert tally.mended == {"personal: email": 3}, "the question's, the block's and the reply's"


def _refused(logged, selection):  # type: ignore[no-untyped-def]
    from persona.harvest.checks.log import SELECTION
    from persona.harvest.checks.rules import Rules

    (turn,) = turns_of(logged, tree_of(logged, logged.messages))
    return next((check.name for check in SELECTION if check.judge(turn, Rules(selection)) is not None), None)
