"""How well passages answer a question: the share of its terms that each holds, rare ones first."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

from persona.values.words import terms
from persona_embedded.layout import Passage

ENOUGH = 0.5  # share of a question's weight; below it a passage speaks of something else
_MOST_TERMS = 32
_NEAR = 0.45  # letters in common from which two words count as one (Dice, on pairs and triples)
_ABOUT = 0.7  # what a heading or a kind counts, beside the words of the sentence itself
_ASKING = 0.3  # what words that only say what is asked for count
_TYPED = 0.15
_DENSE = 0.1

_ASKING_WORDS = {
    "fr": "heure heures date jour moment temps nom prénom appelle appelles nombre lieu adresse chose sujet "
    "âge demain aujourd'hui hier maintenant dit dire dis rappelle rappelles souviens sais connais exactement "
    "parlé décidé discuté mentionné",
    "en": "time date day moment name called number place thing age old long tomorrow today yesterday now "
    "tell told say said remind remember know exactly kind talk talked decide decided discuss "
    "discussed mention mentioned",
}
_WANTS_FIGURES = re.compile(
    r"\b(?:quand|heures?|horaires?|combien|dates?|jours?|âge|numéro|prix|coûte|when|time|hours?|"
    r"how (?:many|much|long|old)|days?|number|price|cost|age)\b"
)
_FIGURES = re.compile(
    r"\d|\b(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|midi|minuit|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|noon|midnight)s?\b"
)


@dataclass(frozen=True, slots=True)
class Match:
    """One passage against a question: `coverage` is from 0 to 1, `held` are the question's terms it holds."""

    passage: Passage
    coverage: float
    score: float
    held: frozenset[str]


class Asked:
    """The terms of one question, ready to be looked for."""

    def __init__(self, question: str, lang: str) -> None:
        self.question = question
        self.lang = lang
        self.terms = list(dict.fromkeys(terms(question, lang)))[:_MOST_TERMS]
        self.wants_figures = bool(_WANTS_FIGURES.search(question[:1000].casefold()))
        self._starts: dict[str, list[str]] = {}
        for term in self.terms:
            if _lettered(term):
                self._starts.setdefault(term[:3], []).append(term)
        self._near: dict[str, list[tuple[str, float]]] = {}

    def held(self, found: Iterable[str]) -> dict[str, float]:
        """Which of the question's terms are among `found`, and how surely (1 is the same term)."""
        sure: dict[str, float] = {}
        wanted = set(self.terms)
        for term in found:
            if term in wanted:
                sure[term] = 1.0
            elif term[:3] in self._starts:
                for near, alike in self._likenesses(term):
                    sure[near] = max(alike, sure.get(near, 0.0))
        return sure

    def _likenesses(self, term: str) -> list[tuple[str, float]]:
        if term not in self._near:
            asked = self._starts[term[:3]] if _lettered(term) else []
            alike = [(other, likeness(term, other)) for other in asked]
            self._near[term] = [(other, degree) for other, degree in alike if degree >= _NEAR]
        return self._near[term]


def rank(asked: Asked, passages: Sequence[Passage]) -> list[Match]:
    """The passages that hold something of the question, best first; order decides between equals."""
    if not asked.terms:
        return []
    own = [terms(passage.text, asked.lang) for passage in passages]
    held = [asked.held(found) for found in own]
    weights = _weights(asked, held)
    whole = sum(weights.values())
    about: dict[str, dict[str, float]] = {}
    matches = []
    for passage, found, sure in zip(passages, own, held, strict=True):
        if passage.about not in about:
            beside = asked.held(terms(passage.about, asked.lang))
            about[passage.about] = {term: degree * _ABOUT for term, degree in beside.items()}
        both = {**about[passage.about], **sure}
        if not both:
            continue
        coverage = sum(weights[term] * degree for term, degree in both.items()) / whole
        typed = _TYPED if asked.wants_figures and _FIGURES.search(passage.text.casefold()) else 0.0
        score = coverage + typed + _DENSE * len(sure) / max(1, len(found))
        matches.append(Match(passage, coverage, score, frozenset(both)))
    return sorted(matches, key=lambda match: -match.score)


def likeness(one: str, other: str) -> float:
    """How alike two words are by their letters, from 0 to 1: Dice's coefficient on pairs and triples."""
    first, second = _grams(one), _grams(other)
    return 2 * len(first & second) / (len(first) + len(second))


def _weights(asked: Asked, held: Sequence[dict[str, float]]) -> dict[str, float]:
    found_in = dict.fromkeys(asked.terms, 0)
    for sure in held:
        for term in sure:
            found_in[term] += 1
    asking = _asking(asked.lang)
    return {
        term: (_ASKING if term in asking else 1.0) * (1 + log((len(held) + 1) / (count + 1)))
        for term, count in found_in.items()
    }


@lru_cache(maxsize=4)
def _asking(lang: str) -> frozenset[str]:
    return frozenset(terms(_ASKING_WORDS.get(lang, ""), lang))


@lru_cache(maxsize=1 << 12)
def _grams(word: str) -> frozenset[str]:
    padded = f"<{word}>"
    return frozenset(padded[at : at + size] for size in (2, 3) for at in range(len(padded) - size + 1))


def _lettered(term: str) -> bool:
    return len(term) >= 4 and term.isalpha()
