"""The table of a route: prompt, knowledge, window, shots and arms."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from persona.settings.fields import Name, Table, TargetText, Texts, is_target
from persona.settings.window import ArmWindow, Window

EMBEDDED_TARGET = "embedded:extractive-1"
INSTRUCTIONS = (
    "You are a helpful assistant: answer in the language of the user, briefly, and say so when you do not know."
)
InputTrait = Literal["date", "time", "time_zone", "locale", "user"]


def _all_of_it(value: object) -> object:
    return {value: 1.0} if isinstance(value, str) else value


Shares = Annotated[Mapping[str, float], BeforeValidator(_all_of_it, json_schema_input_type=str | Mapping[str, float])]
"""Which arms serve which share of the conversations; a single name is taken as all of them."""


class Shot(Table):
    """One demonstration: what a user says, and the reply that is wanted."""

    user: str = Field(min_length=1, examples=["When do you open?"], description="What the user says.")
    assistant: str = Field(min_length=1, examples=["At nine."], description="The reply that is wanted.")


class Shots(Table):
    """The few-shot demonstrations of a route."""

    choose: Literal["all", "similar"] = Field(
        default="all",
        description="Which shots are sent: the first ones, or those nearest to the first message.",
    )
    limit: int = Field(default=4, ge=0, description="Most shots that are sent.")
    items: tuple[Shot, ...] = Field(
        default=(),
        examples=[[{"user": "When do you open?", "assistant": "At nine."}]],
        description="The shots, in order.",
    )


class Arm(Table):
    """A named way to serve a route."""

    target: TargetText = Field(examples=[EMBEDDED_TARGET], description="The provider and the model, provider:model.")
    instructions: Texts | None = Field(
        default=None,
        examples=[[INSTRUCTIONS]],
        description="System prompts of this arm, instead of the route's.",
    )
    window: ArmWindow = Field(default_factory=ArmWindow, description="What this arm changes in the route's window.")


class Canary(Table):
    """How `persona promote` tries an arm on some users, and when it is taken back by itself."""

    share: float = Field(default=0.1, gt=0, lt=1, description="The share of the users that a canary gets.")
    users: int = Field(default=30, ge=0, description="Users it must have served before it may be promoted.")
    rollback: bool = Field(
        default=True,
        description="Whether a canary that does clearly worse than the arm beside it is taken back by a hold.",
    )
    cost_ratio: float = Field(
        default=1.5, gt=0, description="How many times the other arm's cost of a turn a canary may cost."
    )


class Route(Table):
    """What a backend asks for by name.

    `target` is only a way to write the arm `base`: it is moved there, and is None once it was read.
    """

    target: TargetText | None = Field(
        default=None,
        examples=[EMBEDDED_TARGET],
        description="The target of the arm base, provider:model; short for a table arms.base.",
    )
    instructions: Texts = Field(
        default=(INSTRUCTIONS,), description="System prompts, in order; {{ name }} stands for a variable."
    )
    variables: Mapping[Name, str] = Field(
        default_factory=dict, description="Texts that the instructions use as {{ name }}."
    )
    knowledge: tuple[str, ...] = Field(default=(), description="Names of the knowledge this route may show.")
    window: Window = Field(default_factory=Window, description="How the window is fitted.")
    shots: Shots = Field(default_factory=Shots, description="Few-shot demonstrations.")
    arms: Mapping[Name, Arm] = Field(
        default_factory=dict,
        validate_default=True,
        examples=["tuned"],
        description="Named ways to serve the route.",
    )
    serve: Shares = Field(
        default_factory=lambda: {"base": 1.0},
        validate_default=True,
        examples=["base"],
        description="The arm that serves, or a table of arms with shares that sum to 1.",
    )
    fallback: tuple[TargetText, ...] = Field(
        default=(), description="Targets to try in order when the arm's target fails, each provider:model."
    )
    summarise: str = Field(default="", description="The route that writes the summaries; empty for none.")
    shadow: str = Field(
        default="",
        examples=["tuned"],
        description="The arm that is asked as well after each turn on another one, unseen, to compare; empty for none.",
    )
    canary: Canary = Field(default_factory=Canary, description="How an arm is tried on some users.")
    temperature: float | None = Field(
        default=None, ge=0, examples=[0.7], description="Sampling temperature, sent when it is set."
    )
    max_output_tokens: int | None = Field(
        default=None, ge=1, examples=[1024], description="Most tokens of a reply, sent when it is set."
    )
    input: tuple[InputTrait, ...] = Field(
        default=("date", "time", "time_zone", "locale", "user"),
        description="What is stated beside the user's message.",
    )

    @model_validator(mode="before")
    @classmethod
    def _spell_out_target(cls, raw: Any) -> Any:
        """Moves `target` into the arm `base`. What is wrong stays, to be named where it was written."""
        if not isinstance(raw, Mapping) or not is_target(raw.get("target")):
            return raw
        arms = raw.get("arms", {})
        if not isinstance(arms, Mapping) or "base" in arms:
            return raw
        rest = {name: value for name, value in raw.items() if name != "target"}
        return {**rest, "arms": {"base": {"target": raw["target"]}, **arms}}

    @field_validator("arms")
    @classmethod
    def _have_one(cls, arms: Mapping[str, Arm], seen: ValidationInfo) -> Mapping[str, Arm]:
        if seen.data.get("target"):
            raise ValueError("name the arm base, and so does the shorthand target: keep one of them")
        for name, arm in arms.items():
            window = arm.window.over(seen.data.get("window", Window()))
            if "window" in seen.data and window.reserve >= window.budget:
                raise ValueError(
                    f"give {name!r} a reserve of {window.reserve}, which leaves nothing of its budget "
                    f"({window.budget}) for the input: raise budget, or lower reserve"
                )
        unread_target = "target" not in seen.data  # it was wrong, and is named already
        return {"base": Arm(target=EMBEDDED_TARGET), **arms} if unread_target or not arms else arms

    @field_validator("serve")
    @classmethod
    def _share_out_everything(cls, serve: Mapping[str, float]) -> Mapping[str, float]:
        for name, share in serve.items():
            if share <= 0:
                raise ValueError(f"gives {name!r} a share of {share}; leave it out, or give it more than 0")
        total = math.fsum(serve.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"has shares that sum to {total:g}; they must sum to 1")
        return serve

    def window_of(self, arm: str) -> Window:
        """The window settings of one arm: the route's, with the arm's budget and reserve."""
        return self.arms[arm].window.over(self.window)

    def instructions_of(self, arm: str) -> tuple[str, ...]:
        """The system prompts of one arm: its own, or the route's."""
        own = self.arms[arm].instructions
        return self.instructions if own is None else own
