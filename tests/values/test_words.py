import sys
import threading
import time
from collections.abc import Callable
from subprocess import run

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona.values.words import LONGEST_WORD, language, sentences, term, terms, tokens


@pytest.mark.parametrize(
    "text",
    [
        "La poste ouvre quand ?",
        "ou est la gare",
        "horaires poste",
        "L’ÉTÉ j’aime nager",
        "végétarien",
        "Bonjour",
        "merci",
        "aujourd'hui",
    ],
)
def test_french_is_told_from_a_few_words(text: str) -> None:
    assert language(text) == "fr"


@pytest.mark.parametrize(
    "text",
    ["When does the post office open?", "opening hours", "my cat", "I don't like it", "hello", "thank you"],
)
def test_english_is_told_from_a_few_words(text: str) -> None:
    assert language(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!!!",
        "Ada",
        "42",
        "¿Dónde está la oficina?",
        "Wo ist die Post?",
        "東京の天気",
        "Onde fica a estação?",
    ],
)
def test_other_languages_and_no_words_are_unknown(text: str) -> None:
    assert language(text) == ""


def test_forms_of_a_french_word_share_a_term() -> None:
    assert terms("il ouvre", "fr") == terms("pour ouvrir", "fr") == terms("Ouvrez !", "fr") == ["ouvr"]


def test_forms_of_an_english_word_share_a_term() -> None:
    assert terms("it opens", "en") == terms("opening", "en") == terms("OPEN", "en") == ["open"]


def test_accents_do_not_matter() -> None:
    assert terms("Où déjeuner près du marché ?", "fr") == terms("ou dejeuner pres du marche", "fr")


def test_composed_and_decomposed_letters_are_the_same_word() -> None:
    assert terms("été", "fr") == terms("e\u0301te\u0301", "fr")


def test_stop_words_are_left_out() -> None:
    assert terms("qu'est-ce que c'est que la ville ?") == ["vill"]
    assert terms("what is the town that you are in?") == ["town"]


def test_elided_articles_are_taken_off() -> None:
    assert terms("l'école d'Ada jusqu’à l’aube", "fr") == ["ecol", "ada", "aub"]


def test_a_word_with_an_inner_apostrophe_stays_whole() -> None:
    assert terms("aujourd'hui", "fr") == ["aujourdhui"]
    assert terms("O'Brien", "en") == ["obrien"]


def test_english_possessives_and_contractions_are_taken_off() -> None:
    assert terms("Ada's cat doesn't swim", "en") == ["ada", "cat", "swim"]


@pytest.mark.parametrize(
    "text", ["9h", "9 h", "9:00", "09:00", "9 heures", "9h00", "9 am", "9 a.m.", "09h", "9\u202fh"]
)
def test_an_hour_is_one_term_however_it_is_written(text: str) -> None:
    assert terms(text, "fr") == ["9h"]


def test_minutes_and_afternoons_are_kept() -> None:
    assert terms("9 h 30", "fr") == terms("9:30", "en") == ["9h", "9h30"]
    assert terms("5 pm", "en") == terms("17 h", "fr") == ["17h"]
    assert terms("12 am", "en") == ["0h"]


def test_numbers_are_kept() -> None:
    assert terms("1,39 € et 1.39 en 2026", "fr") == ["1.39", "1.39", "2026"]


def test_words_of_other_languages_are_only_folded() -> None:
    assert terms("Łódź Straße") == ["lodz", "strasse"]
    assert terms("नमस्ते दुनिया") == ["नमस्ते", "दुनिया"]


def test_unspaced_scripts_become_pairs() -> None:
    assert terms("東京の天気") == ["東京", "京の", "の天", "天気"]
    assert terms("東") == ["東"]
    assert terms("cafe東京") == ["cafe", "東京"]


def test_tokens_keep_stop_words_and_term_drops_them() -> None:
    assert tokens("La poste à 9 h") == ["la", "poste", "à", "9h"]
    assert [term(word, "fr") for word in tokens("La poste à 9 h")] == ["", "post", "", "9h"]


