"""The tables, named `persona_…` so that they can live in a database that a backend already has.

Everything that belongs to somebody carries the key of its owner.

Times are UTC microseconds since the epoch (BIGINT): one form on every database, exact, and cheap to compare.
Ids of log rows are time-ordered text (`ids.py`); owners and conversations, which every row points to, have
small integer keys. JSON columns hold text that persona wrote and alone reads.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel, registry=registry(metadata=MetaData(naming_convention=NAMING))):
    """The base of persona's tables: a metadata of their own, apart from whatever tables the backend has."""


NEVER_AGAIN = {"sqlite_autoincrement": True}
"""SQLite would give the key of an erased owner or conversation to the next one, and caches go by keys."""

_BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in INTEGER PRIMARY KEY


def _key() -> Column[int]:
    return Column(_BIG, primary_key=True, autoincrement=True)


def _big(default: int = 0) -> Column[int]:
    return Column(BigInteger, nullable=False, server_default=text(str(default)))


class OwnerRow(Table, table=True):
    """A user of a tenant, or a knowledge base. `revision` counts every change to what it owns."""

    __tablename__ = "persona_owners"
    __table_args__ = (UniqueConstraint("tenant", "kind", "name"), NEVER_AGAIN)
    key: int | None = Field(default=None, sa_column=_key())
    tenant: str
    kind: str
    name: str
    revision: int = Field(default=0, sa_column=_big())
    consent: bool | None = None
    consent_us: int = Field(default=0, sa_column=_big())
    learning: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=true()))
    display_name: str = ""
    locale: str = ""
    time_zone: str = ""
    created_us: int = Field(default=0, sa_column=_big())


class ConversationRow(Table, table=True):
    """One conversation with one head. The lease says which turn holds it, and until when; `tags` is a JSON list."""

    __tablename__ = "persona_conversations"
    __table_args__ = (
        UniqueConstraint("owner_key", "id"),
        Index("ix_persona_conversations_listing", "owner_key", "updated_us", "key"),
        NEVER_AGAIN,
    )
    key: int | None = Field(default=None, sa_column=_key())
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    id: str
    route: str
    arm: str
    title: str = ""
    tags: str = Field(default="", sa_type=Text)
    head_id: str = ""
    depth: int = 0
    messages: int = 0
    revision: int = Field(default=0, sa_column=_big())
    anchor: str = Field(default="", sa_type=Text)
    last_exchange_id: str = ""
    archived_us: int = Field(default=0, sa_column=_big())
    created_us: int = Field(default=0, sa_column=_big())
    updated_us: int = Field(default=0, sa_column=_big())
    lease_turn_id: str = ""
    lease_until_us: int = Field(default=0, sa_column=_big())


class TurnRow(Table, table=True):
    """One user message, the work it causes, and the reply. An idempotency key is unique within its owner."""

    __tablename__ = "persona_turns"
    __table_args__ = (
        UniqueConstraint("owner_key", "idempotency_key"),
        Index("ix_persona_turns_conversation_key", "conversation_key"),
    )
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    conversation_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    message_id: str
    idempotency_key: str | None = None
    state: str
    reply_id: str = ""
    error: str = ""
    started_us: int = Field(default=0, sa_column=_big())
    ended_us: int = Field(default=0, sa_column=_big())


class MessageRow(Table, table=True):
    """One message; its parent makes the conversation a tree. `tokens` maps a counter's name to its count."""

    __tablename__ = "persona_messages"
    __table_args__ = (Index("ix_persona_messages_conversation_key", "conversation_key", "depth"),)
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    conversation_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    turn_id: str
    parent_id: str = ""
    depth: int = 0
    role: str
    parts: str = Field(sa_type=Text)
    tokens: str = Field(default="", sa_type=Text)
    created_us: int = Field(default=0, sa_column=_big())


