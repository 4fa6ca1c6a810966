from hypothesis import given
from hypothesis import strategies as st

from persona.window.template import check, fill


def test_a_declared_variable_is_filled_in():
    assert fill("{{ company }} and {{company}}.", {"company": "Acme"}) == "Acme and Acme."


def test_what_a_variable_holds_is_not_expanded_again():
    assert fill("{{ a }}{{ b }}", {"a": "{{ b }}", "b": r"\1{{ a }}"}) == r"{{ b }}\1{{ a }}"


def test_pieces_of_two_variables_make_no_third():
    assert fill("{{{ a }} secret }}", {"a": "{", "secret": "x"}) == "{{ secret }}"


def test_undeclared_and_malformed_places_stay_as_they_are():
    text = "{{ gone }} { a } {{ a.b }} {{ }} {{ a | upper }} {{ a\n}} {{a"
    assert fill(text, {"a": "x"}) == text


def test_an_undeclared_variable_names_the_nearest_declared():
    assert check(["{{ compny }}"], {"company": "Acme"}) == ["undeclared variable 'compny'; did you mean 'company'?"]


def test_an_undeclared_variable_like_no_other_says_where_to_declare_it():
    assert check(["{{ société }}"], {}) == ["undeclared variable 'société'; declare it in the variables of the route"]


def test_each_undeclared_variable_is_named_once_over_all_texts():
    assert len(check(["{{ a }} {{ b }} {{ a }}", "{{ b }} {{ c }}"], {"c": ""})) == 2


def test_malformed_braces_are_no_problem():
    assert check(["{ a } {{ a.b }} {{ }} {{ 1a }} }}{{"], {}) == []


@given(st.text())
def test_a_text_without_variables_is_unchanged(text):
    assert fill(text, {}) == text