def test_a_monstrous_word_is_cut() -> None:
    assert terms("a" * 1000, "en") == ["a" * LONGEST_WORD]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "M. Dupont et Mme. Durand sont là. Ils partent.",
            ["M. Dupont et Mme. Durand sont là.", "Ils partent."],
        ),
        ("Ouvert dès 9 h. du matin", ["Ouvert dès 9 h. du matin"]),
        ("Il ouvre à 9 h. Elle ferme.", ["Il ouvre à 9 h.", "Elle ferme."]),
        ("A pet, e.g. a cat. And so on", ["A pet, e.g. a cat.", "And so on"]),
        ("Cela coûte 3.5 euros. Merci", ["Cela coûte 3.5 euros.", "Merci"]),
        ("See https://a.b/c.d?x=1. Then go", ["See https://a.b/c.d?x=1.", "Then go"]),
        ("Open till 5 p.m. today. Closed then.", ["Open till 5 p.m. today.", "Closed then."]),
        ("The U.S. Army came. J. Doe left.", ["The U.S. Army came.", "J. Doe left."]),
        ("I said no. Then I left", ["I said no.", "Then I left"]),
        ("Quand ? Demain ! Oui…", ["Quand ?", "Demain !", "Oui…"]),
        ("« Bonjour. » Il part.", ["« Bonjour. »", "Il part."]),
        ('He said "Go." Then left.', ['He said "Go."', "Then left."]),
        ("j'aime le café. je déteste le thé.", ["j'aime le café.", "je déteste le thé."]),
        ("- un\n- deux\n\n* trois\n# Titre", ["un", "deux", "trois", "Titre"]),
        ("1. Un\n2. Deux", ["1. Un", "2. Deux"]),
        ("今日は。明日も！", ["今日は。", "明日も！"]),
        ("p. 12 et art. 3. Fin", ["p. 12 et art. 3.", "Fin"]),
        ("...\n!?\n", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text())
def test_no_letter_is_lost_or_invented_by_the_sentences(text: str) -> None:
    kept = [sign for sentence in sentences(text) for sign in sentence if sign.isalnum()]
    assert kept == [sign for sign in text if sign.isalnum()]


@given(st.text(), st.sampled_from(["fr", "en", "", None]))
def test_any_text_has_terms_without_spaces(text: str, lang: str | None) -> None:
    assert all(found and not found.isspace() for found in terms(text, lang))


HUGE = [
    "a" * 10**6,
    "." * 10**6 + "x",
    "9:" * 500_000,
    "« " * 500_000,
    "a.b." * 250_000,
    "\n -" * 300_000,
    "' " * 500_000,
]


@pytest.mark.parametrize("analyse", [language, terms, sentences])
@pytest.mark.parametrize("text", HUGE, ids=lambda text: text[:4])
def test_a_million_characters_take_no_more_than_seconds(analyse: Callable[[str], object], text: str) -> None:
    started = time.process_time()
    analyse(text)
    assert time.process_time() - started < 5


def test_threads_do_not_mix_their_words() -> None:
    words = [
        f"{stem}{ending}" for stem in ("chant", "parl", "march", "dans") for ending in ("er", "ons", "ait", "erions")
    ]
    expected = {word: terms(f"nous {word}", "fr") for word in words}
    wrong: list[str] = []

    def analyse(salt: int) -> None:
        for at in range(300):
            letters = "abcdefghij"[at % 10] + "abcdefghij"[at // 10 % 10] + "abcdefghij"[salt]
            term(f"{letters}{words[at % len(words)]}", "fr")
        wrong.extend(word for word in words if terms(f"nous {word}", "fr") != expected[word])

    threads = [threading.Thread(target=analyse, args=(salt,)) for salt in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_importing_words_loads_no_stemmer() -> None:
    code = "import sys, persona.values.words; sys.exit('Stemmer' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
