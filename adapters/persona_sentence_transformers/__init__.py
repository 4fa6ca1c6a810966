"""Embeddings by a model on this machine, through the library sentence-transformers. It has no chat."""

from persona.adapter import Adapter, Embedder, Provider

__all__ = ["adapter"]


def _embed(provider: Provider, model: str) -> Embedder:
    from persona_sentence_transformers.embed import SentenceEmbedder  # numpy, 80 ms

    return SentenceEmbedder(provider, model)


adapter = Adapter(name="sentence-transformers", embed=_embed, needs_key=False, sends_outside=False)
"""What the entry point `sentence-transformers` of the group `persona.adapters` names."""
