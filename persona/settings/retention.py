"""The table of a retention rule: how long conversations are kept."""

from pydantic import Field

from persona.settings.fields import Table

_LONGEST_DAYS = 36_500  # a century


class RetentionRule(Table):
    """After how long conversations are deleted, for one tenant and route or for several."""

    tenant: str = Field(default="", examples=["acme"], description="The tenant it is for; any when empty.")
    route: str = Field(default="", examples=["default"], description="The route it is for; any when empty.")
    days: int = Field(
        ge=1,
        le=_LONGEST_DAYS,
        examples=[365],
        description="Days after its last turn that a conversation is deleted.",
    )
    archived_days: int | None = Field(
        default=None,
        ge=1,
        le=_LONGEST_DAYS,
        examples=[30],
        description="Days for archived ones, since they were archived or last used; as the others when unset.",
    )
