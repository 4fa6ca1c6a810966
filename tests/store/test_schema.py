"""The tables: made, recognised, migrated; two ways to the same schema."""

import os
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from pathlib import Path
from subprocess import PIPE

import postgres
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from hatchling.builders.wheel import WheelBuilder
from programs import Program
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

import persona.store
from persona.errors import SchemaOutOfDate, StoreError, StoreReadOnly
from persona.store import schema
from persona.store.engine import Database
from persona.store.tables import Table

ROOT = Path(__file__).parents[2]
EMPTY = f"persona_empty_{os.getpid()}"
OPENER = """
import sys
from persona.store.engine import Database
from persona.store.schema import prepare
print("ready", flush=True)
for line in sys.stdin:
    database = Database(line.strip())
    prepare(database)
    database.close()
    print("done", "alembic" in sys.modules, flush=True)
"""


@pytest.fixture
def empty_file(tmp_path: Path) -> Iterator[Callable[[str], Database]]:
    """Opens SQLite files that are not there yet."""
    opened = []

    def make(name: str) -> Database:
        opened.append(Database(f"sqlite:///{tmp_path / name}", busy_timeout_s=0.05))
        return opened[-1]

    yield make
    for database in opened:
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        yield request.getfixturevalue("empty_file")("app.db")
        return
    with postgres.fresh_database(request.getfixturevalue("postgres_server"), EMPTY, upgraded=False) as url:
        database = Database(url, busy_timeout_s=0.05)
        yield database
        database.close()


def sql_of(database: Database) -> set[tuple[str, ...]]:
    with database.connection(write=False) as connection:
        rows = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master")
        return {tuple(str(column) for column in row) for row in rows}


def inspected(database: Database) -> dict[str, object]:
    with database.connection(write=False) as connection:
        inspector = sa.inspect(connection)
        return {
            name: (
                [{**column, "type": str(column["type"])} for column in inspector.get_columns(name)],
                inspector.get_pk_constraint(name),
                sorted(map(str, inspector.get_indexes(name))),
                sorted(map(str, inspector.get_unique_constraints(name))),
            )
            for name in inspector.get_table_names()
        }


def in_one_line(statements: Iterable[str]) -> set[str]:
    return {line for statement in statements if (line := " ".join(statement.split()))}


def migrated(database: Database) -> None:
    with database.connection() as connection:
        command.upgrade(schema.alembic_config(connection), "head")


def emptied(database: Database) -> None:
    with database.connection() as connection:
        command.downgrade(schema.alembic_config(connection), "base")


def marked(database: Database, version: str) -> None:
    with database.connection() as connection:
        connection.exec_driver_sql(f"UPDATE {schema.VERSION_TABLE} SET version_num = '{version}'")


def test_new_file_gets_the_schema_that_the_migrations_give(empty_file: Callable[[str], Database]) -> None:
    made, grown = empty_file("made.db"), empty_file("grown.db")
    schema.prepare(made)
    migrated(grown)
    assert sql_of(made) == sql_of(grown)
    assert inspected(made) == inspected(grown)
    assert schema.version(made) == schema.version(grown) == schema.HEAD


def test_migrations_leave_nothing_for_autogenerate_to_find(empty: Database) -> None:
    migrated(empty)
    with empty.connection() as connection:
        command.check(schema.alembic_config(connection))


def test_migrations_go_up_and_down_and_up(empty: Database) -> None:
    migrated(empty)
    full = inspected(empty)
    emptied(empty)
    assert schema.version(empty) is None
    assert not set(inspected(empty)) & set(Table.metadata.tables)
    migrated(empty)
    assert inspected(empty) == full


def test_emptied_database_is_filled_again(empty: Database) -> None:
    schema.prepare(empty, migrate=True)
    full = inspected(empty)
    emptied(empty)
    schema.prepare(empty, migrate=True)
    assert inspected(empty) == full


def test_revisions_are_those_of_alembic(database: Database) -> None:
    with database.connection() as connection:
        scripts = ScriptDirectory.from_config(schema.alembic_config(connection))
    assert scripts.get_heads() == [schema.HEAD]
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == schema.REVISIONS


