"""What a program imports on its way to a first reply, imported: the fork server of `programs` begins with this.

Only what most of them need and what is dear. Alembic, the readers of documents and the trainers are not among it.
"""

import gc
from importlib import import_module

for name in (
    "openai",
    "persona.assistant.harvesting",
    "persona.assistant.synchronous",
    "persona.cli.app",
    "persona.harvest.run",
    "persona_embedded.chat",
    "persona_embedded.embed",
    "persona_openai.chat",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
):
    import_module(name)
gc.collect()
gc.freeze()  # a child that collects its garbage need not look at all this, nor copy it
