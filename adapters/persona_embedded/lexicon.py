"""Makes `words/lexicon.*`: `python -m persona_embedded.lexicon`, after a change to `french.txt` or `topics.txt`.

A French word gets the vector of its English, so that a question and a memory meet whatever language each is in. Words
of one topic are drawn to each other (retrofitting, Faruqui et al., 2015): a move has to do with where one lives.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from persona.values import words
from persona_embedded.vectors import FOLDER, spelled, write

_DRAWN = 0.5  # how far a word is drawn to its topics, as a share of its length

Vector = NDArray[np.float32]


def build() -> dict[str, Vector]:
    """The vectors of the lexicon by key: those of French words, and the directions in which English stems are drawn."""
    drawn = _directions()
    senses: dict[str, list[Vector]] = {}
    for english, french in _lines("french.txt"):
        sense = np.mean([_english(word, drawn) for word in english.split()], axis=0)
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
    """For each stem of a topic the direction of its topics, as long as it is drawn."""
    members: dict[str, set[str]] = {}
    for topic, listed in _lines("topics.txt"):
        for word in listed.split():
            members.setdefault(words.term(word, "en"), set()).add(topic)
    centres: dict[str, Vector] = {}
    for topic, listed in _lines("topics.txt"):
        centres[topic] = _unit(np.sum([_unit(spelled(word)) for word in listed.split()], axis=0))
    return {
        stem: _DRAWN * _unit(np.sum([centres[topic] for topic in sorted(topics)], axis=0))
        for stem, topics in members.items()
        if stem
    }


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
