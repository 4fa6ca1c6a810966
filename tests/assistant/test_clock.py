"""The clock that an assistant is given dates everything it keeps and everything it shows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from persona import Assistant, AsyncAssistant, Settings
from persona.values.time import from_us, to_us

NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)


def _settings(folder: Path) -> Settings:
    return Settings.model_validate({"store": {"url": f"sqlite:///{folder / 'persona.db'}"}})


def test_what_was_told_days_ago_is_recalled_with_its_day(tmp_path: Path) -> None:
    now = NOON
    with Assistant.open(_settings(tmp_path), clock=lambda: now) as assistant:
        ada = assistant.user("ada")
        ada.conversation().send("My parcels arrive in Brest.")
        assistant.drain()
        now += timedelta(days=9)
        reply = ada.conversation().send("Where do my parcels arrive?")
        newest, oldest = ada.conversations()
    assert [source.date for source in reply.sources] == ["2031-05-04"]
    assert "4 May 2031" in reply.text
    assert from_us(newest.created_us) - from_us(oldest.created_us) == timedelta(days=9)


async def test_a_naive_clock_is_utc(tmp_path: Path) -> None:
    async with AsyncAssistant.open(_settings(tmp_path), clock=lambda: NOON.replace(tzinfo=None)) as assistant:
        fact = await assistant.user("ada").remember("vegetarian")
    assert fact.created_us == to_us(NOON)
