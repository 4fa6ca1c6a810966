"""What is said in the benchmarks: messages of about 50 tokens, the same in every process, and how they are counted.

Nothing but the standard library and the estimator is needed, so that peers in their own environment say the same.
"""

import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

_SAMPLES = Path(__file__).parent / "samples"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def messages(number: int, seed: int = 1) -> list[str]:
    """Messages of one or two sentences, English and French in turn, no two alike."""
    chance = random.Random(seed)
    sentences = (_sentences("english"), _sentences("french"))
    said = (" ".join(chance.sample(sentences[index % 2], 1 + index // 2 % 2)) for index in range(number))
    return [f"{text} (nr. {index})" for index, text in enumerate(said)]


@cache
def counter() -> tuple[str, Callable[[str], int]]:
    """The name of a token counter, and the counter: tiktoken where its vocabulary is at hand, else the estimator."""
    from benchmarks.estimator import vocabulary_at_hand
    from persona.window.estimate import NAME, estimate_tokens

    if not vocabulary_at_hand():
        return NAME, estimate_tokens
    import tiktoken

    encode = tiktoken.get_encoding("o200k_base").encode_ordinary
    return "o200k_base", lambda text: len(encode(text))


@cache
def _sentences(language: str) -> list[str]:
    text = (_SAMPLES / f"{language}.txt").read_text(encoding="utf-8")
    return [one for one in _SENTENCE_END.split(" ".join(text.split())) if 40 <= len(one) <= 180]
