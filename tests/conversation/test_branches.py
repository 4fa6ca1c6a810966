"""Edit and regenerate make siblings: nothing is overwritten, the head moves, and windows follow the path."""

import pytest
from talking import Desk, window_of

from persona import InvalidInput, NotFound, Refused


def _ids(desk: Desk) -> dict[str, str]:
    """The parent's text of each message, by its own text."""
    texts = {row["id"]: row["parts"].partition('"text":"')[2].rpartition('"}')[0] for row in desk.log.messages}
    return {texts[row["id"]]: texts.get(row["parent_id"], "") for row in desk.log.messages}


def test_an_edited_message_is_a_sibling_and_the_head_moves_to_its_reply(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("a1", "a2", "e1", "e2")
    chat.send("q1")
    chat.send("q2")
    asked = chat.messages()[2]
    assert chat.edit(asked.id, "q2 edited").text == "e1"
    assert window_of(desk.model.requests[2]) == [("user", "q1"), ("assistant", "a1"), ("user", "q2 edited")]
    assert [message.text for message in chat.messages()] == ["q1", "a1", "q2 edited", "e1"]
    chat.send("q3")
    assert [text for _, text in window_of(desk.model.requests[3])] == ["q1", "a1", "q2 edited", "e1", "q3"]
    assert _ids(desk)["q2"] == _ids(desk)["q2 edited"] == "a1"
    assert _ids(desk)["a2"] == "q2"


def test_the_first_message_can_be_edited(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("a1", "a2", "e1")
    chat.send("q1")
    chat.send("q2")
    chat.edit(chat.messages()[0].id, "q1 edited")
    assert window_of(desk.model.requests[2]) == [("user", "q1 edited")]
    assert [message.text for message in chat.messages()] == ["q1 edited", "e1"]


def test_a_regenerated_reply_is_a_sibling_and_the_log_says_which_was_not_good_enough(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("a1", "b1", "a2")
    first = chat.send("q1")
    other = chat.regenerate(first.id)
    assert (other.text, other.id != first.id) == ("b1", True)
    assert window_of(desk.model.requests[1]) == [("user", "q1")]
    assert [message.text for message in chat.messages()] == ["q1", "b1"]
    assert [(row["kind"], row["message_id"]) for row in desk.log.feedback] == [("regeneration", first.id)]
    assert _ids(desk)["a1"] == _ids(desk)["b1"] == "q1"
    chat.send("q2")
    assert [text for _, text in window_of(desk.model.requests[2])] == ["q1", "b1", "q2"]


def test_an_older_reply_can_be_regenerated_and_the_conversation_goes_on_from_there(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("a1", "a2", "b1", "b2")
    first = chat.send("q1")
    chat.send("q2")
    chat.regenerate(first.id)
    assert window_of(desk.model.requests[2]) == [("user", "q1")]
    assert [message.text for message in chat.messages()] == ["q1", "b1"]
    chat.send("q3")
    assert [text for _, text in window_of(desk.model.requests[3])] == ["q1", "b1", "q3"]


def test_a_reply_of_the_path_that_was_left_can_still_be_explained_rated_and_regenerated(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("a1", "b1", "c1")
    first = chat.send("q1")
    chat.regenerate(first.id)
    assert chat.why(first.id).total
    chat.rate(first.id, 1)
    assert chat.regenerate(first.id).text == "c1"
    assert [message.text for message in chat.messages()] == ["q1", "c1"]


def test_an_edit_that_fails_leaves_the_conversation_on_the_path_it_was_on(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("a1", Refused("no"), "a2")
    chat.send("q1")
    with pytest.raises(Refused):
        chat.edit(chat.messages()[0].id, "q1 edited")
    assert desk.log.turns[-1]["state"] == "failed"
    assert not desk.log.claimed
    assert "q1 edited" in _ids(desk)  # the failed edit is in the log
    assert [message.text for message in chat.messages()] == ["q1", "a1"]
    chat.send("q2")
    assert [text for _, text in window_of(desk.model.requests[2])] == ["q1", "a1", "q2"]


def test_a_regeneration_that_fails_can_be_tried_again(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("a1", Refused("no"), "b1", "a2")
    first = chat.send("q1")
    with pytest.raises(Refused):
        chat.regenerate(first.id)
    assert not desk.log.claimed
    assert chat.regenerate(first.id).text == "b1"
    chat.send("q2")
    assert [text for _, text in window_of(desk.model.requests[3])] == ["q1", "b1", "q2"]


def test_an_unanswered_message_can_be_edited(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then(Refused("no"), "a1")
    with pytest.raises(Refused):
        chat.send("q1")
    assert chat.edit(chat.messages()[0].id, "q1, kindly").text == "a1"
    assert [message.text for message in chat.messages()] == ["q1, kindly", "a1"]


def test_feedback_is_kept_with_its_reply(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("At ten.")
    reply = chat.send("When?")
    chat.rate(reply.id, 0.5)
    chat.correct(reply.id, "At nine.")
    chat.comment(reply.id, "the hours changed")
    kept = [(row["kind"], row["rating"], row["text"], row["message_id"]) for row in desk.log.feedback]
    assert kept == [
        ("rating", 0.5, "", reply.id),
        ("correction", None, "At nine.", reply.id),
        ("comment", None, "the hours changed", reply.id),
    ]


def test_feedback_without_words_is_refused(desk: Desk) -> None:
    chat = desk.chat()
    desk.model.then("At ten.")
    reply = chat.send("When?")
    for give in (chat.correct, chat.comment):
        with pytest.raises(InvalidInput, match="is empty"):
            give(reply.id, "  ")


@pytest.mark.parametrize("rating", [float("nan"), float("inf")])
def test_a_rating_that_is_no_number_is_refused(desk: Desk, rating: float) -> None:
    chat = desk.chat()
    desk.model.then("At ten.")
    reply = chat.send("When?")
    with pytest.raises(InvalidInput, match="rating"):
        chat.rate(reply.id, rating)
    assert desk.log.feedback == []


def test_what_is_not_a_reply_of_this_conversation_is_not_found(desk: Desk) -> None:
    ada = desk.open().user("ada")
    desk.model.then("a1", "other")
    chat, other = ada.conversation(), ada.conversation()
    chat.send("q1")
    elsewhere = other.send("q")
    asked = chat.messages()[0].id
    for id in (elsewhere.id, asked, "msg_none", ""):
        for call in (chat.regenerate, chat.why, lambda id: chat.rate(id, 1), lambda id: chat.correct(id, "x")):
            with pytest.raises(NotFound):
                call(id)
    for id in (other.messages()[0].id, chat.messages()[1].id, "msg_none"):
        with pytest.raises(NotFound):
            chat.edit(id, "edited")
    assert len(desk.log.turns) == 2
    assert not desk.log.claimed
