"""The package and its catalog: nothing is imported early, and every fact has its source and day."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from anthropic.types import ModelParam
from persona_anthropic.catalog import card

ROOT = Path(__file__).parents[2]
SHEET = json.loads((ROOT / "adapters/persona_anthropic/catalog.json").read_text(encoding="utf-8"))
NAMES = [name for row in SHEET["models"] for name in row["names"]]


def test_importing_the_adapter_imports_no_library() -> None:
    code = (
        "import sys, persona_anthropic; persona_anthropic.adapter.card('claude-haiku-5-5');"
        "print({'anthropic', 'httpx2', 'numpy', 'boto3', 'pydantic'} & set(sys.modules))"
    )
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'adapters'}"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=path)
    assert done.stdout.strip() == "set()"


def test_every_card_says_where_it_is_from_and_when_it_was_read() -> None:
    assert len(NAMES) == len(set(NAMES))
    for known in map(card, NAMES):
        assert known is not None
        assert known.source
        assert date.fromisoformat(known.checked)
        assert known.input_price is None or known.input_price > 0
        assert not known.retires or date.fromisoformat(known.retires)


def test_every_model_that_the_sdk_names_has_a_card() -> None:
    named = ModelParam.__args__[0].__args__  # type: ignore[attr-defined]  # a union of a Literal and str
    assert len(named) > 10
    assert [model for model in named if card(model) is None] == []


@pytest.mark.parametrize(
    "model",
    [
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        "global.anthropic.claude-haiku-4-5",
        "claude-haiku-4-5@20251001",
    ],
)
def test_a_model_on_a_platform_has_its_limits_and_no_price(model: str) -> None:
    known, there = card("claude-haiku-4-5"), card(model)
    assert known is not None
    assert there is not None
    assert (there.model, there.context_tokens, there.max_output_tokens) == (model, 200_000, 64_000)
    assert (known.input_price, there.input_price, there.output_price) == (1.0, None, None)


def test_a_dated_id_has_the_card_of_its_model_and_a_stranger_has_none() -> None:
    dated = card("claude-opus-5-5-20260915")
    assert dated is not None
    assert (dated.model, dated.input_price) == ("claude-opus-5-5-20260915", 4.0)
    assert card("llama-3") is card("claude-of-tomorrow") is card("anthropic.nova") is None


def test_a_model_that_retires_says_when() -> None:
    known = card("claude-sonnet-4-5")
    assert known is not None
    assert known.retires == "2026-11-30"
