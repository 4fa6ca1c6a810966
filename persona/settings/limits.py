"""The table of a limit: how much somebody's model calls may use in a day or a month."""

from typing import Literal, Self

from pydantic import Field, model_validator

from persona.settings.fields import Table

NAMED: dict[str, tuple[str, ...]] = {
    "user": ("tenant", "user", "route"),
    "tenant": ("tenant", "route"),
    "route": ("route",),
    "all": (),
}
"""What may narrow a limit of each kind."""


class LimitRule(Table):
    """How much of the model each user, each tenant, each route, or everything together may use in a while."""

    by: Literal["user", "tenant", "route", "all"] = Field(
        examples=["user"], description="What has this much each: every user, tenant or route; or all of it together."
    )
    per: Literal["day", "month"] = Field(
        examples=["day"], description="In which time; days and months begin at midnight UTC."
    )
    usd: float | None = Field(
        default=None, ge=0, examples=[5.0], description="Most US dollars; a call of unknown price counts as 0."
    )
    tokens: int | None = Field(
        default=None, ge=0, examples=[200_000], description="Most tokens, read and written, as providers report them."
    )
    tenant: str = Field(default="", examples=["acme"], description="The tenant it is for; any when empty.")
    user: str = Field(default="", examples=["ada"], description="The user it is for, by name; any when empty.")
    route: str = Field(
        default="", examples=["default"], description="The route whose calls are counted alone; any when empty."
    )

    @model_validator(mode="after")
    def _say_something(self) -> Self:
        if self.usd is None and self.tokens is None:
            raise ValueError("limits nothing: set usd, tokens or both")
        for name in ("tenant", "user", "route"):
            if getattr(self, name) and name not in NAMED[self.by]:
                raise ValueError(f'cannot have a {name} with by = "{self.by}"')
        return self
