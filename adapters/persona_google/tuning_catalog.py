"""Dated facts about tuning: open on Vertex, closed on the Gemini API. `tuning.json` says where they are from.

Prices of training are not in those sources, and unknown here.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from persona.adapter import Provider
from persona.values.tuning import TuningCard
from persona_google.catalog import name_of


def card(provider: Provider, model: str) -> TuningCard | None:
    """What is known of tuning a model there, or None."""
    if provider.kind != "google":
        return None
    sheet = _sheet()
    common: dict[str, Any] = {"base_model": model, "format": "gemini", "preference_format": "gemini-preference"}
    common |= {"checked": sheet["checked"]}
    if not provider.options.get("project"):
        return TuningCard(**common, methods=(), **sheet["api"])
    facts = {key: value for key, value in sheet["vertex"].items() if key != "rows"}
    row = next((dict(one) for one in sheet["vertex"]["rows"] if name_of(model) in one["names"]), None)
    if row is None:
        return None
    del row["names"]
    return TuningCard(**common, **{**facts, **row, "methods": tuple(row["methods"])})


@cache
def _sheet() -> dict[str, Any]:
    sheet: dict[str, Any] = json.loads((files("persona_google") / "tuning.json").read_text(encoding="utf-8"))
    return sheet
