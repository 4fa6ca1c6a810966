"""An assistant that was opened before a fork stays with the parent, and harms nobody."""

import pytest
from torture.forked import Wish
from torture.parent import Zygote
from torture.survivor import Survivor


@pytest.mark.parametrize("style", ["threads", "tasks"])
async def test_an_assistant_opened_before_a_fork_says_so_and_both_processes_lose_nothing(
    zygote: Zygote, survivor: Survivor, url: str, style: str
) -> None:
    facts = zygote.child(Wish(url, style), "forked").wait()
    (refusal,) = [fact["refused"] for fact in facts if "refused" in fact]
    assert refusal == (
        "the assistant was opened before this process was forked, and belongs to its parent; "
        "open one in each worker, after the fork"
    )
    said = [fact["replied"] for fact in facts if "replied" in fact]
    assert sorted(said) == ["hello alone", "hello before", "hello master", "hello worker"]
    assert not await survivor.broken(facts)
    assert not await survivor.go_on([("c", "hello again")], facts)
