"""What is remembered of a text: the answer, and not the text."""

import gc
import sys

from persona.memory.dates import named
from persona.memory.intent import intent_of
from persona.memory.wordings import counts_anew
from persona.values.remembered import remembered
from persona.values.words import language, terms


def test_a_text_is_asked_about_once_until_there_are_too_many() -> None:
    asked: list[str] = []

    @remembered(2)
    def size(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [size(text) for text in ("a", "bb", "a", "bb", "ccc", "a")] == [1, 2, 1, 2, 3, 1]
    assert asked == ["a", "bb", "ccc", "a"]


def test_an_answer_of_none_is_remembered_too() -> None:
    asked: list[str] = []
    nothing = remembered(2)(asked.append)
    nothing("a")
    nothing("a")
    assert asked == ["a"]


def test_what_is_asked_of_a_users_words_keeps_none_of_their_texts() -> None:
    text = "".join(["In May 2025 I paid", " 1200 euros", " to my dentist, and not before"])
    for ask in (language, named, intent_of):
        ask(text)
    counts_anew(text, text)
    terms("what was asked last is known for a while")
    terms("so are the last four")
    gc.collect()
    assert sys.getrefcount(text) == 2  # this name, and the argument
