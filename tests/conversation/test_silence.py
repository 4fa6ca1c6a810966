"""No key, no prompt and no reply appears in a log record or an exception."""

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from talking import Desk, settings
from wire import WireServer

from persona import Assistant, PersonaError, RateLimited, Settings, ToolCall
from persona.adapter import Provider, Secret
from persona.testing import Cut

SECRET, KEY = "MARK-of-what-was-said", "sk-MARK-of-the-key"


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


def _wired(server: WireServer) -> dict[str, Any]:
    return {
        "providers": {"wired": {"kind": "openai", "base_url": server.url, "key_env": "THE_KEY"}},
        "routes": {"default": {"target": "wired:m", "instructions": f"{SECRET} instructions"}},
        "turn": {"retries": 0},
    }


def _assert_silent(caplog: pytest.LogCaptureFixture, *errors: BaseException) -> None:
    """Nothing in the logs from INFO on, and nothing in the errors with all their causes."""
    told = [record.getMessage() + str(record.exc_text or "") for record in caplog.records]
    told += ["".join(traceback.format_exception(error)) for error in errors]
    said = [text for text in told if "MARK" in "".join(line for line in text.splitlines() if "File" not in line)]
    assert not [text for text in said if SECRET in text or KEY in text]


@pytest.mark.parametrize(
    "answer",
    [
        lambda server: server.reply(f"{SECRET} reply"),
        lambda server: server.fail(400, message=f"you sent {SECRET} with {KEY}"),
        lambda server: server.fail(401, message=f"{KEY} is wrong"),
        lambda server: server.fail(500, body=f"<html>{SECRET}".encode()),
        lambda server: server.body(f'{{"choices": "{SECRET}'.encode()),
        lambda server: server.stream([f"{SECRET} half"], cut=True),
        lambda server: server.reset(),
        lambda server: server.stream([f"{SECRET} half"], error={"message": SECRET, "code": "server_error"}),
    ],
    ids=["reply", "400", "401", "500", "no JSON", "cut", "reset", "error in the stream"],
)
@pytest.mark.parametrize("streaming", [False, True], ids=["send", "stream"])
def test_nothing_said_is_logged_or_raised(
    desk: Desk, server: WireServer, caplog: pytest.LogCaptureFixture, answer: Any, streaming: bool
) -> None:
    caplog.set_level(logging.INFO)
    answer(server)
    chat = desk.stack.enter_context(_open(desk, server)).user("ada").conversation()
    errors: list[BaseException] = []
    try:
        _ask(chat, streaming)
    except PersonaError as error:
        errors.append(error)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    _assert_silent(caplog, *errors)


def _open(desk: Desk, server: WireServer) -> Any:
    return Assistant.open(settings(desk.folder, **_wired(server)), environment={"THE_KEY": KEY})


def _ask(chat: Any, streaming: bool) -> None:
    if not streaming:
        chat.send(f"{SECRET} question")
        return
    with chat.stream(f"{SECRET} question") as turn:
        for _ in turn:
            pass


def test_refused_input_and_failing_tools_are_not_quoted(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def fail(secret: str) -> str:
        raise ValueError(f"{SECRET} {secret}")

    chat = desk.chat(routes={"default": {"target": "scripted:any", "window": {"budget": 400, "reserve": 50}}})
    desk.model.then(ToolCall("1", "fail", f'{{"secret": "{SECRET}"}}'), "ok", Cut(SECRET))
    chat.send("go", tools=[fail])
    errors = []
    for text in (f"{SECRET}\x00", f"{SECRET}\ud800", SECRET * 20_000, SECRET * 1_000, SECRET):
        with pytest.raises(PersonaError) as raised:
            chat.send(text)
        errors.append(raised.value)
    with pytest.raises(PersonaError) as raised:
        chat.correct(chat.messages()[1].id, f"{SECRET}\ud800")
    _assert_silent(caplog, *errors, raised.value)


def test_background_work_logs_no_content(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    routes = {
        "default": {"target": "scripted:any", "summarise": "brief", "window": {"budget": 400, "reserve": 50}},
        "brief": {"target": "scripted:any"},
    }
    assistant = desk.open(routes=routes)
    chat = assistant.user("ada").conversation()
    for _ in range(12):
        desk.model.then(f"{SECRET} reply")
        chat.send(f"{SECRET} question " * 3)
    desk.model.then(*[RateLimited("slow", retry_after_s=60)] * 1)
    assert assistant.drain()
    assert any("summarise" in record.getMessage() for record in caplog.records)
    _assert_silent(caplog)


def test_settings_and_providers_never_show_a_key() -> None:
    provider = Provider("wired", "openai", f"http://ada:{KEY}@127.0.0.1", Secret(KEY))
    assert KEY not in f"{provider!r} {provider} {provider.key!s} {provider.key!r}"
    assert KEY not in repr(Settings.model_validate({"store": {"url": f"sqlite:///{KEY}.db"}}))
