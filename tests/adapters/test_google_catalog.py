"""The Google package and its catalog: nothing is imported early, and every fact has its source and day."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from persona_google import adapter
from persona_google.catalog import card

ROOT = Path(__file__).parents[2]


def test_importing_the_adapter_imports_no_library() -> None:
    code = (
        "import sys, persona_google; persona_google.adapter.card('gemini-3.8-flash');"
        "print({'google.genai', 'google.auth', 'httpx2', 'numpy', 'pydantic'} & set(sys.modules))"
    )
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'adapters'}"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=path)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("day", "price"), [(datetime(2026, 12, 31, 23, tzinfo=UTC), 0.75), (datetime(2027, 1, 1, tzinfo=UTC), 1.5)]
)
def test_an_announced_price_counts_from_its_day_on(day: datetime, price: float) -> None:
    with time_machine.travel(day, tick=False):
        known = card("gemini-3.8-flash")
    assert known is not None
    assert known.input_price == price


@pytest.mark.parametrize("path", ["models/", "publishers/google/models/", "google/"])
def test_a_model_written_as_a_path_is_the_same_model(path: str) -> None:
    bare, known = card("gemini-2.5-flash"), card(f"{path}gemini-2.5-flash")
    assert bare is not None
    assert known is not None
    assert (known.model, known.retires) == (f"{path}gemini-2.5-flash", bare.retires)
    assert bare.retires == "2026-12-01"


def test_an_endpoint_does_not_say_what_it_was_tuned_from() -> None:
    assert card("projects/p/locations/l/endpoints/1") is card("gemini-0.1-nothing") is None


def test_no_vocabulary_is_at_hand() -> None:
    assert adapter.tokenizer is None


def test_every_card_says_where_it_is_from_and_when_it_was_read() -> None:
    sheet = json.loads((ROOT / "adapters/persona_google/catalog.json").read_text(encoding="utf-8"))
    names = [name for row in sheet["models"] for name in row["names"]]
    assert len(names) == len(set(names))
    for name in names:
        known = card(name)
        assert known is not None
        assert known.source
        assert known.checked
        assert known.input_price
        assert known.input_price > 0
