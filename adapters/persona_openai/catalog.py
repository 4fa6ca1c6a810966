"""Dated facts about the models: what they take, cost, and when they stop.

`catalog.json` was made from two installed packages, which each row names: context and prices (dollars per
million tokens, standard service, the lowest tier) from genai-prices, shutdown dates from the docstring of
`openai.types.shared.chat_model`. Neither states the longest output, so it is unknown here.
"""

import json
from dataclasses import fields, replace
from functools import cache
from importlib.resources import files

from persona.adapter import ModelCard
from persona_openai.count import base_of


def card(model: str) -> ModelCard | None:
    """What is known about `model`, or None.

    A tuned model has its base's context, and stops when its base does; its prices are not published.
    """
    cards = _cards()
    if model in cards:
        return cards[model]
    if not model.startswith("ft:") or base_of(model) not in cards:
        return None
    return replace(
        cards[base_of(model)],
        model=model,
        input_price=None,
        cache_read_price=None,
        cache_write_price=None,
        output_price=None,
    )


@cache
def _cards() -> dict[str, ModelCard]:
    sheet = json.loads((files("persona_openai") / "catalog.json").read_text(encoding="utf-8"))
    common = {key: sheet[key] for key in (field.name for field in fields(ModelCard)) if key in sheet}
    return {name: ModelCard(model=name, **{**common, **row}) for row in sheet["models"] for name in row.pop("names")}
