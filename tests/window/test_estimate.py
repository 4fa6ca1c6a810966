"""The offline token estimator: additive at block boundaries, robust, and close to the exact counts."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from persona.window import estimate
from persona.window.estimate import estimate_tokens

SAMPLES = Path(__file__).parents[2] / "benchmarks" / "samples"
COUNTS: dict[str, int] = json.loads((SAMPLES / "counts.json").read_text(encoding="utf-8"))

any_text = st.text(st.characters(categories=None))  # lone surrogates too
pieces = st.sampled_from(["<a>", "</a>\n", ">\n", "<", "\n", " ", "word", "Größe", "слово", "漢字", "😂"])
blocks = st.lists(pieces | any_text).map("".join)


@given(blocks, blocks)
@example("", "")
@example("x>\n<", "y")
def test_blocks_add_up_exactly(first: str, second: str) -> None:
    first, second = first + ">\n", "<" + second
    assert estimate_tokens(first + second) == estimate_tokens(first) + estimate_tokens(second)


@given(any_text)
@example("\ud800")
@example("\0")
@example("<|endoftext|>")
@example("\u202eשלום\u202c")
@example("\U0010ffff\U000e0001")
def test_any_text_has_an_estimate(text: str) -> None:
    assert estimate_tokens(text) >= bool(text)


def test_nothing_is_no_tokens() -> None:
    assert estimate_tokens("") == 0


def test_every_code_point_has_an_estimate() -> None:
    for start in range(0, 0x110000, 0x40):
        assert estimate_tokens("".join(map(chr, range(start, start + 0x40)))) >= 1


@given(any_text)
def test_pieces_give_the_text_back(text: str) -> None:
    assert "".join(estimate.split_pieces(text)) == text


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit", ["a", "A", "aB", " ", "\n", " \n", "😂", "漢", "é", "=", "0", "'", "a ", ">\n<", "\u0301"]
)
def test_a_million_characters_take_linear_time(unit: str) -> None:
    """Quadratic work on a million characters would take hours, so the limit cannot be missed by chance."""
    assert estimate_tokens(unit * (1_000_000 // len(unit))) > 1000


def test_ten_megabytes_have_an_estimate() -> None:
    assert estimate_tokens("The quick brown fox. " * 500_000) == pytest.approx(2_500_000, rel=0.12)


@pytest.mark.parametrize("category", sorted(COUNTS))
def test_samples_stay_within_twelve_percent(category: str) -> None:
    text = (SAMPLES / f"{category}.txt").read_text(encoding="utf-8")
    assert estimate_tokens(text) == pytest.approx(COUNTS[category], rel=0.12)


def test_every_sample_has_an_exact_count() -> None:
    assert {path.stem for path in SAMPLES.glob("*.txt")} == set(COUNTS)


def test_every_class_of_pieces_has_a_default_cost() -> None:
    classes = {*estimate.SCRIPTS, *(f"glued {script}" for script in estimate.SPACED), "word", "glued", "caps"}
    assert classes | {"digit", "punctuation", "space"} <= {
        name for name, costs in estimate.COSTS.items() if "" in costs
    }