class ExchangeRow(Table, table=True):
    """One model call as logged: what was sent (the plan), to whom, what it used, and how it ended.

    `purpose` is `turn` for a reply, else the kind of the task that called. `planned_tokens` and `prefix_tokens` are the
    plan's own, beside it so that they can be summed without reading it. `partial` is what a cut stream had brought,
    `said` what a shadow said, as parts: no message holds either.
    """

    __tablename__ = "persona_exchanges"
    __table_args__ = (
        Index("ix_persona_exchanges_turn_id", "turn_id"),
        Index("ix_persona_exchanges_owner_key", "owner_key", "reply_id"),
    )
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    conversation_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    turn_id: str
    number: int
    purpose: str = "turn"
    reply_id: str = ""
    route: str
    arm: str
    provider: str
    model: str
    served_model: str = ""
    request_id: str = ""
    plan: str = Field(sa_type=Text)
    planned_tokens: int = 0
    prefix_tokens: int = 0
    outcome: str
    stop: str = ""
    error: str = ""
    partial: str = Field(default="", sa_type=Text)
    said: str = Field(default="", sa_type=Text)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: str = ""
    cost_source: str = ""
    consent: bool | None = None
    started_us: int = Field(default=0, sa_column=_big())
    first_token_ms: float | None = None
    latency_ms: float = 0.0


class AttemptRow(Table, table=True):
    """One try at an exchange."""

    __tablename__ = "persona_attempts"
    exchange_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    provider: str
    model: str
    outcome: str
    status: int | None = None
    started_us: int = Field(default=0, sa_column=_big())
    latency_ms: float = 0.0


class FeedbackRow(Table, table=True):
    """A rating, a correction, a comment or a regeneration, on one reply."""

    __tablename__ = "persona_feedback"
    __table_args__ = (
        Index("ix_persona_feedback_message_id", "message_id"),
        Index("ix_persona_feedback_owner_key", "owner_key"),
    )
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    conversation_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    message_id: str
    kind: str
    rating: float | None = None
    text: str = Field(default="", sa_type=Text)
    created_us: int = Field(default=0, sa_column=_big())


class FactRow(Table, table=True):
    """One entry of a profile, superseded rather than overwritten.

    `digest` is the same for the same fact in other capitals; `value` is JSON, empty without a slot; `told_us` is when
    it was told last.
    """

    __tablename__ = "persona_facts"
    __table_args__ = (Index("ix_persona_facts_owner_key", "owner_key", "valid_to_us"),)
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: str
    text: str = Field(sa_type=Text)
    digest: str = ""
    slot: str = ""
    value: str = Field(default="", sa_type=Text)
    origin: str
    message_id: str = ""
    valid_from_us: int = Field(default=0, sa_column=_big())
    valid_to_us: int = Field(default=0, sa_column=_big())
    told_us: int = Field(default=0, sa_column=_big())
    created_us: int = Field(default=0, sa_column=_big())


class MemoryRecord(Table, table=True):
    """A text with a vector and an owner. A deleted row is a tombstone: no text, no vector, newer revision."""

    __tablename__ = "persona_memories"
    __table_args__ = (
        Index("ix_persona_memories_owner_key", "owner_key", "revision"),
        Index("ix_persona_memories_document_id", "owner_key", "document_id"),
    )
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: str
    text: str = Field(sa_type=Text)
    embedder: str = ""
    vector: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    terms: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    title: str = ""
    heading: str = ""
    fact_kind: str = ""
    message_id: str = ""
    conversation_key: int = Field(default=0, sa_column=_big())
    depth: int = 0
    document_id: str = ""
    page: int = 0
    at_us: int = Field(default=0, sa_column=_big())
    deleted: bool = False


class DocumentRow(Table, table=True):
    """One file of a knowledge base: what it held when it was indexed, or the problem that kept it from being."""

    __tablename__ = "persona_documents"
    __table_args__ = (UniqueConstraint("owner_key", "path"),)
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    path: str
    title: str
    origin: str
    chunks: int
    size: int = Field(default=0, sa_column=_big())
    indexed_us: int = Field(default=0, sa_column=_big())
    problem: str = Field(default="", sa_type=Text)
    remark: str = Field(default="", sa_type=Text)
    sha256: str
    mtime_ns: int = Field(default=0, sa_column=_big())


class ChunkRow(Table, table=True):
    """One piece of a document, and the memory that holds its text, which is one for all the same pieces of an owner.

    `digest` is that of the text under its heading.
    """

    __tablename__ = "persona_chunks"
    __table_args__ = (
        Index("ix_persona_chunks_digest", "owner_key", "digest"),
        Index("ix_persona_chunks_memory_id", "memory_id"),
    )
    document_id: str = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    digest: str
    memory_id: str
    page: int = 0


class SummaryRow(Table, table=True):
    """What was said in a conversation up to and including one message."""

    __tablename__ = "persona_summaries"
    __table_args__ = (Index("ix_persona_summaries_conversation_key", "conversation_key", "upto_depth"),)
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    conversation_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    upto_id: str
    upto_depth: int
    text: str = Field(sa_type=Text)
    created_us: int = Field(default=0, sa_column=_big())


