"""What goes out to PostgreSQL together, and what happens when the server refuses a part of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg.pq import ExecStatus
from sqlalchemy import event
from stored import ADA, NOW, PRIVATE, advance, after, exchange, keep, kept, opening, sql, start

from persona.errors import SchemaOutOfDate, StoreBusy
from persona.store import exchanges, facts, memories, owners, receipts, summaries, turns
from persona.store.engine import Database
from persona.store.pipeline import refusal
from persona.store.statements import insert_into
from persona.store.tables import PromptRow
from persona.store.transaction import Transaction
from persona.values.memory import MemoryRow

Open = Callable[..., Database]
PUT = insert_into(PromptRow)
WORDS = sql("SELECT text FROM persona_prompts WHERE digest = :digest")


@pytest.fixture
def single(postgresql_url: str, opened: Open) -> Database:
    """A database with one connection, so that what is left on it is met again."""
    return opened(postgresql_url, connections=1, busy_timeout_s=10)


@contextmanager
def trips(database: Database) -> Iterator[list[int]]:
    """Counts how often a transaction waits for the server."""
    counted: list[int] = []

    def count(connection: Any, record: object, fairy: object) -> None:
        wait = connection.wait

        def counting(talk: Any, *rest: Any, **more: Any) -> Any:
            if talk.__name__ != "_rollback_gen":  # the pool's, which says nothing where nothing is begun
                counted.append(1)
            return wait(talk, *rest, **more)

        connection.wait = counting

    event.listen(database.engine, "checkout", count)
    try:
        yield counted
    finally:
        event.remove(database.engine, "checkout", count)


def put(tx: Transaction, digest: str, words: str = PRIVATE) -> None:
    tx.put(PUT, {"digest": digest, "text": words})


def test_what_nobody_waits_for_goes_out_with_the_end(single: Database) -> None:
    with trips(single) as made:
        single.run_now(lambda tx: [put(tx, str(number)) for number in range(5)])
    assert len(made) == 1
    assert kept(single) == 5


def test_opening_a_turn_takes_three_trips_and_closing_it_two(single: Database) -> None:
    start(single, opening())
    with trips(single) as made:
        opened = start(single, opening(now=NOW + 200_000_000))
    assert len(made) == 3
    reply = after(opened.message)

    def close(tx: Transaction) -> None:
        turns.close_turn(tx, advance(opened, reply), "answered", reply.id)
        exchanges.log_new(tx, exchange(opened, reply.id))

    with trips(single) as made:
        single.run_now(close)
    assert len(made) == 2


def test_what_is_said_to_be_asked_comes_with_the_first_answer(single: Database) -> None:
    opened = start(single, opening())

    def read(tx: Transaction) -> list[object]:
        receipts.ahead(tx)
        facts.ahead(tx, opened.owner.key)
        summaries.ahead(tx, opened.before.key)
        return [
            receipts.newest(tx),
            facts.holding(tx, opened.owner.key),
            summaries.of_conversation(tx, opened.before.key),
        ]

    with trips(single) as made:
        assert single.run_now(read, write=False) == [0, [], []]
    assert len(made) == 2  # the questions, and the end


def test_keeping_a_memory_takes_three_trips_and_is_done_once(single: Database) -> None:
    key = single.run_now(lambda tx: owners.find_or_make(tx, ADA, NOW)).key
    row = MemoryRow("msg_1", "turn", "un chien", 0, "m", b"\0\1\2\xff", at_us=NOW, message_id="msg_1")
    with trips(single) as made:
        assert single.run_now(lambda tx: memories.add_once(tx, key, row)) == 1
    assert len(made) == 3
    assert single.run_now(lambda tx: memories.add_once(tx, key, row)) is None
    stored = single.run_now(lambda tx: memories.since(tx, key, -1), write=False)
    assert (stored.vector, stored.text) == ((row.vector,), (row.text,))


def test_each_question_gets_its_own_answer_whatever_goes_out_between(single: Database) -> None:
    def ask(tx: Transaction) -> list[object]:
        put(tx, "a", "un")
        tx.ahead(WORDS, {"digest": "a"})
        put(tx, "b", "deux")
        tx.ahead(WORDS, {"digest": "nobody"})
        found = [tx.one(WORDS, {"digest": "b"}), tx.one(WORDS, {"digest": "a"}), tx.one(WORDS, {"digest": "nobody"})]
        put(tx, "c", "trois")
        return [*found, tx.one(WORDS, {"digest": "c"}), tx.run(sql("DELETE FROM persona_prompts"), {})]

    assert single.run_now(ask) == [("deux",), ("un",), None, ("trois",), 3]


def test_more_than_a_socket_takes_at_once_comes_through_whole(single: Database) -> None:
    words = {str(number): str(number) * 2_000_000 for number in range(4)}

    def write(tx: Transaction) -> list[object]:
        for digest, text in words.items():
            put(tx, digest, text)
        for digest in words:
            tx.ahead(WORDS, {"digest": digest})
        return [tx.one(WORDS, {"digest": digest}) for digest in words]

    assert single.run_now(write) == [(text,) for text in words.values()]


def test_refusal_of_what_nobody_waited_for_is_told_at_the_end_and_takes_all_back(single: Database) -> None:
    tried = []

    def twice(tx: Transaction) -> None:
        tried.append(1)
        for _ in range(2):
            put(tx, "one")

    with pytest.raises(StoreBusy):
        single.run_now(twice)
    assert len(tried) == 2  # somebody else's row would be seen now
    assert kept(single) == 0
    single.run_now(keep("one"))
    assert kept(single) == 1


def test_statement_that_could_not_be_prepared_can_be_when_its_table_is_there(single: Database) -> None:
    late = sql("INSERT INTO persona_late VALUES (1)")
    for _ in range(2):
        with pytest.raises(SchemaOutOfDate):
            single.run_now(lambda tx: tx.run(late, {}))
    single.run_now(lambda tx: tx.run(sql("CREATE TABLE persona_late (id INTEGER)"), {}))
    try:
        assert single.run_now(lambda tx: tx.run(late, {})) == 1
    finally:
        single.run_now(lambda tx: tx.run(sql("DROP TABLE persona_late"), {}))


def test_what_was_prepared_outlives_a_rollback_of_sqlalchemy(single: Database) -> None:
    single.run_now(keep("one"))
    with suppress(ZeroDivisionError), single.connection() as connection:
        connection.exec_driver_sql("SELECT 1")
        raise ZeroDivisionError
    single.run_now(keep("two"))
    assert kept(single) == 2


def test_work_that_fails_before_anything_was_sent_leaves_nothing_on_the_connection(single: Database) -> None:
    def fail(tx: Transaction) -> None:
        put(tx, "one")
        raise ZeroDivisionError

    with trips(single) as made, pytest.raises(ZeroDivisionError):
        single.run_now(fail)
    assert made == []
    assert kept(single) == 0


def test_error_that_no_server_said_is_one_of_a_lost_connection(single: Database) -> None:
    raw = single.engine.raw_connection()
    driver: Any = raw.driver_connection
    told = refusal(
        [driver.pgconn.make_empty_result(status) for status in (ExecStatus.TUPLES_OK, ExecStatus.FATAL_ERROR)]
    )
    raw.close()
    assert isinstance(told, psycopg.OperationalError)
    assert refusal([]) is None
