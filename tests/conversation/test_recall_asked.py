"""What a question brings back of one user, asked outside of a turn, and why each came."""

import pytest
from talking import Desk

from persona import InvalidInput, User


@pytest.fixture
def ada(desk: Desk) -> User:
    assistant = desk.open()
    for name, said in (("ada", "Le chat s'appelle Minou."), ("bob", "Le chat s'appelle Félix.")):
        desk.model.then("noté")
        assistant.user(name).conversation().send(said)
    ada = assistant.user("ada")
    ada.remember("allergic to peanuts", kind="preference")
    assistant.drain()
    return ada


def test_each_memory_that_comes_back_says_from_where_of_when_and_why(ada: User) -> None:
    (cat, *_) = ada.recall("Comment s'appelle le chat ?")
    (peanuts, *_) = ada.recall("Is there something with peanuts?")
    assert (cat.text, cat.source.kind) == ("Le chat s'appelle Minou.", "turn")
    assert (peanuts.text, peanuts.source.kind, peanuts.fact_kind) == ("allergic to peanuts", "fact", "preference")
    for hit in (cat, peanuts):
        assert (hit.id, bool(hit.source.date)) == (hit.source.memory_id, True)
        parts = hit.dense + hit.coverage * hit.lexical + hit.standing + hit.dated + hit.newer
        assert hit.score == pytest.approx(parts)
    assert len(ada.recall("cat or peanuts", limit=1)) == 1


def test_what_was_erased_and_who_is_unknown_bring_nothing_back(desk: Desk, ada: User) -> None:
    ada.recall("chat")
    desk.open().user("ada").erase()  # as another process would
    assert ada.recall("chat") == ()
    assert desk.log.rows("SELECT name FROM persona_owners") == [{"name": "bob"}]


@pytest.mark.parametrize(("question", "limit"), [("", 5), (" ", 5), (None, 5), ("chat", 0)])
def test_a_search_needs_a_question_and_a_limit(ada: User, question: str, limit: int) -> None:
    with pytest.raises(InvalidInput, match="needs a question"):
        ada.recall(question, limit)