class TaskRow(Table, table=True):
    """Background work: the outbox. A task is deleted when done; `run_after_us` puts a failed one off.

    `silences` counts the attempts of which nothing was heard again before their lease ended.
    """

    __tablename__ = "persona_tasks"
    __table_args__ = (Index("ix_persona_tasks_due", "state", "run_after_us"),)
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    conversation_key: int = Field(default=0, sa_column=_big())
    kind: str
    subject: str = Field(sa_column=Column(String, nullable=False))
    state: str
    attempts: int = 0
    silences: int = 0
    run_after_us: int = Field(default=0, sa_column=_big())
    lease_until_us: int = Field(default=0, sa_column=_big())
    error: str = ""
    created_us: int = Field(default=0, sa_column=_big())


class ConsentRow(Table, table=True):
    """One answer of an owner to the question whether their exchanges may be used for training."""

    __tablename__ = "persona_consents"
    __table_args__ = (Index("ix_persona_consents_owner_key", "owner_key", "at_us"),)
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    training: bool
    at_us: int = Field(default=0, sa_column=_big())


class ReceiptRow(Table, table=True):
    """What was erased, and what may still hold it: numbers, no name and no text of anybody.

    `number` counts without a gap in the order of the commits, so that caches can follow; `erased_key` is the key of
    the owner it was taken from, which is never used again. `counts` and `indexes`, `datasets`, `models` and
    `reports` are JSON; `left_in` says where traces of it may be until they are scrubbed.
    """

    __tablename__ = "persona_receipts"
    __table_args__ = (UniqueConstraint("id"),)
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    id: str
    scope: str
    erased_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    counts: str = Field(sa_type=Text)
    indexes: str = Field(sa_type=Text)
    consented: int = 0
    recalled: int = 0
    datasets: str = Field(default="", sa_type=Text)
    models: str = Field(default="", sa_type=Text)
    reports: str = Field(default="", sa_type=Text)
    left_in: str = ""
    erased_us: int = Field(default=0, sa_column=_big())
    scrubbed_us: int = Field(default=0, sa_column=_big())


class ImportRow(Table, table=True):
    """How far the import of a file has come; `id` is its digest, `line` the last one that is stored or set aside."""

    __tablename__ = "persona_imports"
    id: str = Field(primary_key=True)
    form: str
    line: int = Field(default=0, sa_column=_big())
    conversations: int = Field(default=0, sa_column=_big())
    messages: int = Field(default=0, sa_column=_big())
    rejected: int = Field(default=0, sa_column=_big())
    done: bool = False
    started_us: int = Field(default=0, sa_column=_big())
    updated_us: int = Field(default=0, sa_column=_big())


class OriginRow(Table, table=True):
    """Where an imported conversation, or a piece of it, comes from: the file's import and its line.

    `messages` is how many it has, `instructions` the system prompt it was held under, and `details` the metadata of the
    row as JSON.
    """

    __tablename__ = "persona_origins"
    __table_args__ = (Index("ix_persona_origins_conversation_key", "conversation_key"),)
    id: str = Field(primary_key=True)
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    conversation_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    import_id: str
    line: int = Field(default=0, sa_column=_big())
    messages: int = 0
    instructions: str = Field(default="", sa_type=Text)
    details: str = Field(default="", sa_type=Text)


class DatasetRow(Table, table=True):
    """One dataset that was made of the log: where it lies, and what its manifest says.

    `receipts` is the number of the newest receipt when it was made: later ones tell what it may hold and should not.
    `state` is `writing`, `ready` or `replaced`; then `replaced_by` names the dataset that holds what may stay.
    """

    __tablename__ = "persona_datasets"
    id: str = Field(primary_key=True)
    route: str
    path: str = Field(sa_type=Text)
    state: str
    examples: int = 0
    manifest: str = Field(sa_type=Text)
    receipts: int = Field(default=0, sa_column=_big())
    newest_us: int = Field(default=0, sa_column=_big())
    created_us: int = Field(default=0, sa_column=_big())
    replaced_by: str = ""


class DatasetOwnerRow(Table, table=True):
    """How many examples of a dataset were made of what one owner said. Of a merged user there may be two such rows."""

    __tablename__ = "persona_dataset_owners"
    __table_args__ = (
        Index("ix_persona_dataset_owners_owner_key", "owner_key"),
        Index("ix_persona_dataset_owners_dataset_id", "dataset_id"),
    )
    key: int | None = Field(default=None, sa_column=_key())
    owner_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    dataset_id: str
    examples: int = 0


