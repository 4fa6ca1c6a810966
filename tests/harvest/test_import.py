"""Chats that were held elsewhere, imported from files: kept as live ones are, once, and with what the file tells."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import postgres
import programs
import pytest
from render.replayed import Replay, on_the_wire

from persona import Assistant, Settings
from persona.assistant.datasets import import_chats
from persona.errors import BusyError, InvalidInput, NotFound
from persona.harvest.imports.run import BATCH, ImportReport, Running
from persona.store import imports
from persona.store.engine import Database
from persona.store.imports import Batch, Progress
from persona.store.tables import Table

CUT = """
import os, signal, sys
from pathlib import Path
from persona import Settings
from persona.assistant.datasets import import_chats

def say(running):
    if running.progress.conversations >= 500:
        os.kill(os.getpid(), signal.SIGKILL)

import_chats(Settings.model_validate({"store": {"url": sys.argv[1]}}), Path(sys.argv[2]), "trl", say=say)
"""


@pytest.fixture(scope="session")
def _kept(postgres_server: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_server, f"persona_import_{os.getpid()}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is not there yet, or a server's without a row."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'app.db'}"
    found: str = request.getfixturevalue("_kept")
    postgres.emptied(found)
    return found


@pytest.fixture
def here(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'app.db'}"


def settings(url: str) -> Settings:
    return Settings.model_validate({"store": {"url": url}, "tasks": {"run": False}})


def take(url: str, path: Path, form: str | None = "trl", **more: Any) -> ImportReport:
    return import_chats(settings(url), path, form, **more)


def counts(url: str, *names: str) -> dict[str, int]:
    with closing(Database(url)) as database, database.connection(write=False) as connection:
        wanted = names or ("owners", "conversations", "turns", "messages", "exchanges", "origins")
        return {n: connection.exec_driver_sql(f"SELECT count(*) FROM persona_{n}").scalar_one() for n in wanted}


def rows(url: str, name: str, *columns: str) -> list[tuple[Any, ...]]:
    with closing(Database(url)) as database, database.connection(write=False) as connection:
        found = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM persona_{name} ORDER BY id")
        return [tuple(row) for row in found]


def chat(*said: str, **more: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)], **more}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: object, name: str = "chats.jsonl") -> Path:
        path = tmp_path / name
        text = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        path.write_text("".join(f"{one}\n" for one in text), encoding="utf-8")
        return path

    return write


def test_an_imported_conversation_is_read_and_gone_on_with_like_any_other(url: str, write: Callable[..., Path]) -> None:
    path = write(
        chat("Où est mon colis ?", "À Lyon.", "Merci, et demain ?", "Chez vous.", user="ada", conversation="c-1"),
    )

    report = take(url, path)

    assert report.progress == Progress(1, 1, 4, 0, done=True)
    with Assistant.open(settings(url)) as assistant:
        ada = assistant.user("ada")
        (found,) = ada.conversations()
        assert (found.id, found.title, found.messages) == ("c-1", "Où est mon colis ?", 4)
        talk = ada.conversation("c-1")
        said = talk.messages()
        assert [message.text for message in said] == [
            "Où est mon colis ?",
            "À Lyon.",
            "Merci, et demain ?",
            "Chez vous.",
        ]
        assert talk.why(said[1].id).notes == ("imported: what the model was shown is not known",)
        talk.rate(said[1].id, 1.0)
        reply = talk.send("Et après-demain ?")
        assert talk.why(reply.id).history.turns == 2
        assert [message.depth for message in talk.messages()] == list(range(6))


def test_what_the_file_tells_beside_the_messages_is_kept(here: str, write: Callable[..., Path]) -> None:
    told = {
        "user": "ada",
        "tenant": "acme",
        "created": "2026-03-01T10:00:00+01:00",
        "rating": 4,
        "correction": "À Paris.",
        "consent": True,
        "metadata": {"channel": "web"},
        "model": "m-1",
    }
    system = {"role": "system", "content": "Tu es la poste."}
    row = chat("Où ?", "À Lyon.")
    take(here, write({**row, "messages": [system, *row["messages"]], **told}))

    given = sorted(rows(here, "feedback", "kind", "rating", "text"))
    assert given == [("correction", None, "À Paris."), ("rating", 4.0, "")]
    assert rows(here, "origins", "line", "instructions", "details") == [(1, "Tu es la poste.", '{"channel":"web"}')]
    ((at, model, consent, outcome),) = rows(here, "exchanges", "started_us", "model", "consent", "outcome")
    assert (at, model, consent, outcome) == (1_772_355_600_000_001, "m-1", 1, "answered")
    with Assistant.open(settings(here)) as assistant:
        (answer,) = assistant.user("ada", "acme").consents()
        assert (answer.training, answer.at_us) == (True, at)


def test_what_was_imported_is_read_from_the_log_and_rendered_through_the_arm_that_serves(
    here: str, write: Callable[..., Path]
) -> None:
    row = chat("Où est mon colis ?", "À Lyon.", "Et demain ?", "Chez vous.", tags=["colis", "vip"], rating=5)
    row["messages"].insert(0, {"role": "system", "content": "Somebody else's prompt."})
    take(here, write(row))
    log = Replay(here, settings(here), [])

    (found,) = log.conversations()
    asked = [on_the_wire(rendered) for _, rendered in log.rendered(log.past())]

    assert found.tags == ("colis", "vip")
    assert [(one.kind, one.rating) for one in found.feedback] == [("rating", 5.0)]
    assert [(one.provider, one.outcome) for one in found.exchanges] == [("imported", "answered")] * 2
    said = [[role for role, _ in messages] for messages in asked]
    assert [roles[-1] for roles in said] == ["user", "user"]
    assert said[1][-3:] == ["user", "assistant", "user"]
    assert "Somebody else" not in str(asked)


def test_an_older_yes_does_not_undo_a_newer_no(here: str, write: Callable[..., Path]) -> None:
    with Assistant.open(settings(here)) as assistant:
        assistant.user("ada").consent(training=False)
    take(here, write(chat("Q", "A", user="ada", consent=True, created="2020-01-01")))
    with Assistant.open(settings(here)) as assistant:
        assert [one.training for one in assistant.user("ada").consents()] == [False]
    assert rows(here, "exchanges", "consent") == [(0,)]


def test_a_message_may_tell_its_own_time_rating_and_correction(here: str, write: Callable[..., Path]) -> None:
    row = chat("Q", "A", "Q2", "A2", created=1_772_355_600)
    row["messages"][1] |= {"rating": 0, "timestamp": 1_772_355_605_000}
    row["messages"][3] |= {"correction": "B"}

    take(here, write(row))

    times = [at for (at,) in rows(here, "messages", "created_us")]
    first = 1_772_355_600_000_000
    assert sorted(times) == [first, first + 5_000_000, first + 5_000_001, first + 5_000_002]
    assert sorted(rows(here, "feedback", "kind", "text")) == [("correction", "B"), ("rating", "")]


def test_a_preference_becomes_the_reply_that_was_given_and_its_correction(
    here: str, write: Callable[..., Path]
) -> None:
    take(here, write({"prompt": "Q", "chosen": "good", "rejected": "bad"}), "trl-preference")
    take(here, write({"prompt": "Q", "completion": "liked", "label": True}, name="b.jsonl"), "trl-unpaired")

    replies = [
        json.loads(parts)[0]["text"] for parts, role in rows(here, "messages", "parts", "role") if role == "assistant"
    ]
    assert sorted(replies) == ["bad", "liked"]
    assert sorted(rows(here, "feedback", "kind", "rating", "text")) == [
        ("correction", None, "good"),
        ("rating", 1.0, ""),
    ]


def test_tool_rounds_are_exchanges_of_their_own(here: str, write: Callable[..., Path]) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = [
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "R"},
        {"role": "assistant", "content": "A"},
    ]
    take(here, write({"messages": said}), "openai")
    assert counts(here, "turns", "messages", "exchanges") == {"turns": 1, "messages": 4, "exchanges": 2}
    assert sorted(rows(here, "exchanges", "number", "stop")) == [(0, "tool_calls"), (1, "end")]


def test_a_greeting_before_and_thanks_after_are_kept(here: str, write: Callable[..., Path]) -> None:
    row = chat("Q", "A", "merci !")
    row["messages"].insert(0, {"role": "assistant", "content": "Bonjour !"})
    take(here, write(row))
    assert counts(here, "messages", "turns") == {"messages": 4, "turns": 2}
    assert sorted(state for (state,) in rows(here, "turns", "state")) == ["abandoned", "answered"]


def test_rows_without_a_user_are_each_somebody_of_its_own(here: str, write: Callable[..., Path]) -> None:
    take(here, write(chat("Q", "A"), chat("Q", "A")))
    assert counts(here, "owners")["owners"] == 2
    take(here, write(chat("Q", "A"), chat("Q", "A"), name="b.jsonl"), user="ada", tenant="acme")
    assert counts(here, "owners")["owners"] == 3


def test_rows_of_one_conversation_follow_each_other_in_it(here: str, write: Callable[..., Path]) -> None:
    same = {"user": "ada", "conversation": "c-1"}
    take(here, write(chat("Q1", "A1", **same), chat("Q2", "A2", **same)))
    take(here, write(chat("Q3", "A3", **same), name="b.jsonl"))
    with Assistant.open(settings(here)) as assistant:
        said = assistant.user("ada").conversation("c-1").messages()
    assert [message.text for message in said] == ["Q1", "A1", "Q2", "A2", "Q3", "A3"]


def test_a_conversation_that_was_held_here_is_not_written_into(here: str, write: Callable[..., Path]) -> None:
    with Assistant.open(settings(here)) as assistant:
        assistant.user("ada").conversation("c-1", create=True).send("bonjour")
    report = take(here, write(chat("Q", "A", user="ada", conversation="c-1")))
    assert (report.progress.conversations, report.progress.rejected) == (0, 1)
    assert report.reasons == {"a conversation of this id was held here; give it another id": 1}
    assert counts(here, "messages")["messages"] == 2


def test_a_conversation_that_was_gone_on_with_here_is_imported_into_no_more(
    url: str, write: Callable[..., Path]
) -> None:
    same = {"user": "ada", "conversation": "c-1"}
    take(url, write(chat("Q1", "A1", **same)))
    with Assistant.open(settings(url)) as assistant:
        assistant.user("ada").conversation("c-1").send("bonjour")
        report = take(url, write(chat("Q2", "A2", **same), chat("Q3", "A3", user="bob"), name="b.jsonl"))
        said = assistant.user("ada").conversation("c-1").messages()
    assert [message.text for message in said[:3]] == ["Q1", "A1", "bonjour"]
    assert (len(said), report.progress.conversations, report.progress.rejected) == (4, 1, 1)
    assert report.reasons == {"this conversation has changed here since it was imported; give it another id": 1}


def test_lines_that_are_no_conversation_are_set_aside_with_number_and_reason(
    here: str, write: Callable[..., Path]
) -> None:
    path = write(
        chat("Q", "A"),
        '{"messages": [',
        chat("Q", "A", rating="great"),
        {"messages": [{"role": "bot", "content": "A"}]},
        chat("Q", "A", created="yesterday"),
        chat("Q", "A", user="a\nb"),
        chat("Q\x00", "A"),
    )

    report = take(here, path)

    assert report.progress == Progress(7, 2, 4, 5, done=True)
    assert report.rejected_file is not None
    aside = [json.loads(line) for line in report.rejected_file.read_text(encoding="utf-8").splitlines()]
    assert [(one["line"], one["reason"].split(";")[0]) for one in aside] == [
        (2, "a line is not JSON"),
        (3, "rating is no number"),
        (4, "unrecognized_role (messages[0])"),
        (5, "created is no time"),
        (6, "user is no name"),
    ]
    assert aside[1]["row"]["rating"] == "great"
    assert aside[0]["text"].startswith('{"messages"')


def test_the_same_file_twice_imports_nothing_twice(url: str, write: Callable[..., Path]) -> None:
    path = write(chat("Q", "A"), chat("Q", "A", user="ada", conversation="c-1"), "no")
    first, before = take(url, path), counts(url)
    again = take(url, path)
    assert (again.before, again.progress) == (True, first.progress)
    assert counts(url) == before


def test_an_import_that_was_killed_goes_on_where_it_was(url: str, write: Callable[..., Path]) -> None:
    said = [chat(f"Q{number}", f"A{number}") if number % 100 else "no row" for number in range(1, 1_301)]
    path = write(*said)
    cut = programs.run(["-c", CUT, url, str(path)])
    assert cut.returncode == -9
    stored = counts(url)["conversations"]
    assert BATCH // 2 - 20 <= stored < 1_287
    aside = path.with_name(f"{path.name}.rejected.jsonl")
    with aside.open("a") as file:
        file.write('{"line": 1299, "reason": "written before its batch was kept", "text": ""}\n{"line": 13')

    report = take(url, path)

    assert report.resumed >= stored
    assert report.progress == Progress(1_300, 1_287, 2_574, 13, done=True)
    assert counts(url, "conversations", "messages") == {"conversations": 1_287, "messages": 2_574}
    lines = [json.loads(line)["line"] for line in aside.read_text().splitlines()]
    assert lines == list(range(100, 1_301, 100))


def test_two_imports_of_one_file_at_once_do_not_both_write(here: str, write: Callable[..., Path]) -> None:
    take(here, write(chat("Q", "A")))
    with closing(Database(here)) as database:
        ((mark,),) = database.run_now(lambda tx: tx.all(imports.Statement(imports.select(imports._i.id)), {}))
        late = Batch(mark, [], Progress(0), 1, 0, True, "default", False, 1)
        with pytest.raises(BusyError):
            database.run_now(lambda tx: imports.keep(tx, late))


def test_sharegpt_alpaca_and_tables_are_imported_and_told_by_themselves(here: str, write: Callable[..., Path]) -> None:
    said = [{"from": "human", "value": "Q", "rating": None}, {"from": "gpt", "value": "A", "rating": 1}]
    sharegpt = write(json.dumps([{"conversations": said, "user": "ada"}]), name="a.json")
    alpaca = write(json.dumps([{"instruction": "Q", "input": "", "output": "A"}]), name="b.json")
    table = write(
        "conversation,user,role,content,created,rating",
        'c-1,bob,user,"Où, s\'il vous plaît ?",2026-03-01,',
        "c-1,bob,agent,À Lyon.,2026-03-01T00:01,5",
        "c-2,bob,user,Merci ?,,",
        "c-2,bob,agent,De rien.,,",
        name="c.csv",
    )
    pairs = write("question;reply;user", "Q;A;zoe", name="d.csv")

    told = [take(here, path, None) for path in (sharegpt, alpaca, table, pairs)]

    assert [one.form for one in told] == ["sharegpt", "alpaca", "csv", "csv"]
    assert [one.progress.conversations for one in told] == [1, 1, 2, 1]
    assert sorted(rating for (rating,) in rows(here, "feedback", "rating")) == [1.0, 5.0]
    with Assistant.open(settings(here)) as assistant:
        assert [one.id for one in assistant.user("bob").conversations()] == ["c-2", "c-1"]


def test_what_is_imported_is_exported_and_erased_with_its_user(
    url: str, write: Callable[..., Path], tmp_path: Path
) -> None:
    take(url, write(chat("un secret", "gardé", user="ada", metadata={"tel": "secret"}), chat("Q", "A", user="bob")))
    with Assistant.open(settings(url)) as assistant:
        ada = assistant.user("ada")
        ada.export(tmp_path / "ada.json")
        assert "un secret" in (tmp_path / "ada.json").read_text(encoding="utf-8")
        ada.erase()
        assert not list(ada.conversations())
    assert counts(url) == {"owners": 1, "conversations": 1, "turns": 1, "messages": 2, "exchanges": 1, "origins": 1}


def test_what_users_said_becomes_memories_when_that_is_asked(here: str, write: Callable[..., Path]) -> None:
    take(here, write(chat("Mon colis est rouge", "Noté.", user="ada")), remembers=True)
    served = settings(here).model_copy(update={"tasks": settings(here).tasks.model_copy(update={"run": True})})
    with Assistant.open(served) as assistant:
        assistant.drain()
    assert counts(here, "memories", "tasks") == {"memories": 1, "tasks": 0}


def test_how_far_it_is_is_told_in_bytes(here: str, write: Callable[..., Path]) -> None:
    seen: list[Running] = []
    path = write(*(chat(f"Q{number}", "A") for number in range(1_200)))
    take(here, path, say=seen.append)
    assert [one.progress.messages for one in seen] == [1_000, 2_000, 2_400]
    assert 0 < seen[0].read <= seen[-1].read == seen[-1].size == path.stat().st_size


def test_what_cannot_be_imported_is_refused_before_anything_is_made(here: str, write: Callable[..., Path]) -> None:
    path = write(chat("Q", "A"))
    with pytest.raises(NotFound, match="no route named"):
        take(here, path, route="nowhere")
    with pytest.raises(InvalidInput, match="no format"):
        take(here, path, "trel")
    with pytest.raises(InvalidInput, match="cannot read"):
        take(here, path.with_name("none.jsonl"))
    assert set(Table.metadata.tables) >= {"persona_imports", "persona_origins"}


def test_columns_of_a_table_are_known_in_any_case(here: str, write: Callable[..., Path]) -> None:
    table = write("\ufeff Question ;Answer;User", "When?;At nine.;zoe", name="excel.csv")
    assert take(here, table, None).progress.messages == 2
    with Assistant.open(settings(here)) as assistant:
        assert [one.title for one in assistant.user("zoe").conversations()] == ["When?"]
