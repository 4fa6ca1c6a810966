"""Promise 3: after `kill -9` at any instant every acknowledged message is there, no reply is half, no task is lost,
and no index disagrees with the store."""

import random
import time
from pathlib import Path

import pytest
from torture.amount import ALL, KILLS
from torture.child import Strand, Wish
from torture.parent import Child, Zygote
from torture.survivor import Survivor

_STRIDE = max(1, round(ALL / KILLS))
_STRANDS = {
    "a plain turn": [["send", "c-{n}", "hello {n}"]],
    "a turn with a tool": [["send", "c-{n}", "look {n}"]],
    "a fact": [["remember", "remember {n}"]],
    "a turn and its task": [["send", "c-{n}", "hello {n}"], ["drain"]],
    "a second turn": [["send", "c", "hello {n}"]],
}


def _strand(name: str, n: object) -> Strand:
    return [[word.format(n=n) for word in step] for step in _STRANDS[name]]


def _to_step(child: Child, k: int) -> None:
    """Lets the child make `k` steps, and leaves it before the next."""
    while (fact := child.hear()) is not None:
        if "step" in fact:
            if k == 0:
                return
            k -= 1
            child.go_on()
    raise AssertionError("the child ended before it was to be killed")


def _begun(strands: list[Strand]) -> list[tuple[str, str]]:
    return [(step[1], step[2]) for strand in strands for step in strand if step[0] == "send"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("style", ["tasks", "threads"])
@pytest.mark.parametrize("name", _STRANDS)
async def test_a_turn_killed_between_two_statements_loses_nothing(
    zygote: Zygote, survivor: Survivor, url: str, name: str, style: str
) -> None:
    await survivor.go_on([("c", "hello from the start")], [])
    dry = zygote.child(Wish(url, [_strand(name, "dry")], style=style, steps=True)).wait()
    steps = sum("step" in fact for fact in dry)
    assert steps > 5, "the child was hardly ever stopped"
    for k in range(_first(name, style, url, steps), steps, _STRIDE):
        strand = _strand(name, k)
        child = zygote.child(Wish(url, [strand], style=style, steps=True))
        _to_step(child, k)
        facts = child.kill()
        assert not await survivor.broken(facts), f"killed before {facts[-1]}"
        assert not await survivor.go_on(_begun([strand]), facts), f"killed before {facts[-1]}"


def _first(name: str, style: str, url: str, steps: int) -> int:
    """Where to begin when not every statement gets a kill: elsewhere in each test."""
    return sum(f"{name} {style} {url[:8]}".encode()) % min(_STRIDE, steps)


@pytest.mark.timeout(600)
async def test_a_kill_while_the_tables_are_made_leaves_a_database_that_opens(zygote: Zygote, tmp_path: Path) -> None:
    strand = _strand("a plain turn", 0)
    dry = zygote.child(Wish(f"sqlite:///{tmp_path / 'dry.db'}", [strand], steps=True, birth=True)).wait()
    opened = next(at for at, fact in enumerate(dry) if "opened" in fact)
    steps = sum("step" in fact for fact in dry[:opened])
    for k in range(3 % _STRIDE, steps, _STRIDE):
        url = f"sqlite:///{tmp_path / f'{k}.db'}"
        child = zygote.child(Wish(url, [strand], steps=True, birth=True))
        _to_step(child, k)
        facts = child.kill()
        survivor = Survivor(url)
        assert not await survivor.go_on(_begun([strand]), facts), f"killed before {facts[-1]}"
        await survivor.assistant.close()


def _load(process: str, n: int) -> list[Strand]:
    """Four conversations of one user side by side, with tools and facts among the turns."""

    def steps(c: int) -> Strand:
        return [
            ["remember", f"remember {n}-{process}-{c}-{t}"]
            if t % 5 == 4
            else ["send", f"c-{n}-{process}-{c}", f"{'look' if t % 3 == 0 else 'hello'} {n}-{process}-{c}-{t}"]
            for t in range(40)
        ]

    return [steps(c) for c in range(4)]


def _kill_at_random(child: Child, dice: random.Random) -> list[dict[str, object]]:
    for _ in range(dice.randrange(4, 120)):
        child.hear()
    end = time.monotonic() + dice.random() * 0.005
    while (left := end - time.monotonic()) > 0:
        child.hear(left)
    return child.kill()


def _in_flight(strands: list[Strand], facts: list[dict[str, object]]) -> list[tuple[str, str]]:
    """The next turn of each strand that was not acknowledged."""
    replied = {fact["replied"] for fact in facts if "replied" in fact}
    waiting = [[one for one in _begun([strand]) if one[1] not in replied] for strand in strands]
    return [strand[0] for strand in waiting if strand]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("style", ["tasks", "threads"])
@pytest.mark.parametrize("processes", [1, 2])
async def test_a_process_killed_at_a_random_instant_under_load_loses_nothing(
    zygote: Zygote, survivor: Survivor, url: str, style: str, processes: int
) -> None:
    dice = random.Random(f"{style} {processes}")
    for n in range(max(1, KILLS // 36)):
        loads = {name: _load(name, n) for name in "ab"[:processes]}
        children = [zygote.child(Wish(url, load, style=style, run_tasks=True)) for load in loads.values()]
        facts = [_kill_at_random(child, dice) for child in children]
        for told, load in zip(facts, loads.values(), strict=True):
            assert not await survivor.broken(told)
            assert not await survivor.go_on(_in_flight(load, told), told)


async def test_a_process_goes_on_while_another_is_killed_in_the_middle_of_a_transaction(
    zygote: Zygote, survivor: Survivor, url: str
) -> None:
    await survivor.say("c", "hello from the start")
    strand = _strand("a turn with a tool", 1)
    held = zygote.child(Wish(url, [strand], steps=True))
    while not (fact := held.hear() or {}).get("step", "").startswith("INSERT INTO persona_messages"):
        if "step" in fact:
            held.go_on()
    other = zygote.child(Wish(url, [_strand("a plain turn", 2)]))
    facts = held.kill()
    other.wait()
    assert not await survivor.broken(other.facts)
    assert not await survivor.go_on(_begun([strand]), facts)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # whose driver is broken for this
async def test_the_oracle_sees_a_message_that_is_committed_after_the_call(
    zygote: Zygote, survivor: Survivor, url: str
) -> None:
    await survivor.say("c", "hello from the start")
    child = zygote.child(Wish(url, [_strand("a plain turn", 1)], late=True))
    while "durable" not in (child.hear() or {}):
        pass
    facts = child.kill()
    assert await survivor.broken(facts) == ["'hello 1' was acknowledged and is there 0 times"]
