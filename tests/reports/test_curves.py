"""Loss curves in the terminal and as a picture."""

from math import nan
from xml.etree import ElementTree

from persona.reports import curves
from persona.values.tuning import LossPoint

POINTS = [LossPoint(step, 3.0 - step / 10, 2.0 + (step - 10) ** 2 / 100) for step in range(0, 21, 2)]


def test_the_terminal_shows_both_curves_between_their_bounds_and_marks_the_best_step() -> None:
    lines = curves.plain_picture(POINTS, 60, marked=10).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[0].startswith("       3 t") or lines[0].startswith("       3 *")
    assert lines[-4].startswith("       1 ")
    assert "v" in "".join(lines[:12])
    assert lines[-3].index("^") == 9 + 10 * 50 // 20
    assert lines[-2].split() == ["step", "0", "20"]


def test_colours_are_drawn_in_braille() -> None:
    text = curves.picture(POINTS, 60).plain
    assert any(0x2800 < ord(letter) <= 0x28FF for letter in text)


def test_one_point_none_and_what_is_no_number_are_shown_too() -> None:
    assert "t" in curves.plain_picture([LossPoint(5, 1.0)], 60)
    assert curves.plain_picture([], 60) == "no loss was reported yet"
    assert curves.plain_picture([LossPoint(1, nan), LossPoint(2, float("inf"))]) == "no loss was reported yet"


def test_the_page_needs_nothing_else_and_shows_a_name_as_it_is() -> None:
    page = curves.page("Job <1>", POINTS, [("tuned model", "ft:<b>")], marked=10)
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "Job &lt;1&gt;" in page
    assert "ft:&lt;b&gt;" in page
    picture = ElementTree.fromstring(curves.svg(POINTS, 10))  # noqa: S314 - made here
    lines = [one for one in picture.iter() if one.tag.endswith("polyline")]
    assert [len(one.attrib["points"].split()) for one in lines] == [11, 11]
