"""Dated facts about the models: what they take, cost, and when they stop.

`catalog.json` was made from sources that each row names: context and prices (dollars per million tokens, standard
service, the lowest tier) from genai-prices, the longest reply from litellm's model map. `later` holds prices that are
announced for a day to come.
"""

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from persona.adapter import ModelCard

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?-")
_LATEST = re.compile(r"gemini-[a-z-]*latest")


def card(model: str) -> ModelCard | None:
    """What is known about `model`, or None: a tuned endpoint does not say what it was made from."""
    known = _cards().get(name_of(model))
    if known is None:
        return None
    first, later = known
    if later and datetime.now(UTC).date().isoformat() >= later["from"]:
        first = replace(first, **{key: price for key, price in later.items() if key != "from"})
    return replace(first, model=model)


def name_of(model: str) -> str:
    """The bare id of a model that may be written as a path."""
    return model.rsplit("/", 1)[-1] if "models/" in model or model.startswith("google/") else model


def takes_temperature(model: str) -> bool:
    """Whether the model can be sent a temperature at all.

    Gemini 3.5 Flash-Lite and 3.6 Flash were the first to refuse it (guide "What's new in Gemini 3.6", 2026-07).
    """
    name = name_of(model)
    return not (_version(name) >= (3, 6) or name.startswith("gemini-3.5-flash-lite"))


def signs_calls(model: str) -> bool:
    """Whether the model refuses a call of its own that comes back without its signature: from Gemini 3 on."""
    return _version(name_of(model)) >= (3, 0)


def answers_beside_tools(model: str) -> bool:
    """Whether the model can be offered tools and held to a schema in one request: from Gemini 3 on.

    Before, the API says "Function calling with a response mime type: 'application/json' is unsupported".
    """
    return _version(name_of(model)) >= (3, 0)


def _version(name: str) -> tuple[int, int]:
    """The version that the id names: the newest for an alias of it, none for what is no Gemini model."""
    if _LATEST.fullmatch(name):
        return (99, 0)
    found = _VERSION.match(name)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


@cache
def _cards() -> dict[str, tuple[ModelCard, dict[str, Any]]]:
    sheet = json.loads((files("persona_google") / "catalog.json").read_text(encoding="utf-8"))
    common = {key: sheet[key] for key in (field.name for field in fields(ModelCard)) if key in sheet}
    cards: dict[str, tuple[ModelCard, dict[str, Any]]] = {}
    for row in sheet["models"]:
        names, later = row.pop("names"), row.pop("later", {})
        cards |= {name: (ModelCard(model=name, **{**common, **row}), later) for name in names}
    return cards
