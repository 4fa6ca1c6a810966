"""Records: values whose fields are set plainly."""

import pickle
from dataclasses import replace

from persona.values.message import Image, Message, Text, say


def test_a_record_is_the_same_as_another_with_the_same_fields_and_serves_as_a_key() -> None:
    one, other = say("user", "hello"), say("user", "hello")
    assert one == other
    assert {one: "there"}[other] == "there"
    assert one != say("assistant", "hello")
    assert one.parts[0] != Image("hello")


def test_a_record_is_changed_by_making_another_one() -> None:
    one = say("user", "hello")
    assert replace(one, id="msg_1") == Message("user", (Text("hello"),), "msg_1")
    assert not one.id


def test_a_record_goes_to_another_process_as_it_is() -> None:
    one = Message("user", (Text("hello"), Image("https://example.org/a.png")), "msg_1")
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - written right here
