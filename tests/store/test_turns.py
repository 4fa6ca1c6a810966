"""A turn in the store: opened, leased, closed, repeated, taken over."""

from dataclasses import replace
from decimal import Decimal

import pytest
from stored import ADA, BOB, LEASE, NOW, PLAN, TARGET, advance, after, answer, attempt, exchange, opening, say, start

from persona.errors import ConversationBusy, IdempotencyMismatch, NotFound, RateLimited
from persona.store import conversations, exchanges, turns
from persona.store.conversations import ConversationState
from persona.store.engine import Database
from persona.store.opening import Answered, Held, Opened, _begin, fail_turn
from persona.store.transaction import Transaction
from persona.values.message import Message, Text, ToolCall
from persona.values.owner import Owner
from persona.values.request import Usage

LATER = NOW + LEASE + 1


def state(database: Database, owner: Owner = ADA) -> ConversationState:
    found = database.run_now(lambda tx: conversations.find(tx, owner, "c-1"), write=False)[1]
    assert found
    return found


def rows(database: Database, columns: str, table: str) -> list[tuple[object, ...]]:
    with database.connection(write=False) as connection:
        return sorted(tuple(row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM {table}"))


def size(database: Database) -> list[int]:
    return [len(rows(database, "1", f"persona_{name}")) for name in ("owners", "conversations", "turns", "messages")]


# open


def test_open_makes_the_message_durable_and_claims_the_conversation(database: Database) -> None:
    opened = start(database, opening("bonjour"))
    assert rows(database, "role, parts, tokens", "persona_messages") == [
        ("user", '[{"text":"bonjour"}]', '{"estimate":7}')
    ]
    now = state(database)
    assert (now.head_id, now.depth, now.messages) == (opened.message.id, 1, 1)
    assert (now.lease_turn_id, now.lease_until_us) == (opened.turn_id, NOW + LEASE)
    assert opened.before.head_id == ""
    assert opened.revision == now.revision


def test_message_is_counted_for_the_arm_that_the_conversation_is_on(database: Database) -> None:
    say(database)
    seen = []
    asked = opening(now=NOW + 1, route="another")
    object.__setattr__(
        asked, "tokens", lambda conversation, message: seen.append((conversation.route, conversation.arm)) or {}
    )
    start(database, asked)
    assert seen == [("support", "base")]


def test_held_conversation_stores_nothing_more(database: Database) -> None:
    start(database, opening())
    before = size(database)
    assert attempt(database, opening("encore", now=NOW + LEASE - 1)) == Held(NOW + LEASE)
    assert size(database) == before


def test_expired_lease_closes_its_turn_as_abandoned(database: Database) -> None:
    gone = start(database, opening())
    opened = start(database, opening("encore", now=LATER))
    assert rows(database, "state, id, ended_us", "persona_turns") == [
        ("abandoned", gone.turn_id, LATER),
        ("running", opened.turn_id, 0),
    ]
    assert opened.message.parent_id == gone.message.id


def test_conversation_that_was_claimed_since_it_was_read_is_not_claimed_again(database: Database) -> None:
    say(database)

    def slow(tx: Transaction) -> Opened | None:
        owner, seen = conversations.find(tx, ADA, "c-1")
        assert owner
        assert seen
        assert _begin(tx, opening("rapide", now=NOW + 1), owner, seen)
        return _begin(tx, opening("lent", now=NOW + 1), owner, seen)

    assert database.run_now(slow) is None
    assert len(rows(database, "id", "persona_messages")) == 3
    assert len(rows(database, "id", "persona_turns")) == 2


def test_conversation_is_not_made_unless_a_route_is_named(database: Database) -> None:
    with pytest.raises(NotFound):
        attempt(database, opening(route=""))
    assert size(database) == [0, 0, 0, 0]


@pytest.mark.parametrize("wanted", ["", "replaces", "again"])
def test_somebody_elses_conversation_looks_like_none(database: Database, wanted: str) -> None:
    asked, _ = say(database)
    before = size(database)

    def told(id: str, owner: Owner) -> str:
        named = {wanted: asked.id} if wanted else {}
        with pytest.raises(NotFound) as raised:
            attempt(database, opening(id=id, owner=owner, route="", **named))
        return str(raised.value).replace(id, "…")

    assert told("c-1", BOB) == told("c-none", BOB) == told("c-1", Owner("other", "ada")) == told("c-none", ADA)
    assert size(database) == before


@pytest.mark.parametrize("how", ["replaces", "again"])
def test_message_of_somebody_else_or_of_another_conversation_looks_like_none(database: Database, how: str) -> None:
    asked, replied = say(database)
    say(database, id="c-2")
    theirs = start(database, opening(owner=BOB)).message
    elsewhere = say(database, id="c-3")[0]
    told = set()
    for id in (theirs.id, elsewhere.id, replied.id, "msg_none"):
        with pytest.raises(NotFound) as raised:
            attempt(database, opening(id="c-2", now=NOW + 1, **{how: id}))
        told.add(str(raised.value).replace(id, "…"))
    assert len(told) == 1
    assert asked.id not in told


# close


def test_close_stores_the_reply_its_exchange_and_the_new_head(database: Database) -> None:
    opened = start(database, opening())
    reply = answer(database, opened)
    now = state(database)
    assert (now.head_id, now.depth, now.messages) == (reply.id, 2, 2)
    assert (now.lease_turn_id, now.lease_until_us, now.anchor) == ("", 0, "[0]")
    assert rows(database, "state, reply_id", "persona_turns") == [("answered", reply.id)]
    assert now.revision == opened.revision + 1


def test_exchange_is_read_back_as_it_was_logged(database: Database) -> None:
    reply = answer(database, start(database, opening()))
    (call,) = database.run_now(lambda tx: exchanges.calls_of_reply(tx, reply.id), write=False)
    assert (call.target, call.usage, call.plan) == (TARGET, Usage(700, 60, None), PLAN)
    assert (call.cost.amount, call.stop, call.outcome) == (Decimal("0.0003"), "end", "answered")
    assert rows(database, "number, outcome, status", "persona_attempts") == [
        (0, "Overloaded", 529),
        (1, "answered", 200),
    ]
    assert database.run_now(lambda tx: exchanges.plans_of_reply(tx, ADA, reply.id)) == [PLAN]
    assert database.run_now(lambda tx: exchanges.plans_of_reply(tx, BOB, reply.id)) == []


def test_exchange_that_is_logged_again_is_there_once(database: Database) -> None:
    opened = start(database, opening())
    logged = exchange(opened, "msg_1")
    for _ in range(2):
        database.run_now(lambda tx: exchanges.log(tx, logged))
    assert rows(database, "id", "persona_exchanges") == [(logged.id,)]
    assert len(rows(database, "number", "persona_attempts")) == 2


def test_prompt_is_kept_once(database: Database) -> None:
    for _ in range(2):
        database.run_now(lambda tx: exchanges.keep_prompt(tx, "d1", "Tu aides."))
    assert rows(database, "digest, text", "persona_prompts") == [("d1", "Tu aides.")]


def test_turn_that_lost_its_lease_writes_nothing(database: Database) -> None:
    slow = start(database, opening())
    quick = start(database, opening("encore", now=LATER))
    before = size(database), state(database)
    with pytest.raises(ConversationBusy):
        answer(database, slow, "trop tard", LATER)
    with pytest.raises(ConversationBusy):
        database.run_now(lambda tx: turns.lease(tx, advance(slow, after(slow.message)), LATER + LEASE))
    assert (size(database), state(database)) == before
    answer(database, quick, now=LATER)


def test_turn_cannot_be_closed_twice(database: Database) -> None:
    opened = start(database, opening())
    reply = answer(database, opened)
    with pytest.raises(ConversationBusy):
        answer(database, opened)
    assert state(database).head_id == reply.id


def test_close_that_is_repeated_with_its_reply_does_nothing_more(database: Database) -> None:
    opened = start(database, opening())
    reply = after(opened.message)
    ended = [
        database.run_now(lambda tx: turns.close_turn(tx, advance(opened, reply), "answered", reply.id)) for _ in "ab"
    ]
    assert ended == [True, False]
    assert state(database).messages == 2
    start(database, opening("encore", now=NOW + 1))
    assert not database.run_now(lambda tx: turns.close_turn(tx, advance(opened, reply), "answered", reply.id))


def test_round_that_is_repeated_does_nothing_more(database: Database) -> None:
    opened = start(database, opening())
    moved = advance(opened, after(opened.message))
    done = [database.run_now(lambda tx: turns.lease(tx, moved, NOW + 2 * LEASE)) for _ in "ab"]
    assert done == [True, False]
    assert state(database).messages == 2


def test_failed_turn_leaves_its_message_unanswered_and_the_conversation_free(database: Database) -> None:
    opened = start(database, opening())
    database.run_now(lambda tx: fail_turn(tx, opened, NOW + 1, RateLimited("busy")))
    assert rows(database, "state, error", "persona_turns") == [("failed", "RateLimited")]
    following = start(database, opening("toujours là ?", now=NOW + 2))
    assert following.message.parent_id == opened.message.id


def test_tool_round_is_durable_and_keeps_the_lease(database: Database) -> None:
    opened = start(database, opening())
    call = Message("assistant", (ToolCall("t1", "hours", "{}"),), "msg_call", opened.message.id, opened.turn_id, 1, NOW)
    database.run_now(lambda tx: turns.lease(tx, advance(opened, call), NOW + 2 * LEASE))
    now = state(database)
    assert (now.head_id, now.depth, now.messages, now.lease_until_us) == (call.id, 2, 2, NOW + 2 * LEASE)
    assert isinstance(attempt(database, opening("encore", now=LATER)), Held)
    reply = after(call)
    closing = replace(advance(opened, reply, head=call), held_until_us=NOW + 2 * LEASE)
    database.run_now(lambda tx: turns.close_turn(tx, closing, "answered", reply.id))
    assert state(database).head_id == reply.id


def test_holder_whose_turn_was_taken_up_again_cannot_end_it(database: Database) -> None:
    dead = start(database, opening(key="k"))
    alive = start(database, opening(key="k", now=NOW + LEASE + 1))
    assert alive.turn_id == dead.turn_id
    late, reply = after(dead.message), after(alive.message)
    with pytest.raises(ConversationBusy):
        database.run_now(lambda tx: turns.close_turn(tx, advance(dead, late), "answered", late.id))
    database.run_now(lambda tx: turns.close_turn(tx, advance(alive, reply), "answered", reply.id))
    assert state(database).head_id == reply.id


# the same again


def test_answered_key_gives_the_reply_and_stores_nothing(database: Database) -> None:
    reply = answer(database, start(database, opening(key="k")))
    before = size(database)
    assert attempt(database, opening(key="k", now=NOW + 1)) == Answered(reply.id)
    assert size(database) == before


def test_running_key_is_held_by_itself(database: Database) -> None:
    start(database, opening(key="k"))
    assert attempt(database, opening(key="k", now=NOW + 1)) == Held(NOW + LEASE, same_key=True)
    assert attempt(database, opening("encore", key="other", now=NOW + 1)) == Held(NOW + LEASE)


@pytest.mark.parametrize("ended", ["failed", "cut", "cancelled", ""])
def test_key_of_a_turn_without_a_reply_is_tried_again_on_the_same_message(database: Database, ended: str) -> None:
    first = start(database, opening(key="k"))
    if ended:
        database.run_now(lambda tx: turns.close_turn(tx, advance(first), ended))
    again = start(database, opening(key="k", now=LATER))
    assert (again.turn_id, again.message) == (first.turn_id, first.message)
    assert size(database) == [1, 1, 1, 1]
    reply = answer(database, again, now=LATER)
    assert rows(database, "state, reply_id", "persona_turns") == [("answered", reply.id)]
    assert attempt(database, opening(key="k", now=LATER + 1)) == Answered(reply.id)


def test_key_tried_again_abandons_the_turn_that_held_the_conversation(database: Database) -> None:
    first = start(database, opening(key="k"))
    database.run_now(lambda tx: fail_turn(tx, first, NOW + 1, "Overloaded"))
    gone = start(database, opening("encore", now=NOW + 2))
    start(database, opening(key="k", now=LATER + 2))
    assert rows(database, "state, id", "persona_turns") == [("abandoned", gone.turn_id), ("running", first.turn_id)]


def test_key_tried_again_after_the_conversation_went_on_leaves_the_head_where_it_is(database: Database) -> None:
    first = start(database, opening(key="k"))
    database.run_now(lambda tx: fail_turn(tx, first, NOW + 1, "Overloaded"))
    _, newest = say(database, "encore", now=NOW + 2)
    again = start(database, opening(key="k", now=NOW + 3))
    assert again.keeps_head
    answer(database, again, now=NOW + 4)
    now = state(database)
    assert (now.head_id, now.depth, now.lease_turn_id) == (newest.id, newest.depth + 1, "")


def test_key_tried_again_in_the_middle_of_a_tool_round_starts_at_the_message(database: Database) -> None:
    first = start(database, opening(key="k"))
    call = Message("assistant", (ToolCall("t1", "hours", "{}"),), "msg_call", first.message.id, first.turn_id, 1, NOW)
    database.run_now(lambda tx: turns.lease(tx, advance(first, call), NOW + LEASE))
    again = start(database, opening(key="k", now=LATER))
    assert not again.keeps_head
    assert state(database).head_id == first.message.id


@pytest.mark.parametrize("changed", [{"said": "autre"}, {"id": "c-2"}, {"id": "c-none"}, {"again": True}])
def test_key_for_something_else_is_a_mismatch(database: Database, changed: dict[str, object]) -> None:
    asked = start(database, opening(key="k"))
    answer(database, asked)
    say(database, id="c-2", now=NOW + 1)
    if changed.pop("again", False):
        changed["again"] = asked.message.id
    before = size(database)
    with pytest.raises(IdempotencyMismatch):
        attempt(database, opening(key="k", now=NOW + 2, **changed))
    assert size(database) == before


def test_key_of_one_user_means_nothing_to_another(database: Database) -> None:
    answer(database, start(database, opening(key="k")))
    assert isinstance(attempt(database, opening("autre", owner=BOB, key="k")), Opened)


def test_key_of_a_regeneration_gives_its_own_reply(database: Database) -> None:
    asked, _ = say(database)
    wanted = opening("peu importe", again=asked.id, key="k", now=NOW + 1)
    other = answer(database, start(database, wanted), "autrement")
    assert attempt(database, wanted) == Answered(other.id)
    with pytest.raises(IdempotencyMismatch):
        attempt(database, opening(key="k", now=NOW + 2))


# branches


def test_edit_makes_a_sibling_and_moves_the_head(database: Database) -> None:
    asked, _ = say(database)
    edited = start(database, opening("autrement", replaces=asked.id, now=NOW + 1))
    assert (edited.message.parent_id, edited.message.depth) == (asked.parent_id, asked.depth)
    assert edited.message.parts == (Text("autrement"),)
    reply = answer(database, edited)
    assert (state(database).head_id, state(database).depth, state(database).messages) == (reply.id, 2, 4)


def test_regenerate_makes_another_reply_to_the_same_message(database: Database) -> None:
    asked, first = say(database)
    again = start(database, opening(again=asked.id, now=NOW + 1))
    assert again.message == asked
    assert state(database).messages == 2
    other = answer(database, again, "autrement", NOW + 1)
    assert other.parent_id == first.parent_id
    assert (state(database).head_id, state(database).messages) == (other.id, 3)
