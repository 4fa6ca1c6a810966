"""The shapes of words: whatever has the same one is cut in the same places, and costs the same."""

from hypothesis import example, given
from hypothesis import strategies as st

from persona.window.estimate import CODE_SIGNS, piece_class, split_pieces
from persona.window.shapes import ByShape, shapes_of, word_of

telling = st.text(st.sampled_from("aesrtvlmdxASRETVLMDX07''’éÉ-_./{}()\":=\n\t\xa0слов漢字ی😂\ud800"))
texts = telling | st.text(st.characters(categories=None))


def cut(text: str) -> list[tuple[int, str]]:
    return [(len(piece), piece_class(piece)) for piece in split_pieces(text)]


def signs(text: str) -> list[str]:
    return [one for one in text if not (one.isascii() and one.isalnum())]


@given(texts)
@example("it's l'eau we'Re 'vE x'LL DON'T rock'n'roll ''s")
@example('Mercer"/>\nBonjour user="Ada\'s 2026-11-22')
@example("")
def test_a_word_is_cut_as_another_one_of_its_shape(text: str) -> None:
    words = [word_of(shape) for shape in shapes_of(text)]
    for word, other in zip(text.split(" "), words, strict=True):
        assert cut(other) == cut(word)
        assert cut(f" {other}") == cut(f" {word}")
        assert signs(other) == signs(word)
        assert [other.count(sign) for sign in CODE_SIGNS] == [word.count(sign) for sign in CODE_SIGNS]


def test_a_shape_tells_no_letter_and_no_digit_of_ascii() -> None:
    assert shapes_of('user="Ada 2025-06-15 LB550684453FR') == shapes_of('name="Bob 1999-12-31 QX000000001ZZ')


def test_a_shape_is_asked_for_once_unless_it_is_long() -> None:
    asked: list[str] = []

    def length(word: str) -> int:
        asked.append(word)
        return len(word)

    known = ByShape(length)
    assert [known[shape] for shape in shapes_of("Ada, Bob, Mia! Eve,")] == [4, 4, 4, 4]
    assert asked == ["Aaa,", "Aaa!"]
    (long,) = shapes_of("x" * 41)
    assert [known[long], known[long]] == [41, 41]
    assert len(asked) == 4


def test_shapes_that_are_remembered_stay_within_bounds() -> None:
    known = ByShape(len)
    for code in range(0x4E00, 0x4E00 + 20_000):
        (shape,) = shapes_of(chr(code))
        assert known[shape] == 1
        assert len(known) <= 1 << 14
