import re
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from persona.knowledge.blocks import Block, blocks
from persona.knowledge.chunks import LONGEST, Chunk, chunks
from persona.knowledge.documents import Document


def cut(text: str, path: str = "guide.md") -> tuple[Chunk, ...]:
    return chunks(Document(path, path, tuple(blocks(text, markdown=path.endswith(".md")))))


def shown(text: str, path: str = "guide.md") -> list[tuple[str, str]]:
    return [(chunk.heading, chunk.text) for chunk in cut(text, path)]


def test_a_chunk_knows_the_path_of_its_headings() -> None:
    text = "Bienvenue.\n\n# Horaires\n\nTous les jours.\n\n## Samedi\n9 h – 12 h\n\n# Contact\nUn mot."
    assert shown(text) == [
        ("", "Bienvenue."),
        ("Horaires", "Tous les jours."),
        ("Horaires > Samedi", "9 h – 12 h"),
        ("Contact", "Un mot."),
    ]


def test_underlined_and_closed_headings_are_headings() -> None:
    assert shown("Horaires\n========\n\nOui\n\nSamedi\n---\nNon\n\n### Soir ###\nPeut-être") == [
        ("Horaires", "Oui"),
        ("Horaires > Samedi", "Non"),
        ("Horaires > Samedi > Soir", "Peut-être"),
    ]


def test_a_heading_with_nothing_under_it_is_kept_as_a_text() -> None:
    assert shown("# Poste\n## Fermé le lundi\n## Mardi\nouvert\n# Fin") == [
        ("Poste", "Fermé le lundi"),
        ("Poste > Mardi", "ouvert"),
        ("", "Fin"),
    ]


def test_plain_text_has_no_headings() -> None:
    assert shown("# un\ndeux\n----\ntrois", "notes.txt") == [("", "# un\ndeux\n----\ntrois")]


def test_what_only_looks_like_a_heading_is_text() -> None:
    assert shown("#poste est un mot-dièse\n\n```sh\n# un commentaire\n```") == [
        ("", "#poste est un mot-dièse\n\n```sh\n# un commentaire\n```")
    ]
    assert shown("---\ntitle: Guide\n---\nDu texte") == [("", "---\ntitle: Guide\n---\n\nDu texte")]


def test_short_paragraphs_under_one_heading_share_a_chunk() -> None:
    assert shown("# A\n\nun\n\ndeux\n\n- x\n- y") == [("A", "un\n\ndeux\n\n- x\n- y")]


def test_a_list_stays_with_the_line_that_introduces_it() -> None:
    before = "Du texte. " * 50
    text = f"{before}\n\nÀ apporter :\n\n- un passeport\n- deux photos d'identité\n- {'un justificatif ' * 6}"
    first, second = cut(text)
    assert first.text == before.strip()
    assert second.text.startswith("À apporter :\n- un passeport\n- deux photos")


def test_the_later_pieces_of_a_long_list_name_what_introduces_it() -> None:
    text = "# Passeport\nPour une demande, apportez :\n" + "\n".join(f"- la pièce {at} {'x' * 80}" for at in range(20))
    first, *others = cut(text)
    assert first.heading == "Passeport"
    assert first.text.startswith("Pour une demande, apportez :\n- la pièce 0")
    assert {chunk.heading for chunk in others} == {"Passeport > Pour une demande, apportez"}
    assert all(chunk.text.startswith("- la pièce") for chunk in others)


def test_what_follows_a_long_list_is_not_under_its_intro() -> None:
    text = "Apportez :\n" + "\n".join(f"- {'x' * 90}" for _ in range(10)) + "\n\nMerci."
    assert shown(text)[-1] == ("", "Merci.")


def test_an_item_keeps_its_nested_items() -> None:
    nested = [f"- jour {at}\n  - matin {'x' * 100}\n  - soir" for at in range(12)]
    assert all(chunk.text.startswith("- jour") and chunk.text.endswith("soir") for chunk in cut("\n".join(nested)))


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    found = cut(" ".join(f"La phrase numéro {at} dit une chose." for at in range(60)))
    assert len(found) > 2
    assert all(chunk.text.startswith("La phrase") and chunk.text.endswith("chose.") for chunk in found)


def test_a_small_fence_is_not_cut_and_a_large_one_only_between_lines() -> None:
    small = "```python\n" + "\n".join(f"line_{at} = {at}" for at in range(30)) + "\n```"
    assert small in [chunk.text for chunk in cut("Du texte. " * 30 + "\n\n" + small)]
    large = "```\n" + "\n".join(f"line {at} of the code" for at in range(200)) + "\n```"
    lines = [line for chunk in cut(large) for line in chunk.text.split("\n")]
    assert lines == large.split("\n")


TABLE = "| Poids | Prix |\n|---|:-:|\n"


