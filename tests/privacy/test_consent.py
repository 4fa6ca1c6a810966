"""Consent is dated, and every exchange is stamped with what held when it was made."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from talking import Desk, settings

from persona import Assistant, Consent
from persona.values.time import to_us

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[datetime]:
    """Each look at the clock is a minute later."""
    return iter(START + timedelta(minutes=n) for n in range(10_000))


def test_every_answer_is_kept_with_its_time_and_stamped_on_what_follows(
    desk: Desk, url: str, clock: Iterator[datetime]
) -> None:
    desk.model.then("one", "two", "three")
    chosen = settings(desk.folder, store={"url": url})
    with Assistant.open(chosen, adapters=[desk.model.adapter], clock=lambda: next(clock)) as assistant:
        ada = assistant.user("ada")
        chat = ada.conversation()
        assert ada.consents() == ()
        chat.send("first")
        ada.consent(training=True)
        chat.send("second")
        ada.consent(training=True)  # no news
        ada.consent(training=False)
        chat.send("third")
        answers = ada.consents()
        ada.export(desk.folder / "ada.json")
    assert [one.training for one in answers] == [True, False]
    assert all(isinstance(one, Consent) for one in answers)
    assert to_us(START) < answers[0].at_us < answers[1].at_us

    import json

    document = json.loads((desk.folder / "ada.json").read_text(encoding="utf-8"))
    assert [row["consent"] for row in document["exchanges"]] == [None, True, False]
