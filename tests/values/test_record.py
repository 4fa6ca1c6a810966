"""Records are frozen dataclasses in all but how they are made."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, replace

import pytest

from persona.values.message import Image, Message, Text, say
from persona.values.record import record


@record(frozen=True, slots=True)
class _Point:
    x: int
    y: int = 2


def test_a_record_is_frozen() -> None:
    message = say("user", "Bonjour")
    with pytest.raises(FrozenInstanceError):
        message.id = "msg_1"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del message.parts  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        message.another = 1  # type: ignore[attr-defined]


def test_a_record_is_its_fields() -> None:
    assert _Point(1) == _Point(x=1, y=2) != _Point(1, 3)
    assert hash(_Point(1)) == hash(_Point(1, 2))
    assert repr(_Point(1)) == "_Point(x=1, y=2)"
    assert replace(_Point(1), y=5) == _Point(1, 5)
    assert asdict(_Point(1)) == {"x": 1, "y": 2}
    assert type(_Point(1)) is _Point
    assert {Text("a"): "there"}[Text("a")] == "there"
    assert Text("a") != Image("a")


def test_a_record_asks_for_its_fields() -> None:
    with pytest.raises(TypeError, match="missing 1 required"):
        _Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected"):
        _Point(1, z=3)  # type: ignore[call-arg]


def test_a_record_is_copied_and_pickled_whole() -> None:
    message = Message("assistant", (Text("À 9 h."),), id="msg_1", depth=3)
    assert pickle.loads(pickle.dumps(message)) == message  # noqa: S301 - written in this line
    assert copy.deepcopy(message) == copy.copy(message) == message
