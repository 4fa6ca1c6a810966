"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    *("persona_owners", "persona_conversations", "persona_turns", "persona_messages", "persona_exchanges"),
    *("persona_attempts", "persona_feedback", "persona_prompts", "persona_facts", "persona_memories"),
    *("persona_documents", "persona_chunks", "persona_summaries", "persona_tasks", "persona_calibrations"),
    *("persona_consents", "persona_receipts", "persona_changes", "persona_holds", "persona_meters"),
    *("persona_imports", "persona_origins"),
    *("persona_datasets", "persona_dataset_owners"),
    *("persona_evaluations", "persona_promotions", "persona_jobs"),
)


def upgrade() -> None:
    """Makes every table."""
    _people()
    _conversations()
    _log()
    _memory()
    _work()
    _jobs()
    _privacy()
    _imports()
    _datasets()
    _loop()


def downgrade() -> None:
    """Drops every table, and all that they hold."""
    for name in reversed(_TABLES):
        op.drop_table(name)


def _people() -> None:
    op.create_table(
        "persona_owners",
        _key(),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        _time_or_count("revision"),
        sa.Column("consent", sa.Boolean(), nullable=True),
        _time_or_count("consent_us"),
        sa.Column("learning", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        _time_or_count("created_us"),
        sa.PrimaryKeyConstraint("key", name="pk_persona_owners"),
        sa.UniqueConstraint("tenant", "kind", "name", name="uq_persona_owners_tenant"),
        sqlite_autoincrement=True,
    )


def _conversations() -> None:
    op.create_table(
        "persona_conversations",
        _key(),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("head_id", sa.String(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        _time_or_count("revision"),
        sa.Column("anchor", sa.Text(), nullable=False),
        sa.Column("last_exchange_id", sa.String(), nullable=False),
        _time_or_count("archived_us"),
        _time_or_count("created_us"),
        _time_or_count("updated_us"),
        sa.Column("lease_turn_id", sa.String(), nullable=False),
        _time_or_count("lease_until_us"),
        sa.PrimaryKeyConstraint("key", name="pk_persona_conversations"),
        sa.UniqueConstraint("owner_key", "id", name="uq_persona_conversations_owner_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_persona_conversations_listing", "persona_conversations", ["owner_key", "updated_us", "key"])
    op.create_table(
        "persona_turns",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("conversation_key", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reply_id", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        _time_or_count("started_us"),
        _time_or_count("ended_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_turns"),
        sa.UniqueConstraint("owner_key", "idempotency_key", name="uq_persona_turns_owner_key"),
    )
    op.create_index("ix_persona_turns_conversation_key", "persona_turns", ["conversation_key"])
    op.create_table(
        "persona_messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("conversation_key", sa.BigInteger(), nullable=False),
        sa.Column("turn_id", sa.String(), nullable=False),
        sa.Column("parent_id", sa.String(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        _time_or_count("created_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_messages"),
    )
    op.create_index("ix_persona_messages_conversation_key", "persona_messages", ["conversation_key", "depth"])


def _log() -> None:
    op.create_table(
        "persona_exchanges",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("conversation_key", sa.BigInteger(), nullable=False),
        sa.Column("turn_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("reply_id", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("served_model", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("planned_tokens", sa.Integer(), nullable=False),
        sa.Column("prefix_tokens", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("stop", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("partial", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("cache_read_tokens", sa.Integer(), nullable=True),
        sa.Column("cache_write_tokens", sa.Integer(), nullable=True),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=True),
        sa.Column("cost_usd", sa.String(), nullable=False),
        sa.Column("cost_source", sa.String(), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=True),
        _time_or_count("started_us"),
        sa.Column("first_token_ms", sa.Float(), nullable=True),
        sa.Column("latency_ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_persona_exchanges"),
    )
    op.create_index("ix_persona_exchanges_owner_key", "persona_exchanges", ["owner_key", "reply_id"])
    op.create_index("ix_persona_exchanges_turn_id", "persona_exchanges", ["turn_id"])
    op.create_table(
        "persona_attempts",
        sa.Column("exchange_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        _time_or_count("started_us"),
        sa.Column("latency_ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("exchange_id", "number", name="pk_persona_attempts"),
    )
    op.create_table(
        "persona_feedback",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("conversation_key", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rating", sa.Float(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        _time_or_count("created_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_feedback"),
    )
    op.create_index("ix_persona_feedback_message_id", "persona_feedback", ["message_id"])
    op.create_index("ix_persona_feedback_owner_key", "persona_feedback", ["owner_key"])
    op.create_table(
        "persona_prompts",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_persona_prompts"),
    )


def _memory() -> None:
    op.create_table(
        "persona_facts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        _time_or_count("valid_from_us"),
        _time_or_count("valid_to_us"),
        _time_or_count("told_us"),
        _time_or_count("created_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_facts"),
    )
    op.create_index("ix_persona_facts_owner_key", "persona_facts", ["owner_key", "valid_to_us"])
    op.create_table(
        "persona_memories",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("embedder", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("heading", sa.String(), nullable=False),
        sa.Column("fact_kind", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        _time_or_count("conversation_key"),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        _time_or_count("at_us"),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_persona_memories"),
    )
    op.create_index("ix_persona_memories_owner_key", "persona_memories", ["owner_key", "revision"])
    op.create_index("ix_persona_memories_document_id", "persona_memories", ["owner_key", "document_id"])
    op.create_table(
        "persona_documents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        _time_or_count("size"),
        _time_or_count("indexed_us"),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        _time_or_count("mtime_ns"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_documents"),
        sa.UniqueConstraint("owner_key", "path", name="uq_persona_documents_owner_key"),
    )
    op.create_table(
        "persona_chunks",
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("memory_id", sa.String(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "ordinal", name="pk_persona_chunks"),
    )
    op.create_index("ix_persona_chunks_digest", "persona_chunks", ["owner_key", "digest"])
    op.create_index("ix_persona_chunks_memory_id", "persona_chunks", ["memory_id"])
    op.create_table(
        "persona_summaries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("conversation_key", sa.BigInteger(), nullable=False),
        sa.Column("upto_id", sa.String(), nullable=False),
        sa.Column("upto_depth", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _time_or_count("created_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_summaries"),
    )
    op.create_index("ix_persona_summaries_conversation_key", "persona_summaries", ["conversation_key", "upto_depth"])


def _work() -> None:
    op.create_table(
        "persona_tasks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        _time_or_count("conversation_key"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("silences", sa.Integer(), nullable=False),
        _time_or_count("run_after_us"),
        _time_or_count("lease_until_us"),
        sa.Column("error", sa.String(), nullable=False),
        _time_or_count("created_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_tasks"),
    )
    op.create_index("ix_persona_tasks_due", "persona_tasks", ["state", "run_after_us"])
    op.create_table(
        "persona_calibrations",
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("counter", sa.String(), nullable=False),
        sa.Column("ratio", sa.Float(), nullable=False),
        sa.Column("error", sa.Float(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        _time_or_count("updated_us"),
        sa.PrimaryKeyConstraint("target", "counter", name="pk_persona_calibrations"),
    )

    op.create_table(
        "persona_changes",
        sa.Column("id", sa.String(), nullable=False),
        _time_or_count("at_us"),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_persona_changes"),
    )
    op.create_table(
        "persona_holds",
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        _time_or_count("since_us"),
        sa.PrimaryKeyConstraint("route", name="pk_persona_holds"),
    )
    op.create_table(
        "persona_meters",
        sa.Column("owner_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        _time_or_count("since_us"),
        _time_or_count("nano_usd"),
        _time_or_count("tokens"),
        sa.PrimaryKeyConstraint("owner_key", "scope", name="pk_persona_meters"),
    )


def _imports() -> None:
    op.create_table(
        "persona_imports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        *(_time_or_count(name) for name in ("line", "conversations", "messages", "rejected")),
        sa.Column("done", sa.Boolean(), nullable=False),
        _time_or_count("started_us"),
        _time_or_count("updated_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_imports"),
    )
    op.create_table(
        "persona_origins",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("conversation_key", sa.BigInteger(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        _time_or_count("line"),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_persona_origins"),
    )
    op.create_index("ix_persona_origins_conversation_key", "persona_origins", ["conversation_key"])


def _jobs() -> None:
    op.create_table(
        "persona_jobs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("backend", sa.String(), nullable=False),
        sa.Column("training", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("beside", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("estimate", sa.Text(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        _time_or_count("created_us"),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("again_of", sa.String(), nullable=False),
        sa.Column("ending", sa.String(), nullable=False),
        sa.Column("keep_hours", sa.Float(), nullable=True),
        *(_time_or_count(f"{name}_us") for name in ("checked", "ended", "expires", "cleaned", "lease_until")),
        sa.PrimaryKeyConstraint("id", name="pk_persona_jobs"),
    )


def _privacy() -> None:
    op.create_table(
        "persona_consents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("training", sa.Boolean(), nullable=False),
        _time_or_count("at_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_consents"),
    )
    op.create_index("ix_persona_consents_owner_key", "persona_consents", ["owner_key", "at_us"])
    op.create_table(
        "persona_receipts",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("erased_key", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("indexes", sa.Text(), nullable=False),
        sa.Column("consented", sa.Integer(), nullable=False),
        sa.Column("recalled", sa.Integer(), nullable=False),
        sa.Column("datasets", sa.Text(), nullable=False),
        sa.Column("models", sa.Text(), nullable=False),
        sa.Column("reports", sa.Text(), nullable=False),
        sa.Column("left_in", sa.String(), nullable=False),
        _time_or_count("erased_us"),
        _time_or_count("scrubbed_us"),
        sa.PrimaryKeyConstraint("number", name="pk_persona_receipts"),
        sa.UniqueConstraint("id", name="uq_persona_receipts_id"),
    )


def _datasets() -> None:
    op.create_table(
        "persona_datasets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        _time_or_count("receipts"),
        _time_or_count("newest_us"),
        _time_or_count("created_us"),
        sa.Column("replaced_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_persona_datasets"),
    )
    op.create_table(
        "persona_dataset_owners",
        _key(),
        sa.Column("owner_key", sa.BigInteger(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_persona_dataset_owners"),
    )
    op.create_index("ix_persona_dataset_owners_owner_key", "persona_dataset_owners", ["owner_key"])
    op.create_index("ix_persona_dataset_owners_dataset_id", "persona_dataset_owners", ["dataset_id"])


def _loop() -> None:
    op.create_table(
        "persona_evaluations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.Column("dataset_digest", sa.String(), nullable=False),
        sa.Column("settings_digest", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        _time_or_count("created_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_evaluations"),
    )
    op.create_index("ix_persona_evaluations_route", "persona_evaluations", ["route", "created_us"])
    op.create_table(
        "persona_promotions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("evaluation", sa.String(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        _time_or_count("at_us"),
        sa.PrimaryKeyConstraint("id", name="pk_persona_promotions"),
    )
    op.create_index("ix_persona_promotions_route", "persona_promotions", ["route", "at_us"])


def _key() -> sa.Column[int]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("key", number, autoincrement=True, nullable=False)


def _time_or_count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
