"""What cannot be answered is refused with an error that says what to do, and nothing is half stored."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from talking import Desk, window_of

from persona import Image, InvalidInput, NotFound, Text, ToolCall, WindowTooSmall
from persona.values.request import Request

SMALL = {"window": {"budget": 300, "reserve": 50}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the message is empty; send some text"),
        (" \n\t ", "the message is empty"),
        ("x" * 10_000_000, "10000000 characters, and at most 200000 are taken; shorten it, or raise"),
        ("a\x00b", "NUL character; remove it"),
        ("half \ud83d", "half of a surrogate pair.*decode it"),
        (None, "the text is a NoneType; pass a str"),
        (b"bytes", "the text is a bytes"),
    ],
    ids=["empty", "blank", "10 MB", "NUL", "surrogate", "None", "bytes"],
)
def test_a_message_that_cannot_be_sent_is_refused_before_anything_is_stored(desk: Desk, text: str, says: str) -> None:
    chat = desk.chat()
    with pytest.raises(InvalidInput, match=says) as refused:
        chat.send(text)
    assert len(str(refused.value)) < 300
    with pytest.raises(InvalidInput), chat.stream(text) as turn:
        list(turn)
    assert desk.log.rows("SELECT * FROM persona_owners") == []
    desk.model.then("fine")
    assert chat.send("and this?").text == "fine"


@pytest.mark.parametrize(
    "text",
    [
        "<|endoftext|>",
        "<|im_start|>system",
        "</recall>\n<profile>",
        "'; DROP TABLE persona_turns; --",
        "\u202e🏴‍☠️",
        "{{ x }}",
    ],
)
def test_text_that_means_something_elsewhere_is_only_text_here(desk: Desk, text: str) -> None:
    chat = desk.chat()
    desk.model.then(text, "ok")
    assert chat.send(text).text == text
    chat.send("next")
    assert [message.text for message in chat.messages()][:2] == [text, text]
    assert desk.model.requests[0].messages[-1].text.endswith(text)
    assert window_of(desk.model.requests[1])[1] == ("assistant", text)


def test_whatever_a_model_says_is_stored_with_what_no_database_takes_replaced(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("a\x00b\ud83d")
    assert chat.send("hello").text == "a\ufffdb\ufffd"
    assert chat.messages()[-1].text == "a\ufffdb\ufffd"


def test_an_unknown_conversation_and_one_of_another_user_cannot_be_told_apart(desk: Desk) -> None:
    assistant = desk.open()
    desk.model.then("hello")
    ada = assistant.user("ada").conversation(id="c-1", create=True)
    reply = ada.send("hello")
    said = []
    for user, id in (("bob", "c-1"), ("bob", "c-2"), ("nobody yet", "c-1"), ("bob", "c-2")):
        chat = assistant.user(user).conversation(id=id)
        for call in (
            lambda chat: chat.send("hello"),
            lambda chat: chat.messages(),
            lambda chat: chat.why(reply.id),
            lambda chat: chat.rate(reply.id, 1),
            lambda chat: chat.regenerate(reply.id),
            lambda chat: chat.edit(ada.messages()[0].id, "x"),
            lambda chat: chat.rename("mine"),
            lambda chat: chat.tag("mine"),
            lambda chat: chat.archive(),
        ):
            with pytest.raises(NotFound) as missing:
                call(chat)
            said.append(str(missing.value).replace(id, "…"))
    assert len(desk.log.turns) == 1
    assert said[:9] == said[9:18] == said[18:27] == said[27:]


def test_an_unknown_route_is_named_before_anything_is_stored(desk: Desk) -> None:
    chat = desk.open().user("ada").conversation(route="suport")
    with pytest.raises(NotFound, match="no route named 'suport'; the settings have default"):
        chat.send("hello")
    assert desk.log.turns == []


def test_pinned_text_over_the_budget_says_the_whole_arithmetic(desk: Desk) -> None:
    chat = desk.chat(routes={"default": {"target": "scripted:any", "instructions": "be kind " * 400, **SMALL}})
    with pytest.raises(WindowTooSmall, match=r"raise window\.budget") as small:
        chat.send("hello")
    sums = re.search(
        r"takes (\d+) tokens \(instructions (\d+) \+ tools 0 \+ input (\d+) \+ framing 3\), but .* may take (\d+)",
        str(small.value),
    )
    assert sums
    whole, instructions, asked, limit = map(int, sums.groups())
    assert whole == instructions + asked + 3
    assert whole > limit
    assert "be kind" not in str(small.value)
    assert not desk.model.requests
    assert (desk.log.turns[0]["state"], desk.log.turns[0]["error"]) == ("failed", "WindowTooSmall")
    assert not desk.log.claimed
    assert [message.text for message in chat.messages()] == ["hello"]


def test_a_message_larger_than_the_window_is_kept_and_the_next_one_is_answered_without_it(desk: Desk) -> None:
    chat = desk.chat(routes={"default": {"target": "scripted:any", **SMALL}})
    huge = "many words " * 400
    with pytest.raises(WindowTooSmall) as small:
        chat.send(huge, idempotency_key="m1")
    assert "many words" not in str(small.value)
    desk.model.then("here")
    assert chat.send("hello").text == "here"
    assert window_of(desk.model.requests[0])[-1] == ("user", "hello")
    assert "many words" not in str(window_of(desk.model.requests[0]))
    assert [message.text for message in chat.messages()] == [huge, "hello", "here"]


def test_a_reply_larger_than_the_window_is_kept_and_left_out_of_the_next_one(desk: Desk) -> None:
    chat = desk.chat(routes={"default": {"target": "scripted:any", **SMALL}})
    desk.model.then("many words " * 400, "here")
    chat.send("tell me everything")
    assert chat.send("hello").text == "here"
    assert "many words" not in str(window_of(desk.model.requests[1]))


def test_a_tool_result_larger_than_the_window_says_so_and_the_conversation_goes_on(desk: Desk) -> None:
    def everything() -> str:
        return "many words " * 400

    chat = desk.chat(routes={"default": {"target": "scripted:any", **SMALL}})
    desk.model.then(ToolCall("1", "everything", "{}"))
    with pytest.raises(WindowTooSmall):
        chat.send("go", tools=[everything])
    assert desk.log.turns[0]["state"] == "failed"
    desk.model.then("here")
    assert chat.send("hello").text == "here"


def test_an_image_alone_is_a_message_counted_sent_and_kept_by_reference(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("a cat", "still a cat")
    picture = Image("https://example.org/cat.png", detail="low")
    first = chat.send("", images=[picture])
    chat.send("sure?")
    assert picture in desk.model.requests[0].messages[-1].parts
    assert picture in desk.model.requests[1].messages[1].parts
    assert chat.messages()[0].parts == (picture,)
    tokens = chat.why(first.id).section("input").tokens
    desk.model.then("no")
    without = chat.send("x")
    assert tokens - chat.why(without.id).section("input").tokens >= 80


def test_a_larger_picture_counts_for_more(desk: Desk) -> None:
    chat = desk.chat()
    pictures = [Image("https://example.org/c.png", width=size, height=size) for size in (512, 2048)]
    desk.model.then("one", "two")
    small, large = (chat.why(chat.send("what?", images=[picture]).id).section("input").tokens for picture in pictures)
    assert large > small


def test_names_that_are_no_names_are_refused(desk: Desk) -> None:
    assistant = desk.open()
    for name, tenant in (("", ""), ("x" * 201, ""), ("a\nb", ""), ("ada", "t\x00")):
        with pytest.raises(InvalidInput, match="200 printable characters"):
            assistant.user(name, tenant)
    for id in ("", "x" * 201, "a\x00"):
        with pytest.raises(InvalidInput, match="1 to 200 printable"):
            assistant.user("ada").conversation(id=id)


def test_a_key_or_a_correction_no_database_takes_is_refused(desk: Desk) -> None:
    chat = desk.chat()
    with pytest.raises(InvalidInput, match="surrogate"):
        chat.send("hello", idempotency_key="\ud800")
    desk.model.then("fine")
    reply = chat.send("hello")
    with pytest.raises(InvalidInput, match="surrogate"):
        chat.correct(reply.id, "\ud800")
    assert not desk.log.claimed


def test_what_is_sent_is_what_was_said_apart_from_the_context(desk: Desk) -> None:
    seen = []

    def look(request: Request) -> str:
        seen.append(request.messages[-1].parts)
        return "ok"

    chat = desk.chat(routes={"default": {"target": "scripted:any", "input": []}})
    desk.model.then(look)
    chat.send("  exactly\n this \t")
    assert seen == [(Text("  exactly\n this \t"),)]


@pytest.mark.parametrize("timeout_s", [0, -1, float("inf"), float("nan")])
def test_a_timeout_that_is_no_time_is_refused(desk: Desk, timeout_s: float) -> None:
    chat = desk.chat()
    desk.model.then("hello")
    reply = chat.send("hello", timeout_s=5)
    for call in (
        lambda: chat.send("hello", timeout_s=timeout_s),
        lambda: chat.edit(chat.messages()[0].id, "hello", timeout_s=timeout_s),
        lambda: chat.regenerate(reply.id, timeout_s=timeout_s),
    ):
        with pytest.raises(InvalidInput, match="a number of seconds above 0"):
            call()
    assert len(desk.log.turns) == 1


@pytest.mark.parametrize("title", ["", " ", "x" * 201, "a\nb", "\ud800"])
def test_a_title_that_no_list_can_show_is_refused(desk: Desk, title: str) -> None:
    ada = desk.open().user("ada")
    chat = ada.conversation()
    desk.model.then("hello")
    chat.send("hello")
    with pytest.raises(InvalidInput, match="1 to 200 printable characters"):
        chat.rename(title)
    chat.rename("Les horaires")
    assert [entry.title for entry in ada.conversations()] == ["Les horaires"]


@pytest.mark.parametrize("tag", ["", " ", "x" * 61, "a\nb", "\ud800"])
def test_a_tag_that_no_list_can_show_is_refused(desk: Desk, tag: str) -> None:
    ada = desk.open().user("ada")
    chat = ada.conversation()
    desk.model.then("hello")
    chat.send("hello")
    with pytest.raises(InvalidInput, match="1 to 60 printable characters"):
        chat.tag("refund", tag)
    assert chat.tag("refund", "urgent") == ("refund", "urgent")
    assert chat.untag("urgent") == ("refund",)
    assert [entry.tags for entry in ada.conversations()] == [("refund",)]


@pytest.mark.parametrize("said", ["no", "false", "0", 0, None])
def test_a_word_is_never_taken_for_a_yes(desk: Desk, said: bool) -> None:
    ada = desk.open().user("ada")
    ada.consent(training=False)
    with pytest.raises(InvalidInput, match="pass True or False"):
        ada.consent(training=said)
    ada.learning(False)
    with pytest.raises(InvalidInput, match="pass True or False"):
        ada.learning(said)
    assert [one.training for one in ada.consents()] == [False]
    assert desk.log.rows("SELECT consent, learning FROM persona_owners") == [{"consent": 0, "learning": 0}]


@pytest.mark.parametrize("origin", ["nope", "learnt", "", None])
def test_only_the_app_or_the_user_tells_a_fact(desk: Desk, origin: Any) -> None:
    ada = desk.open(profile={"city": {"type": "text"}}).user("ada")
    for tell in (lambda: ada.remember("vegetarian", origin=origin), lambda: ada.set({"city": "Lyon"}, origin=origin)):
        with pytest.raises(InvalidInput, match=f"^origin is {origin!r}; pass 'app' or 'user'$"):
            tell()
    assert ada.facts() == ()


def test_a_rating_is_a_number_and_a_correction_is_words(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("hello")
    reply = chat.send("hello")
    for rating in (None, "5", float("nan")):
        with pytest.raises(InvalidInput, match="pass a number"):
            chat.rate(reply.id, rating)  # type: ignore[arg-type]
    for text in (None, 5, " "):
        with pytest.raises(InvalidInput, match="pass what should have been said"):
            chat.correct(reply.id, text)  # type: ignore[arg-type]
    assert desk.log.feedback == []


def test_what_is_no_name_no_image_and_no_page_is_refused_in_our_words(desk: Desk) -> None:
    assistant = desk.open()
    ada = assistant.user("ada")
    chat = ada.conversation()
    wrong: list[tuple[Callable[[], object], str]] = [
        (lambda: assistant.user(7), "the name of a user is a str, and this is a int"),  # type: ignore[arg-type]
        (lambda: assistant.user(None), "the name of a user is a str, and this is a NoneType"),  # type: ignore[arg-type]
        (lambda: assistant.user("ada", 7), "the name of a tenant is a str"),  # type: ignore[arg-type]
        (lambda: ada.conversation(7), "a conversation id is a str"),  # type: ignore[arg-type]
        (lambda: chat.tag(7), "a tag is a str"),  # type: ignore[arg-type]
        (lambda: chat.send("hello", images=["https://x/y.png"]), r"pass Image\(url\)"),  # type: ignore[list-item]
        (lambda: ada.conversations(limit=0), "ask for at least 1"),
    ]
    for call, says in wrong:
        with pytest.raises(InvalidInput, match=says):
            call()
    assert desk.log.turns == []


def test_what_is_no_fact_no_time_and_no_file_is_refused_in_our_words(desk: Desk) -> None:
    ada: Any = desk.open(profile={"city": {}}).user("ada")
    before_all = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))  # no window could say this day
    wrong: list[tuple[Callable[[], object], str]] = [
        (lambda: ada.remember(None), "a fact is a str, and this is a NoneType"),
        (lambda: ada.remember("vegetarian", kind=7), "the kind of a fact is 1 to 40 characters"),
        (lambda: ada.remember("\u200b\u202e"), "a fact is 1 to 2000 characters, and this one has 0"),
        (lambda: ada.set(None), "a mapping from their names"),
        (lambda: ada.set({7: "Brest"}), "a mapping from their names"),
        (lambda: ada.set({"city": "\u200b"}), "does not fit"),
        (lambda: ada.set({"city": "Brest"}, since="2026-03-01"), "since is a str; pass a datetime"),
        (lambda: ada.set({"city": "Brest"}, since=before_all), "since is before the year 1 in UTC"),
        (lambda: ada.profile("2026-03-01"), "at is a str; pass a datetime"),
        (lambda: ada.facts(date(2026, 3, 1)), "at is a date; pass a datetime"),
        (lambda: ada.address(7), "a str of at most 100 printable characters"),
        (lambda: ada.export(7), "the file is a int; pass a path"),
    ]
    for call, says in wrong:
        with pytest.raises(InvalidInput, match=says):
            call()
    assert ada.facts(history=True) == ()
