"""Likenesses of texts against the programs that others use: sacrebleu 2.6.0 (CHRF) and rouge-score 0.1.2 (rougeL)."""

import pytest

from persona.evaluation.text import chrf, exact, fuzzy, rouge_l

REFERENCES = [
    ("The cat sat on the mat.", "The cat is on the mat.", 0.671727, 0.833333),
    ("At nine.", "We open at nine, every day but Sunday.", 0.107359, 0.4),
    ("nothing alike", "zzz", 0.0, 0.0),
    ("a", "a", 1.0, 1.0),
    ("ab", "abc", 0.636364, 0.0),
    ("", "x", 0.0, 0.0),
    ("the the the", "the cat the dog", 0.20192, 0.571429),
]


@pytest.mark.parametrize(("answer", "reference", "by_characters", "by_words"), REFERENCES)
def test_likenesses_are_those_of_the_usual_programs(
    answer: str, reference: str, by_characters: float, by_words: float
) -> None:
    assert chrf(answer, reference) == pytest.approx(by_characters, abs=1e-6)
    assert rouge_l(answer, reference) == pytest.approx(by_words, abs=1e-6)


def test_words_have_accents_and_any_script() -> None:
    assert chrf("À 9 h.", "La poste ouvre à 9 h.") == pytest.approx(0.116615, abs=1e-6)
    assert rouge_l("à 9 h", "À 9 H !") == 1.0
    assert rouge_l("привет мир", "Привет, мир") == 1.0


def test_white_space_and_composed_letters_make_no_difference_to_what_is_said() -> None:
    assert exact(" cafe\u0301\n noir ", "caf\u00e9 noir") == 1.0
    assert exact("Cafe noir", "cafe noir") == 0.0
    assert fuzzy("At nine.", "At nine!") == pytest.approx(1 - 2 / 16)
    assert fuzzy("", "") == 1.0
