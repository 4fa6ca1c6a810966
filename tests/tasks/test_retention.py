"""Retention at work: one pass an hour whoever does it, a true word about it, and no trace in the file."""

import asyncio
import logging
import random
from pathlib import Path
from typing import Any

import pytest
from shop import Shop
from talking import settings

from persona import Assistant
from persona.errors import NotFound
from persona.testing import ScriptedModel
from persona.values.time import from_us

HOUR = 3_600_000_000
DAY = 24 * HOUR
RULES: Any = {"retention": [{"days": 30}]}


async def test_the_worker_prunes_once_an_hour_whatever_the_number_of_processes(shop: Shop) -> None:
    await asyncio.to_thread(shop.say, "an old secret")
    one, other = await shop.worker(**RULES), await shop.worker(**RULES)
    shop.now_us += 40 * DAY
    await one.drain()
    await asyncio.to_thread(shop.say, "a young one")
    assert len(shop.log.rows("SELECT * FROM persona_conversations")) == 1
    assert shop.tasks == [("index", "waiting"), ("prune", "waiting")]
    shop.now_us += HOUR - 1
    await other.drain()
    assert shop.log.rows("SELECT run_after_us - ? AS wait FROM persona_tasks", shop.now_us) == [{"wait": 1}]
    shop.now_us += 1
    assert await other.drain() == 1
    assert shop.log.rows("SELECT run_after_us - ? AS wait FROM persona_tasks", shop.now_us) == [{"wait": HOUR}]


async def test_a_worker_without_rules_takes_the_task_away_and_one_with_rules_puts_it_back(shop: Shop) -> None:
    ruled, plain = await shop.worker(**RULES), await shop.worker()
    await ruled.drain()
    shop.now_us += HOUR
    await plain.drain()
    assert shop.tasks == []
    await ruled.drain()
    assert shop.tasks == [("prune", "waiting")]


async def test_a_long_pass_lets_other_tasks_in_between_and_goes_on(shop: Shop) -> None:
    worker = await shop.worker(**RULES)
    await asyncio.to_thread(shop.say, *map(str, range(501)), memory={"turns": False})
    shop.now_us += 40 * DAY
    shop.log.change("UPDATE persona_conversations SET key = key + 2000 WHERE key > 500")
    await worker.drain()
    assert shop.log.rows("SELECT subject FROM persona_tasks") == [{"subject": "2000"}]
    assert len(shop.log.rows("SELECT * FROM persona_conversations")) == 1
    await worker.start(once=True)
    assert shop.log.rows("SELECT subject FROM persona_tasks") == [{"subject": ""}]
    assert shop.log.rows("SELECT * FROM persona_conversations") == []


async def test_the_log_says_how_much_was_pruned_and_names_no_user(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    await asyncio.to_thread(lambda: shop.say("one", "two", tenant="acme"))
    await asyncio.to_thread(lambda: shop.say("three"))
    shop.now_us += 40 * DAY
    with caplog.at_level(logging.INFO):
        await (await shop.worker(**RULES)).drain()
    assert [record.getMessage() for record in caplog.records if record.name == "persona.retention"] == [
        "pruned 1 conversations with 2 messages of tenant '' on route 'default'",
        "pruned 2 conversations with 4 messages of tenant 'acme' on route 'default'",
    ]
    assert "ada" not in caplog.text


def test_what_was_pruned_is_gone_for_an_assistant_that_held_it_in_memory(tmp_path: Path) -> None:
    now_us = 0

    def opened(model: ScriptedModel, **tables: Any) -> Assistant:
        chosen = settings(tmp_path, **tables)
        return Assistant.open(chosen, adapters=[model.adapter], clock=lambda: from_us(now_us))

    now_us = 1_760_000_000_000_000
    talks, prunes = ScriptedModel("ok", "ok", "who knows", "hello"), ScriptedModel()
    with opened(talks) as assistant:
        ada = assistant.user("ada")
        ada.remember("vegetarian")
        chat = ada.conversation("c-1", create=True)
        chat.send("My cat is called Mistigri.")
        assistant.drain()
        chat.send("Is that clear?")
        now_us += 40 * DAY
        with opened(prunes, **RULES) as other:
            other.drain()
        assert list(ada.conversations()) == []
        with pytest.raises(NotFound):
            ada.conversation("c-1").send("What is my cat called?")
        ada.conversation().send("What is my cat called?")
        ada.conversation("c-1", create=True).send("What is my cat called?")
        for request in talks.requests[-2:]:
            said = "\n".join(message.text for message in request.messages)
            assert "Mistigri" not in said
            assert "vegetarian" in said


async def test_no_byte_of_what_was_pruned_is_left_in_the_file_or_its_log(shop: Shop) -> None:
    chance = random.Random(7)
    texts = [
        f"{'GOES' if number % 3 else 'STAYS'}-{number} {'x' * chance.choice([5, 90, 900])}" for number in range(120)
    ]
    rooms = await shop.rooms(**RULES)  # keeps the log from being closed with the last connection
    ids: list[str] = []
    for text in texts:
        shop.now_us += 40 * DAY if text.startswith("STAYS") else 0
        ids += await asyncio.to_thread(shop.say, text)
        shop.now_us -= 40 * DAY if text.startswith("STAYS") else 0
    await asyncio.to_thread(_go_on, shop, dict(zip(ids, texts, strict=True)))
    assert b"GOES" in _bytes(shop.folder)
    shop.now_us += 41 * DAY
    await rooms.worker.start(once=True)
    found = _bytes(shop.folder)
    assert b"STAYS-0 " in found
    assert b"GOES" not in found
    assert not any(id.encode() in found for id, text in zip(ids, texts, strict=True) if text.startswith("GOES"))


def _go_on(shop: Shop, said: dict[str, str]) -> None:
    """Goes on with every conversation at its time, out of order, so that rows of one page belong to many of them."""
    model = ScriptedModel(*["ok"] * len(said))
    late_us = shop.now_us + 40 * DAY
    with Assistant.open(
        settings(shop.folder), adapters=[model.adapter], clock=lambda: from_us(late_us if stays else shop.now_us)
    ) as assistant:
        for id in random.Random(1).sample(list(said), len(said)):
            stays = said[id].startswith("STAYS")
            chat = assistant.user("ada").conversation(id)
            reply = chat.send(f"more {said[id]}", idempotency_key=f"key {said[id]}")
            chat.rename(f"title {said[id]}"[:100])
            chat.correct(reply.id, f"rather {said[id]}")
        assistant.drain()


def _bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("persona.db*"))
