"""The plan says exactly what went on the wire: its total, its prefix, its sections, turn after turn."""

from dataclasses import dataclass
from itertools import pairwise, takewhile
from random import Random

import pytest
from persona_openai.convert import from_wire, tools_from_wire
from talking import Desk, assert_no_orphans
from wire import Answer, WireServer

from persona import Plan
from persona.store.codec import decode_plan
from persona.values.message import Message
from persona.values.request import Request, Tool
from persona.window.counting import Counter, EstimatingTokenizer

COUNTER = Counter(EstimatingTokenizer())
TURNS = 60
WORDS = "parcel tea Brest Monday invoice blue opening hours where when café déjà été 42 ok".split()  # noqa: SIM905


@dataclass(frozen=True)
class Sent:
    """One request as it reached the server, and the plan that was logged for it."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    total: int
    plan: Plan


def look_up(word: str) -> str:
    """Looks a word up."""
    return f"{word}: " + "found on the shelf " * 6


def _answer(body: dict[str, object]) -> Answer:
    """Some words; sometimes a tool is asked for first."""
    messages = body["messages"]
    assert isinstance(messages, list)
    if messages[-1]["role"] == "user" and "look" in messages[-1]["content"].rpartition("/>\n")[2]:
        calls = (("call_1", "look_up", '{"word": "tea"}'), ("call_2", "look_up", '{"word": "parcel"}'))
        return Answer(("Let me see.",), calls=calls, finish="tool_calls", usage=None)
    return Answer(("You said something, and I say something back. " * (1 + len(messages) % 3),), usage=None)


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> list[Sent]:
    """A long conversation in a small window, with tools, facts that come and go, recall, and unanswered messages."""
    folder, dice = tmp_path_factory.mktemp("plan"), Random(7)
    desk = Desk(folder)
    with WireServer() as server, desk.stack:
        server.answer = _answer
        route = {
            "target": "wired:m",
            "instructions": ["Be brief.", "Be kind."],
            "window": {"budget": 1400, "reserve": 200},
            "shots": {"items": [{"user": "When do you open?", "assistant": "At nine."}]},
        }
        tables = {
            "providers": {"wired": {"kind": "openai", "base_url": server.url}},
            "routes": {"default": route},
            "turn": {"retries": 0},
        }
        assistant = desk.open(**tables)
        ada = assistant.user("ada")
        ada.address("Ada", locale="fr-FR", time_zone="Europe/Paris")
        chat = ada.conversation(id="c", create=True)
        for turn in range(TURNS):
            if turn % 7 == 3:
                ada.remember(f"fact number {turn}: likes {dice.choice(WORDS)}")
            if turn % 17 == 16:
                ada.forget(ada.facts()[0].id)
            if turn % 5 == 0:
                assistant.drain()
            text = ("look: " if turn % 6 == 5 else "") + " ".join(dice.choices(WORDS, k=dice.randint(3, 30)))
            if turn == 20:
                server.fail(400)
                with pytest.raises(Exception, match="wired:m"):
                    chat.send(text, tools=[look_up])
            else:
                chat.send(text, tools=[look_up])
        assistant.close()
        plans = _plans(desk, tables)
        bodies = server.bodies
    assert len(plans) == len(bodies) > TURNS
    return [_sent(body, plan) for body, plan in zip(bodies, plans, strict=True)]


def _sent(body: dict[str, object], plan: Plan) -> Sent:
    messages, tools = from_wire(body), tools_from_wire(body)
    return Sent(messages, tools, COUNTER.request(messages, tools), plan)


def _plans(desk: Desk, tables: dict[str, object]) -> list[Plan]:
    """Every plan, in the order of the calls, read back by an assistant that was opened anew."""
    chat = desk.open(**tables).user("ada").conversation(id="c")
    for row in desk.log.exchanges:
        if row["outcome"] == "answered" and row["stop"] == "end":
            assert chat.why(row["reply_id"]) == decode_plan(row["plan"])
    return [decode_plan(row["plan"]) for row in desk.log.exchanges]


def test_the_total_is_what_the_counter_says_of_the_bytes_that_arrived(talk: list[Sent]) -> None:
    assert [sent.plan.total for sent in talk] == [sent.total for sent in talk]


def test_the_total_is_the_sum_of_its_parts_and_within_the_limit(talk: list[Sent]) -> None:
    for sent in talk:
        plan = sent.plan
        assert plan.total == sum(section.tokens for section in plan.sections) + plan.tools + plan.framing
        assert plan.total <= plan.limit
        assert plan.history.tokens == plan.section("history").tokens


def test_the_conversation_jumps_now_and_then_and_says_so(talk: list[Sent]) -> None:
    jumps = [sent for sent in talk if sent.plan.jumped]
    assert 3 <= len(jumps) <= TURNS // 5
    for sent in jumps:
        assert sent.plan.notes[0] == f"history overflowed: it now starts at message {sent.plan.history.first_depth}"


def _actual(before: Sent, now: Sent) -> int:
    """How many tokens of this request are the beginning of the last one, message by message."""
    if before.tools != now.tools:
        return 0
    same = takewhile(lambda pair: pair[0] == pair[1], zip(before.messages, now.messages, strict=False))
    return COUNTER.tools(now.tools) + COUNTER.messages([message for message, _ in same])


def test_the_prefix_is_never_claimed_longer_than_it_is(talk: list[Sent]) -> None:
    for before, now in pairwise(talk):
        assert now.plan.prefix_tokens <= _actual(before, now)


def test_between_jumps_the_prefix_is_exactly_what_stayed(talk: list[Sent]) -> None:
    steady = [
        (before, now)
        for before, now in pairwise(talk)
        if not now.plan.jumped and now.plan.section("profile").digest == before.plan.section("profile").digest
    ]
    assert len(steady) > TURNS * 0.7
    for before, now in steady:
        assert now.plan.prefix_tokens == _actual(before, now)
    assert sum(now.plan.prefix_tokens for _, now in steady) > 0.5 * sum(now.plan.total for _, now in steady)


def test_pinned_things_the_order_and_tool_groups_hold_in_every_request(talk: list[Sent]) -> None:
    for sent in talk:
        assert [message.text for message in sent.messages[:2]] == ["Be brief.", "Be kind."]
        assert_no_orphans(Request("m", sent.messages))
        asked = [message.text for message in sent.messages if message.role == "user"][-1]
        assert 'locale="fr-FR" user="Ada"/>\n' in asked


def test_every_candidate_has_a_rule_and_its_tokens(talk: list[Sent]) -> None:
    for sent in talk:
        for section in sent.plan.sections:
            assert all(one.rule and one.tokens >= 0 for one in section.candidates)
            assert section.tokens <= section.grant


def test_plans_survive_as_json_and_print_for_people(talk: list[Sent]) -> None:
    import json

    for sent in talk:
        assert Plan.from_dict(json.loads(json.dumps(sent.plan.to_dict()))) == sent.plan
    text = str(talk[-1].plan)
    assert text.startswith(f"wired:m: {talk[-1].plan.total} of {talk[-1].plan.limit} tokens")
