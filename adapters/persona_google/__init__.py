"""Google's Gemini models through the official SDK: the Gemini API, and Vertex with its tuned endpoints."""

from collections.abc import Sequence

from persona.adapter import Adapter, ChatModel, DatasetFormat, Embedder, ModelCard, Provider, Tuning
from persona.values.tuning import TuningCard

__all__ = ["adapter"]

# Each factory imports what it needs when it is called: the SDK alone costs a second of CPU.


def _chat(provider: Provider) -> ChatModel:
    from persona_google.chat import GoogleChat

    return GoogleChat(provider)


def _embed(provider: Provider, model: str) -> Embedder:
    from persona_google.embed import GoogleEmbedder

    return GoogleEmbedder(provider, model)


def _card(model: str) -> ModelCard | None:
    from persona_google.catalog import card

    return card(model)


def _datasets() -> Sequence[DatasetFormat]:
    from persona_google.datasets import FORMATS

    return FORMATS


def _tuning(provider: Provider) -> Tuning:
    from persona_google.tuning import VertexTuning

    return VertexTuning(provider)


def _tuning_card(provider: Provider, model: str) -> TuningCard | None:
    from persona_google.tuning_catalog import card

    return card(provider, model)


def _needs_key(provider: Provider) -> bool:
    return not provider.options.get("project")  # on Vertex the machine's own credentials sign


# There is no tokenizer: the SDK's own downloads its vocabulary, and knows none of the newer models.
adapter = Adapter(
    name="google",
    chat=_chat,
    embed=_embed,
    card=_card,
    datasets=_datasets,
    tuning=_tuning,
    tuning_card=_tuning_card,
    needs_key=_needs_key,
    provider_name="gcp.gen_ai",
)
"""What the entry point `google` of the group `persona.adapters` names."""
