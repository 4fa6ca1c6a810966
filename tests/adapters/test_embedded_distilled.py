"""What the vectors of English words are learnt from: the texts, the words that get one, and what is added up."""

import json
from collections import Counter
from itertools import product
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from persona_embedded.embed import StaticWords
from persona_embedded.vectors import english, lexicon

from benchmarks.distil_texts import Sense, definitions, everyday, senses, tagged
from benchmarks.distil_wordllama import WordLlama
from benchmarks.distil_words import bags, chosen, with_keys
from persona.values import words

WORDNET = {  # in the form of wndb(5WN): one sense for each gap of the everyday sentences
    "noun": """\
  1 This software and database is being provided to you, the LICENSEE
00000001 04 n 01 swimming 0 000 | moving through water
00000002 05 n 01 badger 0 000 | a burrowing animal
00000003 06 n 01 tram 0 000 | a vehicle that runs on rails
00000004 06 n 01 library 0 001 @ 00000003 n 0000 | a building where books are kept
00000005 06 n 01 handle 0 000 | the part that is held
00000006 08 n 01 elbow 0 000 | the hinge of the arm
00000007 09 n 01 botany 0 000 | the science of plants
00000008 11 n 01 storm 0 000 | a violent disturbance
00000009 12 n 01 envy 0 000 | wanting what another has
0000000a 13 n 02 apple_pie 0 Pie 1 000 | a dish of apples; "we ate apple pie"; "pie, please"
0000000b 14 n 01 choir 0 000 | a group that sings
0000000c 18 n 02 teacher 0 Plato 0 000 | somebody who teaches
0000000d 20 n 01 nettle 0 000 | a plant that stings
0000000e 26 n 01 measles 0 000 | a disease with a rash
0000000f 27 n 01 aspirin 0 000 | a drug against pain
00000010 15 n 01 Lyon 0 000 | a city in France
""",
    "verb": "00000011 29 v 01 knit 0 000 | to make with needles\n",
    "adj": "00000012 00 s 01 shiny 0 000 | that gleams\n",
    "adv": "00000013 02 r 01 slowly 0 000 | without haste\n",
}


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    for part, lines in WORDNET.items():
        (tmp_path / f"data.{part}").write_text(lines, encoding="utf-8")
    (tmp_path / "cntlist.rev").write_text("pie%1:13:00:: 1 20\npie%1:13:01:: 2 3\nknit%2:29:00:: 1 4\n")
    return tmp_path


def test_a_sense_has_its_words_what_it_says_and_how_it_is_used(wordnet: Path) -> None:
    every = senses(wordnet)
    assert every[9] == Sense("noun", 13, ("apple pie", "Pie"), "a dish of apples", ("we ate apple pie", "pie, please"))
    assert [one.part for one in every[-3:]] == ["verb", "adj", "adv"]
    assert tagged(wordnet) == {"pie": 23, "knit": 4}


def test_definitions_are_those_of_usual_words(wordnet: Path) -> None:
    assert list(definitions(senses(wordnet), {"pie", "badger"})) == [
        *("a burrowing animal", "badger: a burrowing animal"),
        *("a dish of apples", "Pie: a dish of apples"),
    ]


def test_every_gap_of_the_everyday_sentences_is_filled_and_always_in_the_same_way(wordnet: Path) -> None:
    every = senses(wordnet)
    usual = {lemma.lower() for one in every for lemma in one.lemmas}
    texts = list(everyday(every, usual, 400))  # each template twice
    assert not [text for text in texts if "{" in text or "}" in text]
    assert texts == list(everyday(every, usual, 400))
    assert "I live in lyon" in texts


def test_the_words_with_a_vector_are_the_frequent_ones_those_that_mean_something_and_those_of_the_lists() -> None:
    frequent = ["".join(letters) for letters in product("bcdfghjklm", repeat=4)][:6000]
    vocabulary = ["[PAD]", "é", "##ing", "7", *frequent, "kettle", "plato", "mmmmb"]
    every = [Sense("noun", 6, ("kettle",), "", ()), Sense("noun", 18, ("Plato", "teacher"), "", ())]
    counts = Counter({"smartphone": 10, "spatula": 9, "it's": 50, "teacher": 3})
    keys = chosen(vocabulary, every, counts)
    assert keys[: len(frequent) + 3] == ["##ing", "7", *frequent, "kettle"]
    lacked = keys[len(frequent) + 3 :]
    assert lacked == sorted(lacked)
    assert {"smartphone", "teacher", "accent"} <= set(lacked)  # the last one is of a list
    assert not {"spatula", "it's", "plato", "mmmmb"} & set(lacked)


