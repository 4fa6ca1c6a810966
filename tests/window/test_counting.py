"""Counting: a request is the sum of its texts and the format's framing, whatever its parts."""

from math import ceil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from windows import CONTEXT, Session, any_text, check, hit, tools, usual_rules

from persona.adapter import Framing, Tokenizer
from persona.testing import WordTokenizer
from persona.values.message import Image, Message, Part, Text, ToolCall, ToolResult, say
from persona.values.request import AnswerSchema, Tool
from persona.window.counting import Counter, EstimatingTokenizer, declared, declared_in, label
from persona.window.materials import recounted, turns_of


class Bytes:
    """Counts the bytes of UTF-8: exact, additive, and simple to check."""

    name = "bytes"
    exact = True
    framing = Framing(per_request=7, per_message=11, per_call=13, per_tool=17, image_low=19, image_tile=23)

    def count(self, text: str) -> int:
        """One for each byte."""
        return len(text.encode("utf-8", "surrogatepass"))


COUNTER = Counter(Bytes())
sizes = st.integers(0, 5000)
parts = st.one_of(
    st.builds(Text, any_text),
    st.builds(ToolCall, any_text, any_text, any_text),
    st.builds(ToolResult, any_text, any_text, any_text),
    st.builds(Image, st.just("https://x/y.png"), st.sampled_from(["auto", "low", "high"]), sizes, sizes),
)
messages = st.lists(
    st.builds(
        Message, st.sampled_from(["system", "user", "assistant", "tool"]), st.lists(parts, max_size=4).map(tuple)
    ),
    max_size=4,
)


def reference(part: Part) -> int:
    """What one part takes in bytes, by the rules as they are published."""
    if isinstance(part, Text):
        return len(part.text.encode("utf-8", "surrogatepass"))
    if isinstance(part, ToolCall):
        return 13 + len((part.name + part.arguments).encode("utf-8", "surrogatepass"))
    if isinstance(part, ToolResult):
        return 13 + len(part.text.encode("utf-8", "surrogatepass"))
    if part.detail == "low":
        return 19
    if not part.width or not part.height:
        return 19 + 8 * 23
    long, short = max(part.width, part.height), min(part.width, part.height)
    if long > 2048:
        long, short = 2048.0, short * 2048 / long
    if short > 768:
        long, short = long * 768 / short, 768.0
    return 19 + 23 * ceil(round(long / 512, 9)) * ceil(round(short / 512, 9))


@given(messages, tools)
def test_request_counts_as_the_sum_of_its_parts(said: list[Message], offered: tuple[Tool, ...]) -> None:
    schemas = sum(17 + len(f'{{"name": "{tool.name}", "description": ""'.encode()) for tool in offered)
    total = 7 + sum(11 + sum(map(reference, message.parts)) for message in said) + COUNTER.tools(offered)
    assert COUNTER.request(said, offered) == total
    assert COUNTER.tools(offered) >= schemas


def test_neighbouring_texts_count_as_the_one_string_on_the_wire() -> None:
    counter = Counter(EstimatingTokenizer())
    apart, joined = Message("user", (Text("inter"), Text("national"))), say("user", "international")
    assert counter.message(apart) == counter.message(joined)


def test_an_image_between_two_texts_keeps_them_apart() -> None:
    counter = Counter(EstimatingTokenizer())
    image = Image("https://x/y.png", "low")
    expected = counter.framing.per_message + counter.text("inter") + counter.text("national") + 85
    assert counter.message(Message("user", (Text("inter"), image, Text("national")))) == expected


@pytest.mark.parametrize(
    ("width", "height", "tiles"),
    [(512, 512, 1), (513, 512, 2), (1024, 1024, 4), (2048, 4096, 6), (4096, 512, 4), (1, 5000, 4), (0, 900, 8)],
)
def test_pictures_are_counted_in_tiles(width: int, height: int, tiles: int) -> None:
    counter = Counter(EstimatingTokenizer())
    picture = Message("user", (Image("https://x/y.png", "high", width, height),))
    assert counter.message(picture) == 4 + 85 + 170 * tiles


@pytest.mark.parametrize("tokenizer", [EstimatingTokenizer(), WordTokenizer(), Bytes()], ids=lambda one: one.name)
@given(first=any_text, second=any_text)
def test_every_tokenizer_adds_up_where_blocks_meet(tokenizer: Tokenizer, first: str, second: str) -> None:
    first, second = first + ">\n", "<" + second
    assert tokenizer.count(first + second) == tokenizer.count(first) + tokenizer.count(second)


