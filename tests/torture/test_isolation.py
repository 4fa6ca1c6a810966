"""Promise 2: no text of one user ever reaches another user's window, under any interleaving."""

import pytest
from torture.amount import OPERATIONS
from torture.marks import Wish, mark_of
from torture.parent import Zygote, wait_for_all


@pytest.mark.timeout(900)
async def test_no_word_of_one_user_is_ever_shown_to_another(zygote: Zygote, url: str) -> None:
    share = OPERATIONS // 2 // 2  # two databases, two processes
    wishes = [Wish(url, seed, share, style) for seed, style in enumerate(("tasks", "threads"), start=1)]
    children = [zygote.child(wish, "marks") for wish in wishes]
    facts = [fact for told in wait_for_all(children) for fact in told]
    assert not [fact for fact in facts if "foreign" in fact]
    assert sum(fact.get("windows", 0) for fact in facts) > share / 2, "hardly anything was asked of the model"
    assert sum(fact.get("texts", 0) for fact in facts) > share


def test_owners_of_the_same_name_have_marks_of_their_own() -> None:
    assert len({mark_of(tenant, "ada") for tenant in ("", "acme", "globex")}) == 3
