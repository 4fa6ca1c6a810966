"""Dated facts about tuning: at the vendor, whose self-serve tuning ends, on Azure, where it goes on, and at Mistral.

`tuning.json` says for each where its facts are from. Prices of training are not in those sources, and unknown here.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import urlsplit

from persona.adapter import Provider
from persona.values.tuning import TuningCard
from persona_openai.dialect import AZURE, AZURE_PATH, dialect_of, url_of

Host = Literal["openai", "azure", "mistral"]

_FORMATS: dict[Host, tuple[str, str]] = {
    "openai": ("openai", "openai-dpo"),
    "azure": ("azure", "azure-dpo"),
    "mistral": ("mistral", ""),
}


def card(provider: Provider, model: str) -> TuningCard | None:
    """What is known of tuning a model there, or None. At a proxy in front of the vendor, the vendor's own facts."""
    if provider.kind not in ("openai", "mistral"):
        return None
    host = host_of(provider)
    sheet = _sheet()[host]
    common = {key: value for key, value in sheet.items() if key != "rows"}
    if host == "mistral":
        return _card(host, model, common)
    row = next((one for one in sheet["rows"] if model in one["names"]), None)
    return _card(host, model, {**common, **row}) if row else None


def host_of(provider: Provider) -> Host:
    """Whose fine-tuning API is spoken there."""
    if provider.kind == "mistral":
        return "mistral"
    if is_azure(provider):
        return "azure"
    name = urlsplit(url_of(provider)).hostname or ""
    return "mistral" if name == "mistral.ai" or name.endswith(".mistral.ai") else "openai"


def is_azure(provider: Provider) -> bool:
    """Whether a model has to be deployed before it can be called; a proxy in front of Azure has its path."""
    return dialect_of(provider) is AZURE or urlsplit(url_of(provider)).path.rstrip("/").endswith(AZURE_PATH)


def _card(host: Host, model: str, facts: dict[str, Any]) -> TuningCard:
    form, preferences = _FORMATS[host]
    kept = {key: value for key, value in facts.items() if key not in ("names", "methods")}
    methods = tuple(facts.get("methods", ("sft",)))
    told = {"methods": methods, "format": form, "preference_format": preferences, "checked": _sheet()["checked"]}
    return TuningCard(base_model=model, **{**told, **kept})


@cache
def _sheet() -> dict[str, Any]:
    sheet: dict[str, Any] = json.loads((files("persona_openai") / "tuning.json").read_text(encoding="utf-8"))
    return sheet