class CalibrationRow(Table, table=True):
    """How many tokens a provider reports for one of a counter's."""

    __tablename__ = "persona_calibrations"
    target: str = Field(primary_key=True)
    counter: str = Field(primary_key=True)
    ratio: float
    error: float
    samples: int
    updated_us: int = Field(default=0, sa_column=_big())


class ChangeRow(Table, table=True):
    """A change of what is served: who made it and when, and the setting before and after."""

    __tablename__ = "persona_changes"
    id: str = Field(primary_key=True)
    at_us: int = Field(default=0, sa_column=_big())
    who: str
    key: str
    before: str = Field(default="", sa_type=Text)
    after: str = Field(default="", sa_type=Text)
    why: str = Field(default="", sa_type=Text)


class HoldRow(Table, table=True):
    """The arm that a route serves whatever the settings say; released, it is gone, and its changes stay."""

    __tablename__ = "persona_holds"
    route: str = Field(primary_key=True)
    arm: str
    who: str
    why: str = Field(default="", sa_type=Text)
    since_us: int = Field(default=0, sa_column=_big())


class MeterRow(Table, table=True):
    """What was used since a time of what a limit counts. `owner_key` is 0 but for a user's; `scope` is JSON."""

    __tablename__ = "persona_meters"
    owner_key: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    scope: str = Field(primary_key=True)
    since_us: int = Field(default=0, sa_column=_big())
    nano_usd: int = Field(default=0, sa_column=_big())
    tokens: int = Field(default=0, sa_column=_big())


class PromptRow(Table, table=True):
    """The words behind a digest in a plan (instructions, a shot), kept once so that a request can be read."""

    __tablename__ = "persona_prompts"
    digest: str = Field(primary_key=True)
    text: str = Field(sa_type=Text)


class EvaluationRow(Table, table=True):
    """A comparison of two arms of a route: its numbers as JSON, and where its report lies. No text of anybody."""

    __tablename__ = "persona_evaluations"
    __table_args__ = (Index("ix_persona_evaluations_route", "route", "created_us"),)
    id: str = Field(primary_key=True)
    route: str
    base: str
    other: str
    dataset_digest: str
    settings_digest: str
    verdict: str
    numbers: str = Field(sa_type=Text)
    report: str = Field(default="", sa_type=Text)
    created_us: int = Field(default=0, sa_column=_big())


class PromotionRow(Table, table=True):
    """One step of an arm towards serving its route, or back: who took it, on what grounds, and what served before.

    `before` is JSON: the route's shares and its shadow. `refused` holds the reasons that a forced step went over.
    """

    __tablename__ = "persona_promotions"
    __table_args__ = (Index("ix_persona_promotions_route", "route", "at_us"),)
    id: str = Field(primary_key=True)
    route: str
    arm: str
    step: str
    target: str
    who: str
    why: str = Field(default="", sa_type=Text)
    refused: str = Field(default="", sa_type=Text)
    evaluation: str = ""
    dataset: str = Field(default="", sa_type=Text)
    job: str = ""
    before: str = Field(default="", sa_type=Text)
    at_us: int = Field(default=0, sa_column=_big())


class JobRow(Table, table=True):
    """A tuning run. The row is there before the backend is asked; whoever asks it holds the lease meanwhile.

    `training`, `estimate` and `progress` are JSON; the last is null before the backend first said something.
    """

    __tablename__ = "persona_jobs"
    id: str = Field(primary_key=True)
    backend: str
    training: str = Field(sa_type=Text)
    dataset: str = Field(sa_type=Text)
    dataset_id: str
    beside: str = Field(sa_type=Text)
    digest: str
    format: str
    estimate: str = Field(sa_type=Text)
    who: str
    created_us: int = Field(default=0, sa_column=_big())
    state: str
    handle: str = Field(default="", sa_type=Text)
    progress: str = Field(default="", sa_type=Text)
    problem: str = Field(default="", sa_type=Text)
    again_of: str = ""
    ending: str = ""
    keep_hours: float | None = None
    checked_us: int = Field(default=0, sa_column=_big())
    ended_us: int = Field(default=0, sa_column=_big())
    expires_us: int = Field(default=0, sa_column=_big())
    cleaned_us: int = Field(default=0, sa_column=_big())
    lease_until_us: int = Field(default=0, sa_column=_big())
