"""The report that a harvest writes beside its files."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from harvest.harvested import harvested, settings_of
from harvest.logged import write_log

from persona import Assistant
from persona.settings import Settings
from persona.values.harvest import Outcome

HOSTILE = "</title></svg><script>alert(1)</script>"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(f"sqlite:///{tmp_path / 'persona.db'}")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A log of 300 conversations of 60 users."""
    return settings_of(write_log(tmp_path_factory.mktemp("many") / "persona.db", 300, turns=1, users=60))


def answered(settings: Settings, name: str, question: str, reply: str, rating: float | None = None) -> None:
    """A user asks, and somebody writes what the reply should have been."""
    with Assistant.open(settings) as assistant:
        user = assistant.user(name)
        user.address("Zebulon Quartermain")
        user.consent(training=True)
        chat = user.conversation()
        given = chat.send(question)
        chat.correct(given.id, reply)
        if rating is not None:
            chat.rate(given.id, rating)


def report(outcome: Outcome) -> str:
    return (Path(outcome.path) / "report.html").read_text(encoding="utf-8")


def test_the_report_lists_what_contradicts_what_and_which_is_kept(settings: Settings, tmp_path: Path) -> None:
    asked = "When does the swimming pool at the harbour open on Sundays?"
    answered(settings, "ada", asked, "It opens at 9 on Sundays.")
    answered(settings, "bob", asked, "It opens at 11 on Sundays.")
    outcome = harvested(settings, tmp_path / "out")
    html = report(outcome)
    (told,) = outcome.contradictions
    (line,) = (Path(outcome.path) / "contradictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == asdict(told) == outcome.to_dict()["contradictions"][0]
    assert (told.reply, told.kept_reply) == ("It opens at 9 on Sundays.", "It opens at 11 on Sundays.")
    assert (told.question, told.differs) == (asked, "count: 11 / 9")
    assert re.search(r"kept: the newer one</p>[^/]*It opens at 11 on Sundays", html)
    assert re.search(r"taken out</p>[^/]*It opens at 9 on Sundays", html)


def test_the_report_names_nobody_and_holds_no_markup_of_a_chat(settings: Settings, tmp_path: Path) -> None:
    answered(settings, "zora77", f"{HOSTILE} What is the price of a ticket?", "I am Zebulon Quartermain: 3 euros.")
    html = report(harvested(settings, tmp_path / "out"))
    assert "What is the price of a ticket?" in html
    assert "<script>alert" not in html
    assert html.count("<script>") == 1
    assert "zora77" not in html
    assert "Quartermain" not in html


def test_the_map_holds_every_example_of_a_small_dataset_once(many: Settings, tmp_path: Path) -> None:
    outcome = harvested(many, tmp_path / "out")
    html = report(outcome)
    assert len(re.findall(r"<use [^>]*><title>", html)) == outcome.funnel.kept > 200
    assert {f'class="t{look}"' for look in range(7)} <= set(re.findall(r'class="t\d"', html))
