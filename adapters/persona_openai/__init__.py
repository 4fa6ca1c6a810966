"""OpenAI, and every server that speaks its chat completions protocol, through the official SDK."""

from collections.abc import Sequence

from persona.adapter import Adapter, ChatModel, DatasetFormat, Embedder, ModelCard, Provider, Tokenizer, Tuning
from persona.values.tuning import TuningCard

__all__ = ["adapter"]

# Each factory imports what it needs when it is called: the SDK alone costs half a second.


def _chat(provider: Provider) -> ChatModel:
    from persona_openai.chat import OpenAIChat

    return OpenAIChat(provider)


def _embed(provider: Provider, model: str) -> Embedder:
    from persona_openai.embed import OpenAIEmbedder

    return OpenAIEmbedder(provider, model)


def _tokenizer(model: str) -> Tokenizer | None:
    from persona_openai.count import tokenizer

    return tokenizer(model)


def _card(model: str) -> ModelCard | None:
    from persona_openai.catalog import card

    return card(model)


def _datasets() -> Sequence[DatasetFormat]:
    from persona_openai.datasets import FORMATS

    return FORMATS


def _tuning(provider: Provider) -> Tuning:
    from persona_openai.tuning import OpenAITuning

    return OpenAITuning(provider)


def _tuning_card(provider: Provider, model: str) -> TuningCard | None:
    from persona_openai.tuning_catalog import card

    return card(provider, model)


adapter = Adapter(
    name="openai",
    chat=_chat,
    embed=_embed,
    tokenizer=_tokenizer,
    card=_card,
    datasets=_datasets,
    tuning=_tuning,
    tuning_card=_tuning_card,
)
"""What the entry point `openai` of the group `persona.adapters` names."""
