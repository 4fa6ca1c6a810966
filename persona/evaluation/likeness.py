"""How near the answers lie to their references for the embedder in use."""

from collections.abc import Sequence

from persona.adapter import Embedder
from persona.errors import ProviderError
from persona.evaluation.replay import Played
from persona.memory.embedding import embed

_AT_ONCE = 256  # examples

Likeness = tuple[float, float] | None
"""The cosines of the base's and the other's answer with the reference; None where there is none."""


async def likenesses(embedder: Embedder, played: Sequence[Played]) -> tuple[list[Likeness], tuple[str, ...]]:
    """The likeness of every example, and what is to be said where the embedder failed: the rest does not need it."""
    found: list[Likeness] = []
    for start in range(0, len(played), _AT_ONCE):
        try:
            found += await _some(embedder, played[start : start + _AT_ONCE])
        except ProviderError as error:
            return [None] * len(played), (f"similarity was not measured: {type(error).__name__}",)
    return found, ()


async def _some(embedder: Embedder, played: Sequence[Played]) -> list[Likeness]:
    texts = list(dict.fromkeys(text for one in played for text in _texts(one)))
    vectors = dict(zip(texts, await embed(embedder, texts), strict=True))
    found: list[Likeness] = []
    for one in played:
        wanted, *said = _texts(one)
        base, other = (max(0.0, float(vectors[wanted] @ vectors[text])) for text in said)
        found.append((base, other) if wanted else None)
    return found


def _texts(one: Played) -> tuple[str, str, str]:
    answers = one.answers
    assert answers is not None, "only comparable examples are measured"  # noqa: S101 - narrows the type
    return one.scene.reference, answers[0].text, answers[1].text
