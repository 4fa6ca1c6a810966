from persona.memory.recall import merge, query_of
from persona.values.memory import Recalled, Source
from persona.values.owner import Owner

ADA, GUIDE = Owner("acme", "ada"), Owner("acme", "guide", "knowledge")


def hit(name: str, text: str, score: float, *, message_id: str = "", date: str = "", heading: str = "") -> Recalled:
    return Recalled(name, text, Source("turn", name, "", heading, date), score, message_id=message_id)


def names(*hits: Recalled, question: str = "what now ?", limit: int = 10) -> list[str]:
    return [found.id for found in merge({ADA: hits}, limit, question)]


def test_a_query_holds_each_term_once() -> None:
    assert query_of("cats and cats").terms == ("cat",)
    assert query_of("cats").text == "cats"


def test_hits_of_a_user_and_of_knowledge_share_one_ranking() -> None:
    mine = (hit("a", "one", 3.0), hit("b", "two", 1.0))
    merged = merge({ADA: mine, GUIDE: (hit("k", "three", 2.0),)}, 2, "what")
    assert [found.id for found in merged] == ["a", "k"]


def test_the_same_question_asked_before_is_no_answer() -> None:
    before = hit("a", "When does the post office open?", 9.0)
    answer = hit("b", "The post office opens at nine.", 5.0)
    assert names(before, answer, question="when does the post office open") == ["b"]


def test_a_question_without_terms_drops_nothing() -> None:
    assert names(hit("a", "…", 1.0), question="?") == ["a"]


def test_the_best_of_equal_texts_stays_and_the_newer_where_scores_are_equal() -> None:
    assert names(hit("a", "one  two", 1.0), hit("b", "one two", 2.0)) == ["b"]
    assert names(hit("a", "one", 1.0, date="2026-01-01"), hit("b", "one", 1.0, date="2026-02-01")) == ["b"]


def test_equal_texts_under_different_headings_both_stay() -> None:
    saturday, sunday = (hit(day, "9 h – 12 h", 1.0, heading=day) for day in ("Samedi", "Dimanche"))
    assert names(saturday, sunday) == ["Samedi", "Dimanche"]


def test_a_limit_of_nothing_gives_nothing() -> None:
    assert names(hit("a", "one", 1.0), limit=0) == []
