"""The checks on an example as it would be written."""

import sys
from dataclasses import replace
from typing import Any

import pytest

from persona.harvest.candidate import Candidate
from persona.harvest.checks.example import COUNTED, EXAMPLE
from persona.harvest.checks.held_out import HeldOut
from persona.harvest.checks.rules import Rules
from persona.harvest.language import language
from persona.harvest.memories import taken_from
from persona.harvest.recipe import Selection
from persona.values.example import Example
from persona.values.message import Image, Message, Text, say
from persona.values.owner import Owner


def candidate(question: str = "When do you open?", reply: str = "At nine.", **changes: Any) -> Candidate:
    messages = (say("user", question), say("assistant", reply))
    example = Example("exc_1", messages, (False, True))
    made = Candidate(example, Owner("", "ada"), 1, 1, ("exc_1",), 1, messages[:1], messages[1:])
    return replace(made, **changes)


def verdict(one: Candidate, **rules: Any) -> str | None:
    told = Rules(Selection("default"), **rules)
    return next((check.name for check in (*EXAMPLE, *COUNTED) if check.judge(one, told) is not None), None)


def test_a_good_example_passes() -> None:
    assert verdict(candidate()) is None


@pytest.mark.parametrize("reply", ["", "  \n", "\u00a0"], ids=repr)
def test_a_reply_that_says_nothing_is_empty(reply: str) -> None:
    assert verdict(candidate(reply=reply)) == "empty"


def test_a_question_may_be_a_picture_alone() -> None:
    assert verdict(candidate(question=" ")) == "empty"
    shown = Message("user", (Image("https://example.org/a.png"),))
    assert verdict(candidate(asked=(shown,))) is None


def test_a_reply_shorter_than_asked_for_is_short() -> None:
    assert verdict(candidate(reply="ok"), min_reply_chars=3) == "short"
    assert verdict(candidate(reply="yes"), min_reply_chars=3) is None


def test_a_preference_between_the_same_words_is_none() -> None:
    one = candidate()
    assert verdict(replace(one, example=replace(one.example, rejected=say("assistant", "At  nine.")))) == "same"


@pytest.mark.parametrize(
    "reply",
    ["Dear {{ name }}, hello", "Call [phone number]", "Bonjour [Votre nom], merci", "see <recall>\nfacts", "Hi [NAME]",
     "write to <email>", "Hello ${user}", "Lorem ipsum dolor"],
)  # fmt: skip
def test_what_should_have_been_filled_in_is_found(reply: str) -> None:
    assert verdict(candidate(reply=reply)) == "placeholder"


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("How do I write a loop?", "Like this: `{{ name }}` or\n```\n{{ item }}\n```"),
        ("What does {{ name }} mean?", "That {{ name }} is filled in."),
        ("When?", "At nine [see our page] <br>, (by phone) {here}."),
        ("Un tableau ?", "Les adresses [1] et [2] sont là."),
    ],
)
def test_code_and_what_the_user_asked_about_are_no_placeholders(question: str, reply: str) -> None:
    assert verdict(candidate(question, reply)) is None


def test_what_a_shot_or_a_held_out_example_asks_is_never_trained_on() -> None:
    held = HeldOut.of(["When do you open on Sundays in the old town?", "Comment annuler ?"])
    assert verdict(candidate("When do you open on sundays, in the old town"), held_out=held) == "held out"
    assert verdict(candidate("COMMENT ANNULER"), held_out=held) == "held out"
    assert verdict(candidate("When do you close on Mondays in the new town?"), held_out=held) is None


def test_the_words_of_a_question_are_not_kept_to_tell_it_again() -> None:
    held = HeldOut.of(["Comment annuler ?"])
    question = "".join(("Comment ", "annuler", " ?"))
    before = sys.getrefcount(question)
    assert [held.holds(question), held.holds(question)] == [True, True]
    assert sys.getrefcount(question) == before


