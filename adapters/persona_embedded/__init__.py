"""The adapter without key or network: an extractive responder and an embedder of static word vectors.

It is what persona answers with out of the box. It is no language model, and says so when asked.
"""

from typing import TYPE_CHECKING

from persona.adapter import Adapter, ModelCard, Provider
from persona.errors import ModelNotFound

if TYPE_CHECKING:
    from persona_embedded.chat import ExtractiveChat
    from persona_embedded.embed import StaticWords

CHAT_MODEL = "extractive-1"
EMBEDDER = "words-1"

_CARD = ModelCard(
    CHAT_MODEL,
    context_tokens=32_768,
    input_price=0.0,
    cache_read_price=0.0,
    cache_write_price=0.0,
    output_price=0.0,
    source="persona_embedded",
    checked="2026-11-21",
)


def _chat(provider: Provider) -> "ExtractiveChat":
    from persona_embedded.chat import ExtractiveChat

    return ExtractiveChat(provider.name, CHAT_MODEL)


def _embed(provider: Provider, model: str) -> "StaticWords":
    if model not in ("", EMBEDDER):
        raise ModelNotFound(
            f"the embedded adapter has no embedder {model!r}",
            hint=f"use {EMBEDDER!r}",
            target=f"{provider.name}:{model}",
        )
    from persona_embedded.embed import StaticWords  # numpy, 80 ms

    return StaticWords()


def _card(model: str) -> ModelCard | None:
    return _CARD if model == CHAT_MODEL else None


adapter = Adapter(
    name="embedded",
    chat=_chat,
    embed=_embed,
    card=_card,
    needs_key=False,
    sends_outside=False,
    follows_instructions=False,
)

__all__ = ["CHAT_MODEL", "EMBEDDER", "adapter"]