@pytest.mark.parametrize("tokenizer", [EstimatingTokenizer(), WordTokenizer(), Bytes()], ids=lambda one: one.name)
@given(said=parts | st.builds(Text, any_text))
@example(said=Text(""))
@example(said=Text("ሀ" * 40))
def test_no_message_has_more_tokens_than_its_length_lets_one_fear(tokenizer: Tokenizer, said: Part) -> None:
    counter, message = Counter(tokenizer), Message("user", (said,))
    assert counter.message(message) <= counter.at_most(message)


def test_long_texts_count_the_same_as_cached_ones() -> None:
    counter = Counter(Bytes())
    for length in (3_999, 4_000, 4_001, 50_000):
        assert counter.text("x" * length) == counter.text("x" * length) == length


def test_each_text_is_counted_once() -> None:
    counted: list[str] = []

    class Noting(Bytes):
        def count(self, text: str) -> int:
            counted.append(text)
            return super().count(text)

    counter = Counter(Noting())
    for _ in range(3):
        counter.message(say("user", "hello"))
    assert counted == ["hello"]


def test_tool_schemas_count_with_their_parameters() -> None:
    plain = Tool("hours", "Opening hours.", {"type": "object", "properties": {}})
    richer = Tool("hours", "Opening hours.", {"type": "object", "properties": {"day": {"type": "string"}}})
    assert COUNTER.tools([plain]) < COUNTER.tools([richer])
    assert COUNTER.tools([plain, richer]) == COUNTER.tools([plain]) + COUNTER.tools([richer])


def test_what_was_declared_is_read_back_whatever_its_words_hold() -> None:
    words = "one\u2028two\u2029three\x85four\nfive"
    two = (Tool("hours", words, {"type": "object"}), Tool("prices", "", {}))
    answer = AnswerSchema("Invoice", {"type": "object", "description": words})
    assert declared_in(declared(two, answer)) == (two, answer)
    assert declared_in(declared(two, None)) == (two, None)
    assert declared_in(declared((), None)) == ((), None)


@pytest.mark.parametrize(
    ("exact", "samples", "name"),
    [(True, 0, "exact"), (True, 3, "exact"), (False, 0, "estimate"), (False, 1, "calibrated")],
)
def test_count_is_labelled_by_what_it_is(exact: bool, samples: int, name: str) -> None:
    counter = Counter(Bytes())
    counter.exact = exact
    assert label(counter, samples) == name


def test_turns_counted_for_one_model_are_counted_anew_for_another() -> None:
    session = Session(usual_rules(5000))
    session.turn("où est la mairie ?", rounds=["9 h"])
    said = session.path
    turns = turns_of(said, list(map(session.counter.message, said)))
    assert not COUNTER.counts_as(session.counter)
    assert sum(turn.tokens for turn in recounted(turns, COUNTER)) == COUNTER.messages(said)


def test_counters_of_one_vocabulary_with_other_picture_costs_do_not_count_alike() -> None:
    other = Bytes()
    other.framing = Framing(image_low=1)
    assert COUNTER.counts_as(Counter(Bytes()))
    assert not COUNTER.counts_as(Counter(other))


@given(any_text, st.lists(any_text, max_size=3), st.sampled_from(["", CONTEXT]))
def test_plan_adds_up_with_any_tokenizer(said: str, recalled: list[str], context: str) -> None:
    session = Session(usual_rules(50_000), counter=COUNTER, context=context)
    session.recalled = tuple(hit(number, text) for number, text in enumerate(recalled))
    session.remember("likes teal")
    for window in session.turn(said, rounds=[said]):
        check(window, session)


class Long:
    """Counts so many tokens that they are not remembered, and how often it was asked."""

    name = "long"
    exact = True
    framing = Framing()

    def __init__(self) -> None:
        self.asked = 0

    def count(self, text: str) -> int:
        """A hundred thousand for each character."""
        self.asked += 1
        return 100_000 * len(text)


def test_a_text_is_counted_once_unless_it_has_more_tokens_than_are_remembered() -> None:
    counter = Counter(long := Long())
    assert [counter.text("") for _ in range(3)] == [0, 0, 0]
    assert long.asked == 1
    assert [counter.text("ab") for _ in range(3)] == [200_000] * 3
    assert long.asked == 4
