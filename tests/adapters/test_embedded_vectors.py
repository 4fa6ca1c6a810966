"""The embedder of static word vectors."""

import sys
import time
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from persona_embedded import EMBEDDER, adapter
from persona_embedded.embed import StaticWords
from persona_embedded.lexicon import build, listed
from persona_embedded.vectors import english, lexicon, spelling

from persona.adapter import Provider, is_local
from persona.errors import ModelNotFound

FACTS = {
    "Le bureau de poste ouvre à 9 h.": "À quelle heure ouvre la poste ?",
    "Je suis végétarien.": "Suis-je végétarienne ?",
    "Mon chat s'appelle Minou.": "Quel est le nom de mon chat ?",
    "J'habite à Lyon près de la Part-Dieu.": "Où est-ce que j'habite ?",
    "Je travaille comme infirmière de nuit.": "Quel travail est-ce que je fais la nuit ?",
    "Je suis allergique aux arachides.": "Ai-je une allergie ?",
    "My favourite colour is blue.": "What is my favorite color?",
    "The pool is closed on Mondays.": "When does the pool close?",
}


def test_the_adapter_gives_a_local_embedder() -> None:
    assert adapter.embed is not None
    embedder = adapter.embed(Provider("embedded", "embedded"), EMBEDDER)
    assert is_local(embedder)
    assert (embedder.name, embedder.dimension, embedder.batch_size) == ("embedded:words-1", 128, 256)


def test_another_embedder_is_not_found() -> None:
    assert adapter.embed is not None
    with pytest.raises(ModelNotFound, match="words-1"):
        adapter.embed(Provider("embedded", "embedded"), "large")


def test_each_question_is_nearest_to_its_fact() -> None:
    embedder = StaticWords()
    scores = embedder.embed(list(FACTS.values())) @ embedder.embed(list(FACTS)).T
    assert scores.argmax(axis=1).tolist() == list(range(len(FACTS)))


def test_function_words_weigh_little() -> None:
    one, other, unrelated = StaticWords().embed(["la poste de la ville", "poste ville", "le chat de la voisine"])
    assert float(one @ other) > 0.85
    assert float(one @ unrelated) < 0.3


def test_a_word_that_no_topic_lists_is_drawn_to_the_topics_of_the_words_nearest_to_it() -> None:
    health, listed, unlisted = StaticWords().embed(["health", "ankle injury", "sprained"])
    assert float(health @ listed) > 0.4
    assert float(health @ unlisted) > 0.45


@pytest.mark.parametrize(("word", "near", "far"), [("wizard", "spell", "gravel"), ("sneezing", "coughing", "sculptor")])
def test_a_word_in_no_list_is_close_to_what_goes_with_it(word: str, near: str, far: str) -> None:
    assert not {word, near} & listed()
    one, other, unrelated = StaticWords().embed([word, near, far])
    assert float(one @ other) > 0.3
    assert float(one @ unrelated) < 0.1


def test_a_word_without_a_vector_of_its_own_is_the_sum_of_its_pieces() -> None:
    assert spelling("supercomputing's", english().rows) == ["super", "##com", "##put", "##ing"]
    one, other, unrelated = StaticWords().embed(["supercomputing", "computers", "pigeon"])
    assert float(one @ other) > 0.2 > float(one @ unrelated)


def test_words_in_other_letters_are_close_when_written_alike() -> None:
    one, other, unrelated = StaticWords().embed(["машина", "машину", "сестра"])
    assert float(one @ other) > 0.6
    assert float(one @ unrelated) < 0.5


def test_a_name_is_about_the_same_in_both_languages() -> None:
    french, topic = StaticWords().embed(["J'utilise Netflix", "cinéma"])
    assert float(french @ topic) > 0.5


def test_vectors_are_the_same_on_every_machine() -> None:
    vector = StaticWords().embed(["Le bureau de poste ouvre à 9 h."])[0]
    strongest = np.argsort(-np.abs(vector), kind="stable")[:4]
    found = {int(at): round(float(vector[at]), 4) for at in strongest}
    assert found == {7: -0.4626, 2: -0.3683, 0: -0.3683, 8: -0.2329}


def test_a_text_without_words_is_zeros() -> None:
    vectors = StaticWords().embed(["", " !… ", "\x00"])
    assert vectors.shape == (3, 128)
    assert vectors.dtype == np.float32
    assert not vectors.any()
    assert StaticWords().embed([]).shape == (0, 128)


@given(st.lists(st.text(), max_size=5))
@settings(max_examples=100)
def test_every_text_is_a_unit_vector_or_zeros_whatever_comes_with_it(texts: list[str]) -> None:
    vectors = StaticWords().embed(texts)
    norms = np.linalg.norm(vectors, axis=1)
    assert np.all((norms == 0) | (np.abs(norms - 1) < 1e-5))
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(StaticWords().embed([text])[0], vector)


def test_a_million_characters_are_embedded_in_seconds() -> None:
    started = time.process_time()
    StaticWords().embed(["".join(f"mot{at} " for at in range(120_000)), "a" * 1_000_000, "\ud800" * 1_000_000])
    assert time.process_time() - started < 10


def test_importing_the_adapter_loads_no_numpy() -> None:
    code = "import sys; sys.path[:0] = ['adapters']; import persona_embedded; sys.exit('numpy' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_french_question_is_close_to_an_english_text() -> None:
    question, answer, other = StaticWords().embed(
        ["Quel est le métier de ma sœur ?", "My sister works as a nurse.", "The museum opens at noon."]
    )
    assert float(question @ answer) > 0.3 > float(question @ other)


def test_words_of_one_topic_are_drawn_to_each_other() -> None:
    live, move, paint = StaticWords().embed(["live", "move", "paint"])
    assert float(live @ move) > float(live @ paint)


def test_the_lexicon_is_made_of_the_lists_beside_it() -> None:
    made, kept = build(), lexicon()
    assert list(made) == list(kept.rows)
    assert max(float(np.abs(vector - kept.get(key)).max()) for key, vector in made.items()) < 0.02
