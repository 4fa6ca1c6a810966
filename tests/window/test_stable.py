"""Which messages end something that the next requests repeat."""

from windows import Session, shot, usual_rules

from persona.window.fit import Fitted


def ends(window: Fitted) -> list[str]:
    """The first words of the messages that end something stable."""
    return [window.messages[index].text.splitlines()[0] for index in window.stable]


def test_each_stable_section_ends_in_one_message() -> None:
    session = Session(usual_rules(2000), shots=(shot(0, "when?"),))
    session.remember("vegetarian")
    assert ends(session.turn("hi", reply="hello")[0]) == ["You are kind.", "reply 0", "<profile>"]
    assert ends(session.turn("and now?")[0]) == ["You are kind.", "reply 0", "<profile>", "hello"]


def test_what_is_not_there_ends_nothing() -> None:
    assert ends(Session(usual_rules(2000)).turn("hi")[0]) == ["You are kind."]


def test_the_input_is_stable_only_within_its_own_turn() -> None:
    first, second, last = Session(usual_rules(2000)).turn("when?", rounds=["at nine", "at ten"])
    assert first.stable == (0,)
    assert second.stable == (0, len(second.messages) - 1)
    assert last.stable == (0, len(last.messages) - 1)
    assert last.messages[: len(second.messages)] == second.messages


def test_every_stable_end_is_where_the_next_window_has_it_too() -> None:
    session = Session(usual_rules(4000), shots=(shot(0, "when?"),))
    session.remember("vegetarian")
    windows = [window for number in range(6) for window in session.turn(f"turn {number}", rounds=["at nine"])]
    for before, after in zip(windows[::2], windows[2::2], strict=False):
        for end in before.stable:
            assert before.messages[: end + 1] == after.messages[: end + 1]
