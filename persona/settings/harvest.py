"""The table of harvest: what becomes training data, and what is taken out of it."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from persona.settings.fields import Language, Table


class SplitSettings(Table):
    """The shares of the users whose examples are for training, for validation and for testing."""

    train: float = Field(default=0.9, gt=0, le=1, description="Share of the users whose examples are trained on.")
    validation: float = Field(default=0.05, ge=0, lt=1, description="Share of those for validation during training.")
    test: float = Field(
        default=0.05, ge=0, lt=1, validate_default=True, description="Share of those for the test afterwards."
    )
    seed: int = Field(default=0, ge=0, description="Another number shares the users out anew.")

    @field_validator("test")
    @classmethod
    def _share_out_everything(cls, test: float, seen: ValidationInfo) -> float:
        if {"train", "validation"} <= seen.data.keys():
            total = float(seen.data["train"]) + float(seen.data["validation"]) + test
            if abs(total - 1) > 1e-6:
                raise ValueError(f"makes shares that sum to {total:g}; train, validation and test must sum to 1")
        return test


class HarvestSettings(Table):
    """What becomes training data."""

    consent: Literal["required", "not_required"] = Field(
        default="required",
        description="Whether only exchanges of users who agreed to training are taken. Where another ground allows "
        "it, not_required takes all of them, and the manifest says so.",
    )
    rows: Literal["exchange", "conversation"] = Field(
        default="exchange",
        description="What one example is: an exchange with loss on its reply, or a conversation with loss on all.",
    )
    system: Literal["keep", "short", "drop"] = Field(
        default="keep", description="The system prompts of an example: as they are, replaced by short_system, or none."
    )
    short_system: str = Field(
        default="You are a helpful assistant.", description="The system prompt that replaces the others."
    )
    memory: Literal["keep", "strip"] = Field(
        default="keep",
        description="Whether examples show what was remembered of the user. Replies that used it are dropped when not.",
    )
    min_reply_chars: int = Field(default=2, ge=1, description="Least characters of a reply that is worth learning.")
    max_tokens: int = Field(
        default=0, ge=0, description="Most tokens of an example; 0 for what the arm's window and the format take."
    )
    languages: tuple[Language, ...] = Field(
        default=(), examples=[["fr", "en"]], description="The languages that are taken (ISO 639-1); any when empty."
    )
    liked_from: float | None = Field(
        default=None,
        examples=[1.0],
        description="The rating from which a reply counts as liked; below, it is not trained on. Unset: ratings only "
        "decide which of two is better.",
    )
    exclude: tuple[str, ...] = Field(
        default=(),
        examples=[["eval/questions.jsonl"]],
        description="Files of examples that are held out elsewhere: what equals one nearly is never trained on.",
    )
    elsewhere: Literal["surrogate", "placeholder"] = Field(
        default="surrogate",
        description="What stands for personal data in text that is not learnt; in text that is, always a surrogate.",
    )
    keep: tuple[str, ...] = Field(
        default=(),
        examples=[["+33 1 23 45 67 89"]],
        description="What looks personal and is not, like your own hotline. What the system prompts say is kept too.",
    )
    presidio: tuple[str, ...] = Field(
        default=(),
        examples=[["patterns"]],
        description="What looks for further personal data, with the extra presidio: patterns for those of "
        "presidio-analyzer, the name of an installed spaCy model for names of people and places (en_core_web_lg), or "
        "MODULE:NAME of your own AnalyzerEngine.",
    )
    contradictions: Literal["best", "newest", "none"] = Field(
        default="best",
        description="Of replies to the same question that contradict each other: which one is kept, the best rated, "
        "the newest or none.",
    )
    per_user: int | None = Field(default=None, ge=1, examples=[200], description="Most examples of one user.")
    per_topic: int | None = Field(default=None, ge=1, examples=[2_000], description="Most examples on one topic.")
    per_template: int | None = Field(
        default=None,
        ge=1,
        examples=[50],
        description="Most examples whose questions differ in names and numbers alone.",
    )
    split: SplitSettings = Field(default_factory=SplitSettings, description="How users are shared out.")
    shard_examples: int = Field(
        default=0, ge=0, description="Most examples of a file; 0 for one file for each side of the split."
    )
    processes: int = Field(default=0, ge=0, description="Processes at work; 0 for one on each core.")
