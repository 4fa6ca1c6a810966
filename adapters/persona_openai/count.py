"""Counts tokens as OpenAI's models do, where their vocabulary is at hand."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from persona.adapter import Framing
from persona_openai.vocabulary import CL100K, O200K, Vocabulary, load

if TYPE_CHECKING:
    from tiktoken import Encoding


@dataclass(frozen=True, slots=True)
class Family:
    """How the models whose id starts with `prefix` count; `exact` says that their vocabulary is published.

    `low` and `tile` are the tokens of a low-detail picture and of each tile beside it.
    """

    prefix: str
    vocabulary: Vocabulary
    exact: bool = True
    low: int = 85
    tile: int = 170


# The first prefix that fits wins. The vocabulary of gpt-6 is not published: o200k_base is the nearest known.
# Pictures: the vendor's guide "Images and vision". Where it counts patches of 32 × 32 pixels times a factor
# instead of tiles, a tile is 256 patches (512 × 512 pixels), and so is a low-detail picture.
FAMILIES = (
    Family("gpt-6", O200K, exact=False),
    Family("gpt-5-mini", O200K, low=415, tile=415),
    Family("gpt-5-nano", O200K, low=630, tile=630),
    Family("gpt-5", O200K, low=70, tile=140),
    Family("gpt-4.1-mini", O200K, low=415, tile=415),
    Family("gpt-4.1-nano", O200K, low=630, tile=630),
    Family("gpt-4.1", O200K),
    Family("gpt-4o-mini", O200K, low=2833, tile=5667),
    Family("gpt-4o", O200K),
    Family("o1", O200K, low=75, tile=150),
    Family("o3", O200K, low=75, tile=150),
    Family("o4-mini", O200K, low=441, tile=441),
    Family("gpt-4", CL100K),
    Family("gpt-3.5", CL100K),
    Family("gpt-35", CL100K),  # Azure's spelling
)

# o200k's pattern backtracks through a run of white space and overflows its stack near a million characters.
_LONG_RUN = re.compile(r"\s{100000}")


class OpenAITokenizer:
    """Counts with one vocabulary; `exact` is so for text, the framing follows public guides."""

    # OpenAI cookbook, "How to count tokens with tiktoken": 3 for the reply's start; 3 a message and 1 for its
    # role; 7 a declared function and 12 once for all. A function's whole JSON is counted as text, with more
    # braces and quotes than the vendor's own rendering has, so 12 a tool stays on the safe side.

    def __init__(self, family: Family, encoding: "Encoding") -> None:
        self.name = family.vocabulary.name
        self.exact = family.exact
        self.framing = Framing(per_request=3, per_message=4, per_tool=12, image_low=family.low, image_tile=family.tile)
        self._encode = encoding.encode_ordinary

    def count(self, text: str) -> int:
        """The number of tokens in `text`, special tokens taken as plain text."""
        if len(text) < 100_000:
            return len(self._encode(text))
        return sum(len(self._encode(piece)) for piece in _pieces(text))


def _pieces(text: str) -> list[str]:
    ends = [match.end() for match in _LONG_RUN.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def family_of(model: str) -> Family | None:
    """The family of a model id, a tuned one by its base; None when it is nobody's we know."""
    base = base_of(model)
    return next((family for family in FAMILIES if base.startswith(family.prefix)), None)


def base_of(model: str) -> str:
    """The model that a tuned one was made from (`ft:base:organisation:suffix:id`); others are their own."""
    return model.split(":")[1] if model.startswith("ft:") else model


def tokenizer(model: str) -> OpenAITokenizer | None:
    """A counter for `model`, or None when the model is unknown or its vocabulary is not on this machine."""
    family = family_of(model)
    encoding = load(family.vocabulary) if family else None
    return OpenAITokenizer(family, encoding) if family and encoding else None
