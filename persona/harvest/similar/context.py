"""What a reply rests on beside its question: two users may rightly get different replies to the same question."""

import re
from collections.abc import Sequence

from persona.harvest.similar.text import carries, digest, tokens
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
_LITTLE = 3  # words with content
_FIRST = 24


def context(
    question: str, reply: str, sources: Sequence[str], language: str | None = None, before: Sequence[str] = ()
) -> int:
    """A digest of what the reply rests on, 0 for nothing: rows of different contexts do not contradict each other.

    `before` are the messages before the question: one such as "And how much is it?" asks about what they say.

    `sources` are the texts in the row's window that belong to this user alone: profile facts, recalled memories,
    results of tools. A reply rests on a source when it repeats a term of it that the question does not have; where
    the question speaks of the one who asks, it rests on all of them, for what a model concludes from
    "vegetarian" need not repeat it.
    """
    if before and _goes_on(question):
        return digest("\x1f".join((*before, *sources)))
    if not sources:
        return 0
    if _OF_ME.search(question.replace("’", "'")):
        leaning = sources
    else:
        said = set(words.terms(reply, language)) - set(words.terms(question, language))
        leaning = [source for source in sources if not said.isdisjoint(words.terms(source, language))]
    return digest("\x1f".join(sorted(leaning))) if leaning else 0


def _goes_on(question: str) -> bool:
    if _says_much(question):
        return False
    asked = question.replace("’", "'")
    return _ON.search(asked) is not None and len(set(filter(carries, tokens(asked)))) <= _LITTLE


def _says_much(question: str) -> bool:
    """Whether the first words settle that there are many with content, as they mostly do."""
    found: set[str] = set()
    for word in question.split(None, _FIRST):
        # every reading makes one token of letters between spaces
        if word.isascii() and word.isalpha() and carries(small := word.lower()):
            found.add(small)
            if len(found) > _LITTLE:
                return True
    return False
