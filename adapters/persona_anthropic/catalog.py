"""Dated facts about the models: what they take, cost, and when they stop.

`catalog.json` was made from installed packages, which each row names: context and prices (dollars per million
tokens, standard service, the lowest tier, the five-minute cache) from genai-prices, the longest reply from litellm's
model map, retirement dates from `DEPRECATED_MODELS` of the SDK.
"""

import json
import re
from dataclasses import fields, replace
from functools import cache
from importlib.resources import files
from typing import Any

from persona.adapter import ModelCard
from persona.values.tuning import TuningCard

# eu.anthropic.claude-haiku-4-5-20251001-v1:0 on Bedrock, claude-haiku-4-5@20251001 on Vertex
_ON_BEDROCK = re.compile(r"(?:[a-z-]+\.)?anthropic\.(.+?)(?:-v\d+(?::\d+)?)?")
_ON_VERTEX = re.compile(r"(.+)@\w+")
_DATED = re.compile(r"(.+)-\d{8}")

_TAKE_TEMPERATURE = (
    "claude-3",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-opus-4-2025",
    "claude-opus-4-5",
    "claude-opus-4-6",
    "claude-sonnet-4",
    "claude-haiku-4-5",
)
"""Beginnings of the ids whose models still take a temperature, under the first API version. Claude Opus 4.7 was the
first to refuse it (migration guide on platform.claude.com, as of 2026-11)."""


def card(model: str) -> ModelCard | None:
    """What is known about `model`, or None.

    On Bedrock and Vertex a model has the same limits; its prices are the platform's, and not known here.
    """
    cards, name = _cards(), name_of(model)
    dated = _DATED.fullmatch(name)
    known = cards.get(name) or (cards.get(dated[1]) if dated else None)
    if known is None:
        return None
    if name == model:
        return replace(known, model=model)
    return replace(
        known, model=model, input_price=None, cache_read_price=None, cache_write_price=None, output_price=None
    )


def name_of(model: str) -> str:
    """The id that the vendor's own API knows the model by."""
    found = _ON_BEDROCK.fullmatch(model) or _ON_VERTEX.fullmatch(model)
    return found[1] if found else model


def takes_temperature(model: str) -> bool:
    """Whether the model can be sent a temperature at all."""
    return name_of(model).startswith(_TAKE_TEMPERATURE)


def tuning_card(model: str) -> TuningCard:
    """Why no model can be tuned: the same for all of them."""
    sheet = _sheet()
    return TuningCard(model, methods=(), checked=sheet["checked"], **sheet["tuning"])


@cache
def _cards() -> dict[str, ModelCard]:
    sheet = _sheet()
    common = {key: sheet[key] for key in (field.name for field in fields(ModelCard)) if key in sheet}
    return {name: ModelCard(model=name, **{**common, **row}) for row in sheet["models"] for name in row.pop("names")}


def _sheet() -> dict[str, Any]:
    sheet: dict[str, Any] = json.loads((files("persona_anthropic") / "catalog.json").read_text(encoding="utf-8"))
    return sheet
