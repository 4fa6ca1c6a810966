"""The chat at a terminal: its commands, its keys, and what Ctrl-C stops."""

import stat
from pathlib import Path

from terminal import Terminal
from wire import WireServer

PROMPT = "> "


def test_a_chat_knows_its_commands_and_leaves_at_ctrl_d(tmp_path: Path) -> None:
    history = tmp_path / "typed"
    with Terminal(["chat", "--user", "ada", "--history", str(history)], tmp_path) as chat:
        chat.until("Ctrl-D leaves")
        chat.until(PROMPT)
        for typed, shown in (
            ("/why", "no reply to explain yet"),
            ("/remember I am vegetarian", "remembered fct_"),
            ("Hello, I live in Lyon", "."),
            ("/why", "kept for the reply"),
            ("/facts", "I am vegetarian"),
            ("/forget", "/facts lists them"),
            ("/forget fct_0", "no fact 'fct_0'"),
            ("/bogus", "the commands are /why, /facts"),
            ("/ne\t", "a new conversation"),
            ("/help", "end a fact"),
        ):
            chat.press(f"{typed}\n")
            chat.until(typed.removesuffix("\t"))
            chat.until(shown)
            chat.until(PROMPT)
        assert "Traceback" not in chat.text
        chat.press("\x04")
        assert chat.leave() == 0
    assert "/forget fct_0" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_ctrl_c_stops_the_reply_and_not_the_chat(tmp_path: Path) -> None:
    with WireServer() as server:
        server.stream(["Once upon ", "a time"], end="hang").reply("back \x1b[31magain")
        (tmp_path / "persona.toml").write_text(
            f'[providers.local]\nkind = "openai"\nbase_url = "{server.url}"\n[routes.default]\ntarget = "local:m"\n'
        )
        with Terminal(["chat", "--user", "ada"], tmp_path) as chat:
            chat.until("Ctrl-D leaves")
            chat.until(PROMPT)
            chat.press("half a li")
            chat.until("half a li")
            chat.interrupt("Ctrl-D leaves")
            chat.until(PROMPT)
            chat.press("tell me a story\n")
            chat.until("Once upon a time")
            chat.interrupt("stopped")
            server.wait_for_hang_up()
            chat.until(PROMPT)
            chat.press("are you there?\n")
            chat.until("back [31magain")
            assert "\x1b[31m" not in chat.raw
            chat.until(PROMPT)
            chat.press("/quit\n")
            chat.until("to go on: persona chat --user ada --conversation cnv_")
            assert chat.leave() == 0


def test_no_color_keeps_the_picture_and_drops_the_colours(tmp_path: Path) -> None:
    with Terminal(["chat", "--user", "ada"], tmp_path, NO_COLOR="1") as chat:
        chat.until(PROMPT)
        chat.press("hello\n")
        chat.until(PROMPT)
        chat.press("/why\n")
        assert "[iuf..." in chat.until("tokens  score")
        chat.until(PROMPT)
        chat.press("\x04")
        chat.leave()
        assert "\x1b[1" not in chat.raw
        assert "\x1b[3" not in chat.raw
