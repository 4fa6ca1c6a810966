"""Anthropic's models through the official SDK: its own API, Amazon Bedrock and Google Vertex."""

from collections.abc import Sequence

from persona.adapter import Adapter, ChatModel, DatasetFormat, ModelCard, Provider
from persona.values.tuning import TuningCard

__all__ = ["adapter"]

# Each factory imports what it needs when it is called: the SDK alone costs two seconds of CPU.


def _chat(provider: Provider) -> ChatModel:
    from persona_anthropic.chat import AnthropicChat

    return AnthropicChat(provider)


def _card(model: str) -> ModelCard | None:
    from persona_anthropic.catalog import card

    return card(model)


def _datasets() -> Sequence[DatasetFormat]:
    from persona_anthropic.datasets import FORMATS

    return FORMATS


def _tuning_card(provider: Provider, model: str) -> TuningCard | None:
    from persona_anthropic.catalog import tuning_card

    return tuning_card(model) if provider.kind == "anthropic" else None


def _needs_key(provider: Provider) -> bool:
    return provider.options.get("client", "api") == "api"  # elsewhere the machine's own credentials sign


# There is no tokenizer: the vendor publishes no vocabulary. There are no embeddings either, and no tuning any more.
adapter = Adapter(
    name="anthropic", chat=_chat, card=_card, datasets=_datasets, tuning_card=_tuning_card, needs_key=_needs_key
)
"""What the entry point `anthropic` of the group `persona.adapters` names."""
