"""Many conversations from tasks, threads and two processes at once: nothing lost, nothing twice, order kept."""

import itertools

import pytest
from torture.child import Strand, Wish
from torture.oracle import Fact, Rows, read
from torture.parent import Zygote, wait_for_all
from torture.survivor import Survivor

_CONVERSATIONS, _TURNS = 50, 20


def _strands(process: str) -> list[Strand]:
    """Half of the turns of every conversation."""
    return [[["send", f"c-{c}", f"hello {process} {c} {t}"] for t in range(_TURNS // 2)] for c in range(_CONVERSATIONS)]


@pytest.mark.timeout(600)
async def test_two_processes_talk_in_fifty_conversations_at_once(zygote: Zygote, survivor: Survivor, url: str) -> None:
    children = [zygote.child(Wish(url, _strands(style), style=style, run_tasks=True)) for style in ("tasks", "threads")]
    told = wait_for_all(children)
    for facts in told:
        assert not await survivor.broken(facts)
    rows = read((await survivor.assistant.services()).database)
    for c in range(_CONVERSATIONS):
        path = rows.path(f"c-{c}")
        assert [one.role for one in path] == ["user", "assistant"] * _TURNS
    assert len(rows.messages) == 2 * _CONVERSATIONS * _TURNS
    assert not _swapped(rows, [fact for facts in told for fact in facts if "replied" in fact])
    assert not await survivor.go_on([("c-0", "hello to the end")], [])


def _swapped(rows: Rows, replies: list[Fact]) -> list[tuple[str, str]]:
    """The pairs of one conversation of which the first was answered before the second was sent, and comes later."""
    found = []
    for c in range(_CONVERSATIONS):
        place = {one.text: at for at, one in enumerate(rows.path(f"c-{c}")) if one.role == "user"}
        mine = [fact for fact in replies if fact["conversation"] == f"c-{c}"]
        for a, b in itertools.permutations(mine, 2):
            if a["ended"] < b["began"] and place[a["replied"]] > place[b["replied"]]:
                found.append((a["replied"], b["replied"]))
    return found
