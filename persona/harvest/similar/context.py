"""What a reply rests on beside its question: two users may rightly get different replies to the same question."""

import re
from collections.abc import Sequence

from persona.harvest.similar.text import digest
from persona.values import words

# who speaks of themselves asks about what only their own facts, memories and tool results can answer
_OF_ME = re.compile(
    r"\b(?:i|i'm|i've|i'd|me|my|mine|myself|we|our|us|je|j'|j|me|m'|moi|mon|ma|mes|mien|mienne|notre|nos|nous)\b|\bj'",
    re.IGNORECASE,
)
# what goes on from something that was said, where there is little else in the question
_ON = re.compile(
    r"^\W*(?:and|but|so|then|ok|okay|et|mais|alors|donc|puis|d'accord)\b"
    r"|\b(?:it|its|that|this|these|those|they|them|there|one|ones|same|ça|cela|ceci|celui|celle|ceux|celles)\b"
    r"|\b(?:il|elle|ils|elles|lui|leur)\b|(?<!est-)\bce\b|\bc'",
    re.IGNORECASE,
)
LITTLE = 3
"""Different words with content: a question with more of them stands alone."""


def context(question: str, reply: str, sources: Sequence[str], language: str | None = None) -> int:
    """A digest of what the reply rests on, 0 for nothing: rows of different contexts do not contradict each other.

    `sources` are the texts in the row's window that belong to this user alone: profile facts, recalled memories,
    results of tools. A reply rests on a source when it repeats a term of it that the question does not have; where
    the question speaks of the one who asks, it rests on all of them, for what a model concludes from
    "vegetarian" need not repeat it.
    """
    if not sources:
        return 0
    if _OF_ME.search(question.replace("’", "'")):
        leaning = sources
    else:
        said = set(words.terms(reply, language)) - set(words.terms(question, language))
        leaning = [source for source in sources if not said.isdisjoint(words.terms(source, language))]
    return digest("\x1f".join(sorted(leaning))) if leaning else 0


def goes_on(question: str) -> bool:
    """Whether a question of `LITTLE` asks about what was said before it, such as "And how much is it?"."""
    return _ON.search(question.replace("’", "'")) is not None
