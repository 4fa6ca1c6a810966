"""The bars of a profile: from when a fact began to hold until it ended."""

from persona.reports.timeline import picture, plain_picture
from persona.values.memory import Fact

DAY = 86_400_000_000
NOW = 1_760_000_000_000_000


def fact(text: str, since: int, until: int = 0) -> Fact:
    return Fact(f"fct_{text}", text, "fact", "app", NOW, NOW - since * DAY, NOW - until * DAY if until else 0)


def bars(*facts: Fact, width: int = 80) -> list[str]:
    return [line[32 + 1 :] for line in plain_picture(facts, NOW, width).splitlines()[1:]]


def test_a_bar_begins_and_ends_where_its_fact_does() -> None:
    whole, first, last = bars(fact("always", 100), fact("first half", 100, 50), fact("second half", 50))
    assert whole == "=" * 47
    assert first == "-" * 24
    assert last == " " * 23 + "=" * 24


def test_what_held_for_a_moment_is_still_seen() -> None:
    assert bars(fact("always", 1000), fact("today", 0))[1].strip() == "="
    assert bars(fact("once", 0, 0)) == ["="]


def test_the_scale_names_the_first_day() -> None:
    head = plain_picture([fact("always", 100)], NOW).splitlines()[0]
    assert head.split() == ["2025-07-01", "now"]


def test_every_line_fits_the_width_whatever_a_fact_says() -> None:
    said = [fact("long " * 40, 10), fact("日本語" * 30, 8), fact("two\nlines\x1b[31m", 5)]
    for width in (60, 80, 200):
        lines = plain_picture(said, NOW, width).splitlines()
        assert len(lines) == 4
        assert max(len(line) for line in lines) <= width
        assert "\x1b" not in "".join(lines)


def test_colours_say_the_same() -> None:
    said = [fact("always", 100), fact("first half", 100, 50)]
    coloured = picture(said, NOW, 80).plain.replace("━", "=").splitlines()
    assert [line.replace("-", "=") for line in plain_picture(said, NOW, 80).splitlines()[1:]] == [
        line.rstrip() for line in coloured[1:]
    ]


def test_of_nothing_there_is_no_picture() -> None:
    assert plain_picture([], NOW) == ""


def test_a_text_turns_nothing_round_that_stands_beside_it() -> None:
    shown = plain_picture([fact("\u202eecalp\u202c \u2067here\u2069", 1)], NOW)
    assert "ecalp here" in shown
