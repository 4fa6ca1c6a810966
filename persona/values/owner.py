"""Whoever owns memories: a user of a tenant, or a knowledge base."""

from typing import Literal

from persona.values.record import record


@record(frozen=True, slots=True)
class Owner:
    """The key under which everything is kept and without which no memory can be read."""

    tenant: str
    name: str
    kind: Literal["user", "knowledge"] = "user"


@record(frozen=True, slots=True)
class Traits:
    """What the input section says about the user; every field may be empty."""

    display_name: str = ""
    locale: str = ""
    time_zone: str = ""
