"""A log of many conversations, written straight into the tables: what chats would have left behind."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from persona.store import schema
from persona.store.codec import encode_parts, encode_plan, encode_tokens
from persona.store.engine import Database
from persona.store.statements import table
from persona.store.tables import ConversationRow, ExchangeRow, FeedbackRow, MessageRow, OwnerRow, TurnRow
from persona.values.message import Text
from persona.values.plan import SECTIONS, Candidate, HistoryRange, Plan, SectionPlan

START, SECOND = 1_760_000_000_000_000, 1_000_000
_CITIES = "Lyon Paris Nantes Lille Brest Nice Tours Dijon Metz Reims".split()  # noqa: SIM905
_THINGS = (  # noqa: SIM905
    "parcel order invoice refund ticket voucher account password delivery subscription contract "
    "receipt address meter router keyboard lamp sofa bicycle helmet"
).split()
_VERBS = "cancel change find track return extend print renew move repair check update".split()  # noqa: SIM905
_FRENCH = "colis facture remboursement billet compte livraison abonnement contrat adresse compteur".split()  # noqa: SIM905
_WORDS = (  # noqa: SIM905
    "please open the page of your settings then choose what you need there and confirm it with a click our team "
    "looks at every request within two working days you will get a message as soon as it is done if anything is "
    "missing we write to you keep the number at hand it is printed at the top of the letter"
).split()


def said(dice: random.Random, number: int) -> tuple[str, str]:
    """A question and its reply, unlike most others."""
    thing, verb, city = dice.choice(_THINGS), dice.choice(_VERBS), dice.choice(_CITIES)
    if dice.random() < 0.3:
        asked = f"Bonjour, comment puis-je suivre mon {dice.choice(_FRENCH)} numéro {number} envoyé à {city} ?"
        told = f"Bonjour, ouvrez la page du dossier {number}, puis choisissez {city} et validez votre demande."
        return asked, f"{told} {' '.join(dice.sample(_WORDS, 12))}."
    asked = f"How can I {verb} the {thing} with number {number} that was sent to {city}?"
    return asked, f"To {verb} the {thing} {number}: {' '.join(dice.sample(_WORDS, 25))}."


def plan(first: int, last: int, digest: str = "") -> str:
    """The plan of an exchange whose window held the messages of these depths, and nothing that was remembered."""
    sections = tuple(
        SectionPlan(name, 100, 200, (Candidate(name, 60, True, "pinned"),) if name in ("instructions", "input") else ())
        for name in SECTIONS
    )
    history = HistoryRange(first, last, f"msg_{last}", (last - first) // 2, 300, 0)
    made = Plan("embedded:extractive-1", "estimate", "estimate", 700, 7000, 1024, 3, 0, sections, history)
    return encode_plan(made)


def write_log(
    path: Path, conversations: int, *, turns: int = 3, users: int = 0, seed: int = 1, consent: Any = True
) -> str:
    """Writes conversations of `turns` turns each into a new SQLite file; returns its URL."""
    url = f"sqlite:///{path}"
    fill(url, conversations, turns=turns, users=users, seed=seed, consent=consent)
    return url


def fill(url: str, conversations: int, *, turns: int = 3, users: int = 0, seed: int = 1, consent: Any = True) -> None:
    """The same into any database, without rows."""
    database = Database(url)
    try:
        schema.prepare(database)
        rows: dict[Any, list[dict[str, Any]]] = {one: [] for one in _TABLES}
        dice = random.Random(seed)
        people = users or max(1, conversations // 3)
        rows[OwnerRow] = [
            {"key": key, "tenant": "", "kind": "user", "name": f"user-{key}", "consent": consent, "consent_us": START}
            | {"display_name": "", "locale": "", "time_zone": "", "revision": 0, "created_us": START}
            for key in range(1, people + 1)
        ]
        for key in range(1, conversations + 1):
            _conversation(rows, dice, key, dice.randrange(people) + 1, turns, consent)
            if key % 2000 == 0:
                _flush(database, rows)
        _flush(database, rows)
    finally:
        database.close()


_TABLES = (OwnerRow, ConversationRow, TurnRow, MessageRow, ExchangeRow, FeedbackRow)


def _flush(database: Database, rows: dict[Any, list[dict[str, Any]]]) -> None:
    with database.connection() as connection:
        for one, some in rows.items():
            if some:
                connection.execute(insert(table(one)), some)
                some.clear()


def _conversation(
    rows: dict[Any, list[dict[str, Any]]], dice: random.Random, key: int, owner: int, turns: int, consent: Any
) -> None:
    at = START + key * 60 * SECOND
    parent = ""
    for number in range(turns):
        asked, told = said(dice, key * 100 + number)
        turn, depth, now = f"trn_{key:09}{number:03}", 2 * number, at + number * SECOND
        ids = f"msg_{key:09}{depth:03}", f"msg_{key:09}{depth + 1:03}"
        for id, role, text, above, deep in (
            (ids[0], "user", asked, parent, depth),
            (ids[1], "assistant", told, ids[0], depth + 1),
        ):
            rows[MessageRow].append(
                {"id": id, "owner_key": owner, "conversation_key": key, "turn_id": turn, "parent_id": above}
                | {"depth": deep, "role": role, "parts": encode_parts([Text(text)]), "created_us": now}
                | {"tokens": encode_tokens({"estimate-1": len(text) // 4 + 4})}
            )
        rows[TurnRow].append(
            {"id": turn, "owner_key": owner, "conversation_key": key, "message_id": ids[0], "idempotency_key": None}
            | {"state": "answered", "reply_id": ids[1], "error": "", "started_us": now, "ended_us": now}
        )
        rows[ExchangeRow].append(_exchange(key, owner, number, turn, ids[1], depth, now, consent))
        parent = ids[1]
    rows[ConversationRow].append(
        {"key": key, "owner_key": owner, "id": f"c-{key}", "route": "default", "arm": "base", "title": "", "tags": ""}
        | {"head_id": parent, "depth": 2 * turns, "messages": 2 * turns, "revision": turns, "anchor": ""}
        | {"last_exchange_id": f"exc_{key:09}{turns - 1:03}", "archived_us": 0, "created_us": at, "updated_us": at}
        | {"lease_turn_id": "", "lease_until_us": 0}
    )


def _exchange(
    key: int, owner: int, number: int, turn: str, reply: str, depth: int, now: int, consent: Any
) -> dict[str, Any]:
    return {
        **{"id": f"exc_{key:09}{number:03}", "owner_key": owner, "conversation_key": key, "turn_id": turn, "number": 0},
        **{"purpose": "turn", "reply_id": reply, "route": "default", "arm": "base", "provider": "embedded"},
        **{"model": "extractive-1", "served_model": "", "request_id": "", "plan": plan(0, max(0, depth - 1))},
        **{"outcome": "answered", "stop": "end", "error": "", "partial": "", "said": "", "input_tokens": 700},
        **{"output_tokens": 60, "cache_read_tokens": None, "cache_write_tokens": None, "reasoning_tokens": None},
        **{"cost_usd": "", "cost_source": "", "consent": consent, "started_us": now, "first_token_ms": 1.0},
        "latency_ms": 12.0,
    }


def lines_of(paths: Sequence[Path]) -> Iterator[str]:
    """The lines of some files."""
    for path in paths:
        yield from path.read_text(encoding="utf-8").splitlines()
