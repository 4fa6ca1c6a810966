"""The table of a profile's slot: one thing that is worth knowing of every user, with its type."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from persona.settings.fields import Table

SlotType = Literal["text", "number", "integer", "boolean", "date", "choice"]


class SlotSettings(Table):
    """One slot of every user's profile."""

    type: SlotType = Field(default="text", description="What its values are; a date is written 2026-03-01.")
    choices: tuple[str, ...] = Field(
        default=(),
        validate_default=True,
        description='The values that there are, for the type "choice".',
    )
    many: bool = Field(default=False, description="Whether it holds several values; else a new one ends the last.")
    learn: bool = Field(default=True, description="Whether memory.learn may fill it from what the user says.")
    description: str = Field(
        default="", examples=["where the user lives"], description="What it is, for the model that learns it."
    )

    @field_validator("choices")
    @classmethod
    def _fit_the_type(cls, choices: tuple[str, ...], seen: ValidationInfo) -> tuple[str, ...]:
        chosen = seen.data.get("type") == "choice"
        if chosen and not choices:
            raise ValueError('must list the values, for the type is "choice"')
        if choices and not chosen and "type" in seen.data:
            raise ValueError('is for the type "choice" only')
        return choices
