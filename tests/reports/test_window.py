"""The picture of a plan: true to its numbers, and readable with and without colours."""

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import plan
from rich.console import Console
from terminal import environment

from persona.reports.bar import bar, prefix_cells, segments, shares
from persona.reports.spans import plain, shortened
from persona.reports.window import picture, plain_picture


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=11), st.integers(11, 300))
def test_a_bar_is_full_and_shows_whatever_is_there(sizes: list[int], cells: int) -> None:
    given_out = shares(sizes, cells)
    assert sum(given_out) == (cells if any(sizes) else 0)
    assert all((cell > 0) == (size > 0) for cell, size in zip(given_out, sizes, strict=True))


@given(st.integers(0, 4794), st.integers(60, 200))
def test_the_mark_of_the_prefix_never_reaches_what_is_free(prefix: int, width: int) -> None:
    parts = shares([part.tokens for part in segments(plan())], width)
    assert 0 <= prefix_cells(plan(prefix_tokens=prefix), width) <= sum(parts[:-2])


def test_the_parts_of_a_bar_add_up_to_the_budget() -> None:
    assert sum(part.tokens for part in segments(plan())) == 6826 + 1024


@pytest.mark.parametrize("colour", [True, False])
def test_a_bar_is_as_wide_as_asked(colour: bool) -> None:
    assert len(plain([bar(plan(), 100, colour=colour)]).rstrip("\n")) <= 100
    assert sum(len(span.text) for span in bar(plan(), 100, colour=colour)) == 100


def test_a_bar_without_colours_tells_its_parts_by_letters() -> None:
    (line,) = (span.text for span in bar(plan(), 60, colour=False))
    assert "".join(dict.fromkeys(line)) == "[tisphruf.=]"


def test_every_candidate_is_there_with_its_fate_tokens_score_and_rule() -> None:
    shown = plain_picture(plan())
    for words in (
        "in  recall          140   2.31  fits",
        "out recall          900   0.80  over the section's 682 tokens",
    ):
        assert words in shown


def test_the_history_is_shown_as_a_range() -> None:
    assert "14 turns, messages 12 to 40, 12 older left out" in plain_picture(plan())


def test_what_is_unchanged_is_marked_and_said() -> None:
    assert "4,000 tokens unchanged since the last request" in plain_picture(plan())
    assert "nothing unchanged" in plain_picture(plan(prefix_tokens=0))


def test_notes_come_last() -> None:
    assert plain_picture(plan()).splitlines()[-1] == "note  history overflowed: it now starts at message 12"


def test_empty_sections_are_named_once() -> None:
    assert "empty: summary" in plain_picture(plan())


def test_a_title_cannot_steer_the_terminal() -> None:
    for shown in (plain_picture(plan()), picture(plan(), 80).plain):
        assert "\x1b" not in shown
        assert "of today.md mem_3" in shown or ".." in shown


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    screen = io.StringIO()
    Console(file=screen, width=width, force_terminal=True, color_system=None).print(picture(plan(), width))
    assert max(map(len, screen.getvalue().splitlines())) <= max(width, 80)
    assert max(map(len, plain_picture(plan(), width, cut=True).splitlines())) <= max(width, 80)


def test_nothing_is_cut_for_a_file() -> None:
    assert "a title that goes on and on and on until nobody reads it.md mem_2" in plain_picture(plan(), 80)


def test_wide_characters_take_two_cells() -> None:
    assert shortened("日本語のタイトル", 9) == "日本語.."


def test_a_plan_with_nothing_in_it_has_a_picture() -> None:
    nothing = plan(total=0, limit=0, reserve=0, framing=0, tools=0, sections=(), notes=(), prefix_tokens=0)
    assert "acme:large" in plain_picture(nothing)


def test_a_picture_without_colours_needs_no_rich() -> None:
    code = "import sys, persona.reports.window; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=environment(), check=False).returncode == 0
