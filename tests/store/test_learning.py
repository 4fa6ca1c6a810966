"""Two workers that learn at once, on SQLite and PostgreSQL: the same fact is one fact, and the newest value holds."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from persona import Assistant, Settings
from persona.store.engine import Database
from persona.testing import ScriptedModel
from persona.values.request import Request

SAID = 24  # more than a worker takes at once


def opened(url: str, model: ScriptedModel) -> Assistant:
    tables = {
        "store": {"url": url, "busy_timeout_s": 20},
        "tasks": {"run": False},
        "memory": {"learn": "default", "turns": False},
        "profile": {"city": {}},
        "routes": {"default": {"target": "scripted:any"}},
    }
    return Assistant.open(Settings.model_validate(tables), adapters=[model.adapter])


@pytest.fixture
def workers(url: str, database: Database) -> Iterator[tuple[Assistant, Assistant]]:
    """Two assistants on one database; neither learns anything before both have begun to."""
    together, begun = threading.Barrier(2, timeout=20), set[int]()

    def note(request: Request) -> str:
        text = request.messages[-1].text
        if "<message " not in text:
            return "noted"
        if threading.get_ident() not in begun:
            begun.add(threading.get_ident())
            together.wait()
        city = text.rpartition("I live in ")[2].partition(".")[0]
        tea = {"kind": "preference", "value": "Drinks tea.", "quote": "i drink tea"}
        return json.dumps({"facts": [{"slot": "city", "value": city, "quote": f"I live in {city}"}, tea]})

    with ExitStack() as stack:
        models = [ScriptedModel(*[note] * SAID * 3) for _ in range(2)]
        one, two = (stack.enter_context(opened(url, model)) for model in models)
        yield one, two


def test_what_two_workers_learn_at_once_is_kept_once_and_in_order(workers: tuple[Assistant, Assistant]) -> None:
    ada = workers[0].user("ada")
    for number in range(SAID):
        ada.conversation().send(f"I live in City{number}. Also, i drink tea.")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_work_off, workers))
    assert ada.profile() == {"city": f"City{SAID - 1}"}
    assert [fact.text for fact in ada.facts() if not fact.slot] == ["Drinks tea."]
    lived = [fact for fact in ada.facts(history=True) if fact.slot]
    assert [fact.value for fact in lived] == [f"City{number}" for number in range(SAID)]
    assert [fact.valid_to_us for fact in lived] == [*(fact.valid_from_us for fact in lived[1:]), 0]


def _work_off(worker: Assistant) -> None:
    while worker.drain():
        continue
