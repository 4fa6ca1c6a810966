"""Dated facts about tuning at Together and Fireworks. `tuning.json` says where they are from.

Both tune many models, and change which: they are asked before anything is uploaded. Prices differ by model and method
and are not in those sources: unknown here.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from persona.adapter import Provider
from persona.values.tuning import TuningCard

_UNTRIED = "this backend follows the service's documentation, and was never tried against the service itself"
_NAMES = {"together": re.compile(r"[\w.\-]+/[\w.\-]+"), "fireworks": re.compile(r"accounts/[\w\-]+/models/[\w\-]+")}


def card(provider: Provider, model: str) -> TuningCard | None:
    """What is known of tuning a model there; None where no model is called like that."""
    if provider.kind not in _NAMES or not _NAMES[provider.kind].fullmatch(model):
        return None
    sheet = _sheet()
    facts = {**sheet[provider.kind], "checked": sheet["checked"], "methods": ("sft", "dpo"), "note": _UNTRIED}
    return TuningCard(base_model=model, **facts)


@cache
def _sheet() -> dict[str, Any]:
    sheet: dict[str, Any] = json.loads((files("persona_hosts") / "tuning.json").read_text(encoding="utf-8"))
    return sheet
