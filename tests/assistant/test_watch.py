"""A settings file that changes while it is served from."""

import asyncio
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from talking import Log

from persona import AsyncAssistant, SettingsError
from persona.assistant.watch import Watch
from persona.settings import Settings, load
from persona.testing import ScriptedModel
from persona.values.request import Request

BASE = '[routes.support.arms.base]\ntarget = "one:a"\n'
BOTH = f'{BASE}[routes.support.arms.tuned]\ntarget = "two:b"\n[routes.support.serve]\n'


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


@pytest.fixture
def one() -> Iterator[ScriptedModel]:
    with ScriptedModel(name="one") as model:
        yield model


@pytest.fixture
def two() -> Iterator[ScriptedModel]:
    with ScriptedModel(name="two") as model:
        yield model


class Place:
    """A folder with a settings file, and an assistant that looks at it before every turn."""

    def __init__(self, folder: Path, *models: ScriptedModel) -> None:
        self.path = folder / "persona.toml"
        self._models = [model.adapter for model in models]

    def write(self, text: str) -> None:
        """Exchanges the file at once, as an editor or another process does."""
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, self.path)

    def open(self, text: str) -> AsyncAssistant:
        self.write(text)
        opened = AsyncAssistant.open(self.path, adapters=self._models, environment={})
        opened._watch = Watch(self.path, lambda: load(self.path, {}), Clock())  # or a test would wait for a second
        return opened


async def test_another_arm_serves_from_the_next_conversation_on_and_a_running_turn_ends_on_its_own(
    tmp_path: Path, one: ScriptedModel, two: ScriptedModel
) -> None:
    place, begun, go = Place(tmp_path, one, two), asyncio.Event(), asyncio.Event()

    async def slowly(request: Request) -> str:
        begun.set()
        await go.wait()
        return "from base"

    one.then(slowly)
    two.then("from tuned", "from tuned again")
    async with place.open(BASE) as assistant:
        running = asyncio.create_task(assistant.user("ada").conversation().send("hello"))
        await begun.wait()
        place.write(f"{BOTH}tuned = 1.0\n")
        assert (await assistant.user("bob").conversation().send("hello")).text == "from tuned"
        go.set()
        assert (await running).text == "from base"
        assert (await assistant.user("ada").conversation().send("hello")).text == "from tuned again"


async def test_a_conversation_stays_on_its_arm(tmp_path: Path, one: ScriptedModel, two: ScriptedModel) -> None:
    place = Place(tmp_path, one, two)
    one.then("base", "still base")
    async with place.open(BASE) as assistant:
        chat = assistant.user("ada").conversation()
        await chat.send("hello")
        place.write(f"{BOTH}tuned = 1.0\n")
        assert (await chat.send("hello")).text == "still base"


async def test_what_becomes_of_a_turn_that_is_left_follows_the_file_too(tmp_path: Path, one: ScriptedModel) -> None:
    place, begun, go = Place(tmp_path, one), asyncio.Event(), asyncio.Event()

    async def slowly(request: Request) -> str:
        begun.set()
        await go.wait()
        return "too late"

    one.then("ok", slowly)
    async with place.open(BASE) as assistant:
        chat = assistant.user("ada").conversation()
        await chat.send("hello")
        place.write(f'{BASE}[turn]\non_disconnect = "cancel"\n')
        async with chat.stream("are you there?"):
            await begun.wait()
        go.set()
    assert [row["state"] for row in Log(tmp_path / "persona.db").turns] == ["answered", "cancelled"]


async def test_new_instructions_are_sent_and_counted_anew(tmp_path: Path, one: ScriptedModel) -> None:
    place = Place(tmp_path, one)
    one.then("ok", "ok")
    async with place.open(f'{BASE}instructions = "Be brief."\n') as assistant:
        chat = assistant.user("ada").conversation()
        await chat.send("hello")
        place.write(f'{BASE}instructions = "Be brief, and say where you know it from."\n')
        reply = await chat.send("hello")
        plan = await chat.why(reply.id)
    said = [message.text for message in one.requests[1].messages if message.role == "system"]
    assert said == ["Be brief, and say where you know it from."]
    assert plan.total <= plan.limit


@pytest.mark.parametrize(
    "bad", ['[routes.support]\nserve = "nobody"\n', "[routes", f'{BASE}[turn]\ntimeout_s = "long"\n', ""]
)
async def test_a_bad_edit_is_refused_with_its_reason_and_the_settings_before_it_stay(
    tmp_path: Path, one: ScriptedModel, caplog: pytest.LogCaptureFixture, bad: str
) -> None:
    place = Place(tmp_path, one)
    one.then("ok", "ok", "ok")
    async with place.open(BASE) as assistant:
        chat = assistant.user("ada").conversation(route="support")
        await chat.send("hello")
        if bad:
            place.write(bad)
        else:
            place.path.unlink()
        for _ in range(2):
            assert (await chat.send("hello")).text == "ok"
    refused = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(refused) == 1
    assert "those before them stay: " in refused[0].getMessage()


async def test_what_is_only_read_at_the_start_is_named_and_left(
    tmp_path: Path, one: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    place = Place(tmp_path, one)
    one.then("ok", "ok")
    caplog.set_level(logging.INFO, "persona")
    async with place.open(BASE) as assistant:
        chat = assistant.user("ada").conversation()
        await chat.send("hello")
        place.write(f'[store]\nurl = "sqlite:///other.db"\n[memory]\nindex_cache_mb = 3\n{BASE}')
        await chat.send("hello")
        assert len(await chat.messages()) == 4
    assert "the settings changed; at the next start: store, memory.index_cache_mb" in caplog.messages
    assert not (tmp_path / "other.db").exists()


def test_a_file_is_looked_at_once_a_second_and_read_only_when_it_is_another(tmp_path: Path) -> None:
    path, now, read = tmp_path / "persona.toml", [0.0], []
    path.write_text("")
    watch = Watch(path, Settings, lambda: now[0])
    path.write_text("# changed")
    watch.look(read.append)
    now[0] = 0.9
    watch.look(read.append)
    assert read == []
    now[0] = 1.0
    watch.look(read.append)
    assert len(read) == 1
    now[0] = 5.0
    watch.look(read.append)
    assert len(read) == 1


def test_a_change_that_is_refused_is_read_again_when_the_file_changes_again(tmp_path: Path) -> None:
    path, now, tried = tmp_path / "persona.toml", [0.0], []
    path.write_text("")
    watch = Watch(path, Settings, lambda: now[0])

    def refuse(settings: Settings) -> None:
        tried.append(settings)
        raise SettingsError("no")

    for text in ("# a", "# ab", "# ab"):
        path.write_text(text)
        os.utime(path, ns=(len(text), len(text)))
        now[0] += 1
        watch.look(refuse)
    assert len(tried) == 2


async def test_an_arm_that_is_asked_for_serves_the_conversation_for_good(
    tmp_path: Path, one: ScriptedModel, two: ScriptedModel
) -> None:
    place = Place(tmp_path, one, two)
    two.then("tuned", "tuned")
    async with place.open(f"{BOTH}base = 1.0\n") as assistant:
        chat = assistant.user("ada").conversation(arm="tuned")
        await chat.send("hello")
        assert (await assistant.user("ada").conversation(chat.id).send("again")).text == "tuned"
