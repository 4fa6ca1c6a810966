"""Makes `words/lexicon.*`: `python -m persona_embedded.lexicon`, after a change to `french.txt` or `topics.txt`.

A French word gets the vector of its English, so that a question and a memory meet whatever language each is in. Words
of one topic are drawn to each other (retrofitting, Faruqui et al., 2015): a move has to do with where one lives. No
list holds all words: one that is in no topic is drawn, a little less, to the topics of the listed words nearest to it.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from persona.values import words
from persona_embedded.vectors import FOLDER, english, spelled, write

_DRAWN, _GUESSED = 0.9, 0.45  # how far a word is drawn to its topics, as a share of its length: listed, and guessed
_NEAREST, _SURE, _NEARLY = 10, 1.0, 0.7  # so many neighbours speak for a topic, and with it for those nearly as sure
_SHORTEST = 3  # letters of a word whose topics are guessed

Vector = NDArray[np.float32]


def build() -> dict[str, Vector]:
    """The vectors of the lexicon by key: those of French words, and the directions in which English stems are drawn."""
    drawn = _directions()
    senses: dict[str, list[Vector]] = {}
    for sense_in_english, french in _lines("french.txt"):
        sense = np.mean([_english(word, drawn) for word in sense_in_english.split()], axis=0)
        for word in french.split():
            for key in (f"fr {word.casefold()}", f"fr ={words.term(word.casefold(), 'fr')}"):
                senses.setdefault(key, []).append(sense)
    french_vectors = {key: np.mean(found, axis=0).astype(np.float32) for key, found in sorted(senses.items())}
    return french_vectors | {f"en ={stem}": vector for stem, vector in sorted(drawn.items())}


def _english(word: str, drawn: Mapping[str, Vector]) -> Vector:
    own = spelled(word.casefold())
    towards = drawn.get(words.term(word.casefold(), "en"))
    return own if towards is None else own + towards * np.float32(np.sqrt(own @ own))


def _directions() -> dict[str, Vector]:
    """For each stem the direction of its topics, as long as it is drawn."""
    topics = {topic: listed.casefold().split() for topic, listed in _lines("topics.txt")}
    centres = np.stack([_unit(np.sum([_unit(spelled(word)) for word in listed], axis=0)) for listed in topics.values()])
    members: dict[str, set[int]] = {}
    for at, listed in enumerate(topics.values()):
        for word in listed:
            members.setdefault(word, set()).add(at)
    of_stem: dict[str, set[int]] = {}
    for word, found in members.items():
        of_stem.setdefault(words.term(word, "en"), set()).update(found)
    drawn = {stem: _DRAWN * _unit(centres[sorted(found)].sum(axis=0)) for stem, found in of_stem.items() if stem}
    return _guessed(members, centres, drawn) | drawn


def _guessed(members: Mapping[str, set[int]], centres: Vector, listed: Mapping[str, Vector]) -> dict[str, Vector]:
    """The directions of stems that no topic lists, by the topics of the nearest words that are listed."""
    near = np.stack([_unit(spelled(word)) for word in members])
    belongs = np.array([[float(topic in found) for topic in range(len(centres))] for found in members.values()])
    guessed: dict[str, Vector] = {}
    for word in _unlisted():
        stem = words.term(word, "en")
        if not stem or stem in listed or stem in guessed:
            continue
        close = near @ _unit(spelled(word))
        best = np.argsort(-close, kind="stable")[:_NEAREST]
        sure = (close[best].clip(0) ** 2) @ belongs[best]
        if sure.max() >= _SURE:
            guessed[stem] = _GUESSED * _unit(np.where(sure >= _NEARLY * _SURE, sure, 0) @ centres)
    return guessed


def listed() -> set[str]:
    """The English words of both lists."""
    found = {word for english_words, _ in _lines("french.txt") for word in english_words.casefold().split()}
    return found.union(*(words_of.casefold().split() for _, words_of in _lines("topics.txt")))


def _unlisted() -> Iterator[str]:
    """The words that have a vector of their own, the most frequent first, and the English of the French ones."""
    yield from (word for word in english().rows if len(word) >= _SHORTEST and word.isalpha())
    for english_words, _ in _lines("french.txt"):
        yield from english_words.casefold().split()


def _lines(name: str) -> Iterator[tuple[str, str]]:
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            left, _, right = line.partition(":")
            yield left, right


def _unit(vector: Vector) -> Vector:
    found: Vector = (vector / np.sqrt(vector @ vector)).astype(np.float32)
    return found


if __name__ == "__main__":
    write("lexicon", build())