def test_migrations_give_the_tables_on_postgresql_too(database: Database) -> None:
    dialect, wrote = postgresql.dialect(), StringIO()
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": wrote})
    with database.connection() as connection:
        scripts = ScriptDirectory.from_config(schema.alembic_config(connection))
    with Operations.context(context):
        for script in reversed(list(scripts.walk_revisions())):
            script.module.upgrade()
    made = []
    for table in Table.metadata.tables.values():
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        made += [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
    assert in_one_line(wrote.getvalue().split(";")) == in_one_line(made)


def test_migrations_are_in_the_wheel() -> None:
    builder = WheelBuilder(str(ROOT))
    packed = {file.distribution_path for file in builder.recurse_included_files()}
    folder = Path(persona.store.__file__).parent / "migrations"
    there = {str(path.relative_to(ROOT)) for path in folder.rglob("*") if path.suffix in {".py", ".mako"}}
    assert len(there) == 2 + len(schema.REVISIONS)
    assert there <= packed


def test_opening_needs_no_alembic_and_many_processes_may_do_it_at_once(tmp_path: Path) -> None:
    openers = [Program(["-c", OPENER], stdin=PIPE, stdout=PIPE) for _ in range(3)]
    said = [opener.stdout.readline() for opener in openers if opener.stdout]
    assert said == ["ready\n"] * 3
    for number in range(12):
        for opener in openers:
            assert opener.stdin
            opener.stdin.write(f"sqlite:///{tmp_path}/{number}.db\n")
            opener.stdin.flush()
        said = [opener.stdout.readline() for opener in openers if opener.stdout]
        assert said == ["done False\n"] * 3
    for opener in openers:
        opener.communicate()
        assert opener.returncode == 0


def test_other_tables_in_the_database_are_left_alone(empty: Database) -> None:
    with empty.connection() as connection:
        connection.exec_driver_sql("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)")
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('theirs')")
    theirs = inspected(empty)
    schema.prepare(empty, migrate=True)
    assert theirs.items() < inspected(empty).items()
    with empty.connection() as connection:
        command.check(schema.alembic_config(connection))
    emptied(empty)
    with empty.connection() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "theirs"


def test_newer_database_asks_for_a_newer_persona(empty: Database) -> None:
    schema.prepare(empty, migrate=True)
    marked(empty, "9999")
    with pytest.raises(SchemaOutOfDate, match="9999") as raised:
        schema.prepare(empty)
    assert raised.value.hint == "upgrade pypersona"
    with pytest.raises(SchemaOutOfDate):
        schema.prepare(empty, migrate=True)
    with pytest.raises(SchemaOutOfDate):
        schema.upgrade(empty)


def test_database_that_may_not_be_migrated_names_the_command(empty: Database) -> None:
    with pytest.raises(SchemaOutOfDate) as raised:
        schema.prepare(empty, migrate=False)
    assert "persona db upgrade" in raised.value.hint
    assert schema.version(empty) is None
    schema.prepare(empty, migrate=True)
    schema.prepare(empty, migrate=False)


def test_tables_without_a_version_are_not_taken_for_ours(empty: Database) -> None:
    with empty.connection() as connection:
        connection.exec_driver_sql("CREATE TABLE persona_owners (key INTEGER PRIMARY KEY)")
    before = inspected(empty)
    with pytest.raises(SchemaOutOfDate, match="persona_owners"):
        schema.prepare(empty, migrate=True)
    assert inspected(empty) == before


def test_migration_that_fails_leaves_nothing_behind(empty: Database) -> None:
    with empty.connection() as connection:
        connection.exec_driver_sql("CREATE TABLE persona_tasks (id INTEGER PRIMARY KEY)")
    before = inspected(empty)
    with pytest.raises(StoreError):
        migrated(empty)
    assert inspected(empty) == before


def test_read_only_file_is_opened_when_its_schema_is_there(tmp_path: Path, sqlite: Database) -> None:
    reader = Database(f"sqlite:///file:{tmp_path}/app.db?mode=ro&uri=true")
    schema.prepare(reader)
    reader.close()
    (tmp_path / "empty.db").touch()
    empty = Database(f"sqlite:///file:{tmp_path}/empty.db?mode=ro&uri=true")
    with pytest.raises(StoreReadOnly):
        schema.prepare(empty)
    empty.close()


def test_keys_of_erased_owners_and_conversations_never_come_back(sqlite: Database) -> None:
    columns = "tenant, kind, name, display_name, locale, time_zone"
    with sqlite.connection() as connection:
        for _ in range(2):
            connection.exec_driver_sql(f"INSERT INTO persona_owners ({columns}) VALUES ('', 'user', 'a', '', '', '')")
            key = connection.exec_driver_sql("SELECT key FROM persona_owners").scalar()
            connection.exec_driver_sql("DELETE FROM persona_owners")
        assert key == 2
    assert "AUTOINCREMENT" in next(sql for _, name, _, sql in sql_of(sqlite) if name == "persona_conversations")
