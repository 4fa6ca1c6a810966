"""The embedder of hashed n-grams."""

import sys
import time
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from persona_embedded import EMBEDDER, adapter
from persona_embedded.embed import HashedNgrams

from persona.adapter import Provider, is_local
from persona.errors import ModelNotFound

FACTS = {
    "Le bureau de poste ouvre à 9 h.": "À quelle heure ouvre la poste ?",
    "Je suis végétarien.": "Suis-je végétarienne ?",
    "Mon chat s'appelle Minou.": "Quel est le nom de mon chat ?",
    "J'habite à Lyon près de la Part-Dieu.": "Où est-ce que j'habite ?",
    "Je travaille comme infirmière de nuit.": "Quel est mon travail ?",
    "Je suis allergique aux arachides.": "Ai-je une allergie ?",
    "My favourite colour is blue.": "What is my favorite color?",
    "The pool is closed on Mondays.": "When does the pool close?",
}


def test_the_adapter_gives_a_local_embedder() -> None:
    assert adapter.embed is not None
    embedder = adapter.embed(Provider("embedded", "embedded"), EMBEDDER)
    assert is_local(embedder)
    assert (embedder.name, embedder.dimension, embedder.batch_size) == ("embedded:ngrams-1", 256, 256)


def test_another_embedder_is_not_found() -> None:
    assert adapter.embed is not None
    with pytest.raises(ModelNotFound, match="ngrams-1"):
        adapter.embed(Provider("embedded", "embedded"), "large")


def test_each_question_is_nearest_to_its_fact() -> None:
    embedder = HashedNgrams()
    scores = embedder.embed(list(FACTS.values())) @ embedder.embed(list(FACTS)).T
    assert scores.argmax(axis=1).tolist() == list(range(len(FACTS)))


def test_function_words_weigh_little() -> None:
    one, other, unrelated = HashedNgrams().embed(["la poste de la ville", "poste ville", "le chat de la voisine"])
    assert float(one @ other) > 0.85
    assert float(one @ unrelated) < 0.3


def test_vectors_are_the_same_on_every_machine() -> None:
    vector = HashedNgrams().embed(["Le bureau de poste ouvre à 9 h."])[0]
    strongest = np.argsort(-np.abs(vector), kind="stable")[:4]
    found = {int(at): round(float(vector[at]), 4) for at in strongest}
    assert found == {35: -0.304, 40: 0.304, 149: 0.4106, 216: 0.4106}


def test_a_text_without_words_is_zeros() -> None:
    vectors = HashedNgrams().embed(["", " !… ", "\x00"])
    assert vectors.shape == (3, 256)
    assert vectors.dtype == np.float32
    assert not vectors.any()
    assert HashedNgrams().embed([]).shape == (0, 256)


@given(st.lists(st.text(), max_size=5))
@settings(max_examples=100)
def test_every_text_is_a_unit_vector_or_zeros_whatever_comes_with_it(texts: list[str]) -> None:
    vectors = HashedNgrams().embed(texts)
    norms = np.linalg.norm(vectors, axis=1)
    assert np.all((norms == 0) | (np.abs(norms - 1) < 1e-5))
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(HashedNgrams().embed([text])[0], vector)


def test_a_million_characters_are_embedded_in_seconds() -> None:
    started = time.process_time()
    HashedNgrams().embed(["".join(f"mot{at} " for at in range(120_000)), "a" * 1_000_000, "\ud800" * 1_000_000])
    assert time.process_time() - started < 10


def test_importing_the_adapter_loads_no_numpy() -> None:
    code = "import sys; sys.path[:0] = ['adapters']; import persona_embedded; sys.exit('numpy' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