def test_a_held_out_question_is_found_in_a_conversation_and_in_a_history_that_is_trained_on() -> None:
    held = HeldOut.of(["Comment annuler ?"])
    said = [say("user", "Comment annuler ?"), say("assistant", "Ici."), say("user", "Merci"), say("assistant", "!")]
    example = Example("exc_1", tuple(said), (False, False, False, True))
    later = candidate(example=example, asked=(said[2],), replies=(said[3],))
    assert verdict(later, held_out=held) is None
    assert verdict(later, held_out=held, every_reply=True) == "held out"
    compared = replace(later, example=replace(example, rejected=say("assistant", "?")))
    assert verdict(compared, held_out=held, every_reply=True) is None
    assert verdict(candidate(example=example, asked=(said[0], said[2])), held_out=held) == "held out"


def test_only_the_languages_that_are_named_are_taken() -> None:
    one = candidate(language="de")
    assert verdict(one, languages=("fr", "en")) == "language"
    assert verdict(one, languages=("de",)) is None
    assert verdict(one) is None
    assert verdict(candidate(language=""), languages=("de",)) == "language"


def test_what_is_longer_than_the_target_takes_is_long() -> None:
    assert verdict(candidate(tokens=101), max_tokens=100) == "long"
    assert verdict(candidate(tokens=100), max_tokens=100) is None
    assert verdict(candidate(tokens=10**6)) is None


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Vous pouvez annuler votre commande depuis la page de votre compte.", "fr"),
        ("You can cancel your order from the page of your account.", "en"),
        ("Sie können Ihre Bestellung auf der Seite Ihres Kontos stornieren.", "de"),
        ("No me gusta este color, quiero cambiarlo por otro. Gracias por su ayuda.", "es"),
        ("We zijn in de stad en willen weten of de winkel open is; is het ver?", "nl"),
        ("Non riesco a entrare nel mio conto e ho perso la password che mi avete dato.", "it"),
        ("Qualunfe Tifeor X12! " * 12 + "Vous pouvez annuler votre commande depuis la page de votre compte.", "fr"),
        ("12 345 :-)", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_text_is_told_offline(text: str, spoken: str) -> None:
    assert language(text) == spoken


@pytest.mark.parametrize(
    "said", ["Où est-ce que vous avez ÉTÉ, et chez qui ?", "L’équipe est à vous…", "What’s there – is it you?"]
)
def test_a_sign_of_another_script_changes_no_language(said: str) -> None:
    assert language(said) == language(f"{said} ж șœ") != ""


@pytest.mark.parametrize(
    ("reply", "hidden", "taken"),
    [
        ("As you live in Lyon, take the tram.", "I live in Lyon", "Lyon"),
        ("Your contract 4471 ends soon.", "contract number 4471", "4471"),
        (
            "You should avoid red meat and cheese, as always.",
            "the user wants to avoid red meat and cheese",
            "avoid red meat",
        ),
        ("Lyon is far.", "I live in Lyon", ""),
        ("We open at nine.", "I live in Lyon", ""),
        ("You can take the train to the sea.", "what can I take to the party", ""),
    ],
)
def test_a_reply_that_used_a_memory_is_told_by_its_words(reply: str, hidden: str, taken: str) -> None:
    assert taken_from(reply, [hidden], ["how do I get there?"]) == taken


def test_what_the_example_shows_is_not_taken_from_memory() -> None:
    reply, hidden = "In Lyon, take tram 3.", "I live in Lyon, near tram 3"
    assert taken_from(reply, [hidden], []) == "Lyon"
    assert taken_from(reply, [hidden], ["I am in Lyon, and there is a tram 3"]) == ""


def test_a_reply_that_used_what_is_not_shown_is_dropped() -> None:
    assert verdict(candidate(invented="Lyon")) == "memory"


def test_a_window_block_in_the_question_is_no_word_of_the_user() -> None:
    one = candidate()
    shown = replace(one.example, messages=(Message("user", (Text("<context/>\nWhen?"),)), one.example.messages[1]))
    assert replace(one, example=shown).question == "When do you open?"


def test_half_a_surrogate_pair_ends_no_harvest() -> None:
    assert language("Quel temps fera-t-il demain \ud83d ?") == language("Quel temps fera-t-il demain ? ?")
