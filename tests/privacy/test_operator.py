"""What an operator asks in Python: who there is, what looks wrong in a profile, and what was erased."""

from collections.abc import Callable

import pytest
from talking import Desk

from persona import Assistant, InvalidInput, NotFound


@pytest.fixture
def assistant(desk: Desk, url: str) -> Assistant:
    return desk.open(store={"url": url}, profile={"city": {"type": "text"}, "likes": {"type": "text", "many": True}})


def test_users_are_listed_by_tenant_and_page(assistant: Assistant) -> None:
    for name in ("zoe", "ada", "bob"):
        assistant.user(name, "acme").remember("is there")
    assistant.user("eve").remember("is elsewhere")
    assistant.user("ada", "acme").consent(training=True)
    found = assistant.users("acme", limit=2)
    assert [(one.name, one.tenant, one.consent) for one in found] == [("ada", "acme", True), ("bob", "acme", None)]
    assert [one.name for one in assistant.users("acme", after=found[-1].name)] == ["zoe"]
    assert [one.name for one in assistant.users()] == ["eve"]
    asked: tuple[Callable[[], object], ...] = (
        lambda: assistant.users(limit=0),
        lambda: assistant.users(limit=2**70),
        lambda: assistant.receipts(0),
        lambda: assistant.receipts(1.5),  # type: ignore[arg-type]
        lambda: assistant.users("a\nb"),
    )
    for wrong in asked:
        with pytest.raises(InvalidInput):
            wrong()


def test_an_audit_knows_the_slots_of_the_assistant(assistant: Assistant) -> None:
    ada = assistant.user("ada")
    with pytest.raises(NotFound):
        ada.audit()
    ada.set({"city": "Brest", "likes": ["tea", "rain"]})
    assert ada.audit() == ()
    tea, no_tea = ada.remember("drinks tea in the evening"), ada.remember("never drinks tea in the evening")
    (found,) = ada.audit()
    assert (found.kind, found.facts) == ("contradiction", (tea, no_tea))
    with pytest.raises(InvalidInput):
        ada.audit(days=0)


def test_receipts_are_listed_the_newest_first_and_name_nobody(assistant: Assistant) -> None:
    assistant.user("ada-81").remember("vegetarian")
    assistant.user("bob-82").remember("left-handed")
    erased = assistant.user("ada-81").erase()
    assistant.user("bob-82").merge_into("eve-83")
    newest, first = assistant.receipts()
    assert (newest.scope, first.scope, first.id, first.counts) == ("merge", "user", erased.id, erased.counts)
    assert assistant.receipts(1) == (newest,)
    assert not any(
        word in str(one.to_dict()) for one in (newest, first) for word in ("ada-81", "bob-82", "eve-83", "vegetarian")
    )
