"""How alike an answer and its reference are, from 0 to 1. Pure; published measures, with their own parameters."""

import re
from collections import Counter
from unicodedata import normalize

_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+")
_ORDER, _BETA = 6, 2.0


def exact(answer: str, reference: str) -> float:
    """1 where both say the same but for white space and how Unicode composes letters."""
    return float(_squeezed(answer) == _squeezed(reference))


def fuzzy(answer: str, reference: str) -> float:
    """The share of characters that need no insertion or deletion (normalised indel similarity)."""
    from rapidfuzz.distance import Indel  # loaded with the first comparison

    return Indel.normalized_similarity(_squeezed(answer), _squeezed(reference))


def chrf(answer: str, reference: str) -> float:
    """chrF2: the F-score of character 1- to 6-grams without spaces, recall counting double.

    Popović, chrF: character n-gram F-score (WMT 2015), for one sentence as sacrebleu 2 computes it, divided by 100.
    """
    said, wanted = _SPACE.sub("", answer), _SPACE.sub("", reference)
    precision = recall = 0.0
    orders = 0
    for n in range(1, _ORDER + 1):
        one, other = _grams(said, n), _grams(wanted, n)
        if one and other:
            same = (one & other).total()
            precision += same / one.total()
            recall += same / other.total()
            orders += 1
    if not orders or not precision + recall:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)


def rouge_l(answer: str, reference: str) -> float:
    """ROUGE-L: the F-score of the longest common subsequence of words.

    Lin, ROUGE (2004), with equal weights, as the package rouge-score computes it without a stemmer, of words of
    any script.
    """
    from rapidfuzz.distance import LCSseq

    said, wanted = _words(answer), _words(reference)
    same = LCSseq.similarity(said, wanted)
    return 2 * same / (len(said) + len(wanted)) if same else 0.0


def _squeezed(text: str) -> str:
    return _SPACE.sub(" ", normalize("NFC", text)).strip()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _grams(text: str, n: int) -> Counter[str]:
    return Counter(text[at : at + n] for at in range(len(text) - n + 1))