def test_a_table_is_cut_between_its_rows_and_its_later_pieces_name_the_columns() -> None:
    rows = [f"| {at} g | {'x' * 60} € |" for at in range(20)]
    first, *others = cut(f"# Tarifs\nVoici :\n\n{TABLE}" + "\n".join(rows) + "\n\nFin.")
    assert first.heading == "Tarifs"
    assert first.text.startswith(f"Voici :\n{TABLE}| 0 g |")
    assert {chunk.heading for chunk in others[:-1]} == {"Tarifs > Poids | Prix"}
    assert [line for chunk in (first, *others[:-1]) for line in chunk.text.split("\n") if " g |" in line] == rows
    assert (others[-1].heading, others[-1].text) == ("Tarifs", "Fin.")


def test_a_table_ends_where_its_rows_do() -> None:
    assert shown(f"Avant\n{TABLE}| 1 | 2 |\n# Suite\na | b\nc") == [
        ("", f"Avant\n\n{TABLE}| 1 | 2 |"),
        ("Suite", "a | b\nc"),
    ]


def test_no_chunk_spans_two_pages() -> None:
    found = [Block("heading", "A", 1, 1), *(Block("paragraph", text, page=page) for text, page in PAGES)]
    assert [(chunk.heading, chunk.text, chunk.page) for chunk in chunks(Document("a", "a", tuple(found)))] == [
        ("A", "un\n\ndeux", 2),
        ("A", "trois", 3),
    ]


PAGES = (("un", 2), ("deux", 2), ("trois", 3))


def test_headings_count_again_after_a_fence() -> None:
    assert shown("# A\n~~~~\n# code\n~~~\n~~~~\n# B\ntexte") == [("A", "~~~~\n# code\n~~~\n~~~~"), ("B", "texte")]


@pytest.mark.parametrize("text", ["", "\n\n \t\n", "#", "# \n\n## \n"])
def test_a_document_without_words_has_no_chunks(text: str) -> None:
    assert cut(text) == ()


words = st.text(st.sampled_from("abéÀß.:!?;-#*`1l 「字👍\u00a0\u2028"), min_size=1, max_size=60)
lines = st.one_of(
    words,
    words.map(lambda said: f"# {said}"),
    words.map(lambda said: f"- {said}"),
    words.map(lambda said: f"  1. {said}"),
    st.sampled_from(
        ["", "", "```", "~~~~", "---", "===", "Une liste :", "x" * 1500, "Une phrase. " * 80, "un mot " * 120]
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(lines, max_size=30), st.sampled_from(["guide.md", "notes.txt"]))
@example(["Une liste :", "", *["- " + "un mot " * 30] * 5, "", "fin"], "guide.md")
def test_no_chunk_is_empty_or_too_long(drawn: list[str], path: str) -> None:
    found = cut("\n".join(drawn), path)
    for chunk in found:
        assert chunk.text.strip()
        assert len(chunk.text) <= LONGEST


@settings(max_examples=300, deadline=None)
@given(st.lists(lines, max_size=30))
@example(["Une liste :", "", *["- " + "un mot " * 30] * 5, "", "fin"])
@example(["x" * 1500])
def test_no_character_of_a_plain_text_is_lost_or_moved(drawn: list[str]) -> None:
    text = "\n".join(drawn)
    found = cut(text, "notes.txt")
    assert "".join("".join(chunk.text.split()) for chunk in found) == "".join(text.split())


BLOCKS = {
    "paragraph": lambda words: " ".join(f"{word}." if at % 7 == 6 else word for at, word in enumerate(words)),
    "wrapped": lambda words: "\n".join(words),
    "intro": lambda words: f"{' '.join(words)} :",
    "list": lambda words: "\n".join(f"- {word} {'x' * (at % 5 * 40)}" for at, word in enumerate(words)),
    "numbered": lambda words: "\n".join(f"{at % 9}) {word}" for at, word in enumerate(words)),
    "fence": lambda words: "```\n" + "\n".join(words) + "\n```",
    "heading": lambda words: f"## {' '.join(words[:9])}",
    "title": lambda words: f"{' '.join(words[:9])}\n====",
    "deep": lambda words: f"#### {' '.join(words[:9])} ####",
}
marks = re.compile(r"w\d+")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(BLOCKS)), st.integers(1, 250)), max_size=12))
def test_no_word_of_a_markdown_text_is_lost_or_moved(drawn: list[tuple[str, int]]) -> None:
    fresh = (f"w{number}" for number in count())
    text = "\n\n".join(BLOCKS[kind]([next(fresh) for _ in range(size)]) for kind, size in drawn)
    said = [word for chunk in cut(text) for word in marks.findall(f"{chunk.heading} {chunk.text}")]
    assert list(dict.fromkeys(said)) == marks.findall(text)
