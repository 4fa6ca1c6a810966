"""What was said in a conversation up to one message, in short."""

from sqlalchemy import delete, select

from persona.store.ids import new_id
from persona.store.statements import insert_into, param, table
from persona.store.tables import SummaryRow
from persona.store.transaction import Statement, Transaction

_s = table(SummaryRow).c

_INSERT = insert_into(SummaryRow)
_DROP = Statement(
    delete(table(SummaryRow)).where(_s.conversation_key == param("conversation"), _s.upto_depth >= param("depth"))
)
_OF_CONVERSATION = Statement(
    select(_s.id, _s.text, _s.upto_depth, _s.upto_id)
    .where(_s.conversation_key == param("conversation"))
    .order_by(_s.upto_depth.desc(), _s.id.desc())
)


def add(tx: Transaction, owner_key: int, conversation_key: int, upto: tuple[str, int], text: str, now_us: int) -> str:
    """Keeps what was said up to the message `upto` (its id and depth)."""
    id = new_id("sum")
    named = {"id": id, "owner_key": owner_key, "conversation_key": conversation_key}
    said = {"upto_id": upto[0], "upto_depth": upto[1], "text": text}
    tx.run(_INSERT, {**named, **said, "created_us": now_us})
    return id


def drop(tx: Transaction, conversation_key: int, depth: int) -> None:
    """Forgets the summaries that reach to this depth or past it."""
    tx.run(_DROP, {"conversation": conversation_key, "depth": depth})


def ahead(tx: Transaction, conversation_key: int) -> None:
    """Says that `of_conversation` will be asked."""
    tx.ahead(_OF_CONVERSATION, {"conversation": conversation_key})


def of_conversation(tx: Transaction, conversation_key: int) -> list[tuple[str, str, int, str]]:
    """The conversation's summaries as (id, text, depth, id of the last message covered), the furthest first."""
    return [tuple(row) for row in tx.all(_OF_CONVERSATION, {"conversation": conversation_key})]