@pytest.mark.parametrize(
    "text", ["The wizard was sneezing gravel, and the wizard was shiny.", "supercomputing's gravel"]
)
def test_what_is_fitted_is_what_the_embedder_adds_up(text: str) -> None:
    table = english()
    drawn = {word for word in words.tokens(text) if f"en ={words.term(word, 'en')}" in lexicon().rows}
    assert not drawn, "the pull of topics comes later"
    some = bags(["gravel", text], table.rows)
    mine = slice(some.starts[1], some.starts[2])
    rows = table.numbers[some.rows[mine]] * table.scales[some.rows[mine], None]
    total = some.weights[mine] @ rows
    np.testing.assert_allclose(total / np.linalg.norm(total), StaticWords().embed([text])[0], atol=1e-6)


def test_each_key_is_a_text_of_its_own_after_the_others() -> None:
    some = with_keys(bags(["gravel", ""], {"gravel": 1, "x": 0}), 2)
    assert [some.rows[one:other].tolist() for one, other in zip(some.starts, some.starts[1:], strict=False)] == [
        *([1], []),
        *([0], [1]),
    ]


def test_a_word_of_wordllama_is_the_sum_of_its_pieces_and_the_shorter_the_more_frequent(tmp_path: Path) -> None:
    pieces = ["\u2581", "s", "e", "a", "\u2581s", "ea", "\u2581sea"]
    numbers = np.zeros((len(pieces), 256), "<f2")
    numbers[6, 0], numbers[1, 1], numbers[5, 1] = 16, 1, 8
    head = json.dumps({"t": {"dtype": "F16", "shape": numbers.shape, "data_offsets": [0, numbers.nbytes]}}).encode()
    wheel = tmp_path / "wordllama.whl"
    with ZipFile(wheel, "w") as files:
        weights = len(head).to_bytes(8, "little") + head + numbers.tobytes()
        files.writestr("wordllama/weights/l2_supercat_256.safetensors", weights)
        known = {"model": {"vocab": {piece: at for at, piece in enumerate(pieces)}}}
        files.writestr("wordllama/tokenizers/l2_supercat_tokenizer_config.json", json.dumps(known))
    model = WordLlama(str(wheel))
    assert model.vector("sea")[:2].tolist() == [4, 0]
    assert model.vector("sea", begins=False)[:2].tolist() == [0, 3]  # "s" and "ea": the square root of 1 + 8


@pytest.mark.heavy
def test_vectors_are_moved_until_their_sums_point_where_they_are_wanted_to() -> None:
    pytest.importorskip("torch", reason="pip install 'pypersona[train]'")
    from benchmarks.distil_fit import closeness, learnt, principal
    from benchmarks.distil_words import Bags

    draw = np.random.default_rng(3)
    rows = draw.integers(0, 60, 4 * 4096)
    some = Bags(rows, np.ones(len(rows), np.float32), np.arange(0, len(rows) + 1, 4))
    true = 0.01 * draw.normal(size=(60, 8)).astype(np.float32)
    wanted = true[rows].reshape(-1, 4, 8).sum(axis=1)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    start = true + 0.01 * draw.normal(size=true.shape).astype(np.float32)
    every = np.arange(4096)
    before, after = (closeness(one, some, wanted, every) for one in (start, learnt(start, some, wanted)))
    assert before < 0.8 < 0.85 < after
    turned = np.linalg.qr(draw.normal(size=(8, 8)))[0].astype(np.float32)
    flat = np.hstack((true[:, :2], 0.01 * true[:, 2:])) @ turned
    assert np.linalg.norm(turned[:2] @ principal(flat, some, every, 2)) ** 2 > 1.99  # the two that matter
