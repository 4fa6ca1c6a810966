"""Run by alembic: puts the migrations on the connection that `persona.store.schema` hands over.

Only persona's own tables are looked at: what else lives in the database belongs to somebody else.
"""

from alembic import context
from sqlalchemy import Connection

from persona.store.schema import VERSION_TABLE
from persona.store.tables import Table


def migrate(connection: Connection) -> None:
    """Runs what alembic was asked for, in the transaction of the caller."""
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        version_table=VERSION_TABLE,
        include_name=_is_ours,
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite cannot alter most of a table in place
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    return kind != "table" or name in Table.metadata.tables


migrate(context.config.attributes["connection"])
