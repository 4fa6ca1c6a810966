"""The window settings of a route: how many tokens there are, and how the sections share them."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo, field_validator, model_validator

from persona.settings.fields import Table


def _share(value: object) -> int | float:
    if isinstance(value, str):  # from the environment
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number: an integer is tokens, 0.0 to 1.0 is a share")  # noqa: TRY004 (pydantic)
    if isinstance(value, float) and not 0 <= value <= 1:
        raise ValueError("must be a share from 0.0 to 1.0, or an integer number of tokens")
    if value < 0:
        raise ValueError("must not be negative")
    if value == 1 and isinstance(value, int):
        raise ValueError("is one token: write 1.0 for everything")
    return value


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


Share = Annotated[int | float, PlainValidator(_share, json_schema_input_type=int | float)]
"""Tokens when an int, a share of the budget less the reserve (0.0 to 1.0) when a float."""


class Section(Table):
    """How much a section must get and may get, and who is served first."""

    min: Share = Field(
        default=0,
        description="Least it gets: an integer of tokens, or a share 0.0 to 1.0 of budget less reserve.",
    )
    max: Share = Field(
        default=1.0,
        description="Most it gets: an integer of tokens, or a share 0.0 to 1.0 of budget less reserve.",
    )
    priority: int = Field(default=5, ge=0, description="Who is served first: the lowest number.")

    @field_validator("max")
    @classmethod
    def _not_below_min(cls, most: int | float, seen: ValidationInfo) -> int | float:
        least = seen.data.get("min")
        if type(least) is type(most) and least is not None and least > most:
            raise ValueError(f"is {most}, which is below min ({least})")
        return most


class Sections(Table):
    """The sections that share the window; a table that names some keys keeps the other defaults."""

    shots: Section = Field(default=Section(max=0.15, priority=4), description="Few-shot demonstrations.")
    profile: Section = Field(default=Section(max=0.10, priority=1), description="Facts and preferences of the user.")
    summary: Section = Field(
        default=Section(max=0.10, priority=3), description="What was said before the history shown."
    )
    history: Section = Field(
        default=Section(min=0.20, priority=5), description="Whole turns of the conversation, newest kept."
    )
    recall: Section = Field(default=Section(max=0.15, priority=2), description="Memories and knowledge for this turn.")

    @model_validator(mode="before")
    @classmethod
    def _keep_other_defaults(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        defaults = {name: field.default.model_dump() for name, field in cls.model_fields.items()}
        return {
            name: {**defaults.get(name, {}), **given} if isinstance(given, Mapping) else given
            for name, given in raw.items()
        }


class Window(Table):
    """How a route's windows are fitted."""

    budget: int = Field(default=8192, ge=1, description="Tokens of one model call, input and reply together.")
    reserve: int = Field(
        default=1024,
        ge=1,
        validate_default=True,  # a budget alone may be below it
        description="Tokens of the budget kept for the reply.",
    )
    low_water: float = Field(
        default=0.6, gt=0, le=1, description="Share of its grant that history falls to when it overflows."
    )
    summarise_at: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="Share of its grant at which history is summarised in the background.",
    )
    sections: Sections = Field(
        default_factory=Sections,
        description="How the sections share the budget; the lowest priority number is served first.",
    )

    @field_validator("reserve")
    @classmethod
    def _below_budget(cls, reserve: int, seen: ValidationInfo) -> int:
        budget = seen.data.get("budget")
        if budget is not None and reserve >= budget:
            raise ValueError(
                f"is {reserve}, which leaves nothing of the budget ({budget}) for the input: "
                "raise budget, or lower reserve"
            )
        return reserve

    @field_validator("sections")
    @classmethod
    def _minimums_fit(cls, sections: Sections, seen: ValidationInfo) -> Sections:
        if "budget" not in seen.data or "reserve" not in seen.data:
            return sections
        limit = seen.data["budget"] - seen.data["reserve"]
        shares = [getattr(sections, name).min for name in Sections.model_fields]
        wanted = sum(share if isinstance(share, int) else share * limit for share in shares)
        if wanted > limit + 0.5:  # half a token forgives the rounding of shares
            raise ValueError(f"ask for at least {wanted:.0f} tokens in all, but budget less reserve is {limit}")
        return sections


class ArmWindow(Table):
    """What one arm changes in its route's window."""

    budget: int | None = Field(
        default=None,
        ge=1,
        examples=[4096],
        description="Tokens of one model call on this arm, instead of the route's.",
    )
    reserve: int | None = Field(
        default=None,
        ge=1,
        examples=[512],
        description="Tokens kept for the reply on this arm, instead of the route's.",
    )
    shots: bool = Field(default=True, description="Whether this arm is sent the shots; a tuned model needs none.")

    def over(self, window: Window) -> Window:
        """The route's window with this arm's budget and reserve."""
        changed = {"budget": self.budget, "reserve": self.reserve}
        return window.model_copy(update={name: value for name, value in changed.items() if value is not None})
