"""`persona why`: the window behind a reply."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import quiet, read_settings
from persona.cli.options import AnyUser, Config, Json, Tenant
from persona.cli.output import on_terminal, picture, show, show_json
from persona.errors import MisuseError
from persona.reports.spans import one_line

if TYPE_CHECKING:
    from persona.values.plan import Plan


def why(
    reply: Annotated[str, typer.Argument(metavar="REPLY", help="The id of the reply, msg_…")],
    user: AnyUser = None,
    tenant: Tenant = "",
    json: Json = False,
    config: Config = None,
) -> None:
    """Show what the model was shown for a reply, what it was not, and why."""
    from persona.assistant.operator import plan_of_reply
    from persona.values.owner import Owner

    if tenant and user is None:
        raise MisuseError("--tenant was given without --user", hint="name both, or neither")
    owner = None if user is None else Owner(tenant, user)
    found = asyncio.run(plan_of_reply(quiet(read_settings(config)), reply, owner))
    if json:
        whose = {"user": found.owner.name, "tenant": found.owner.tenant, "conversation_id": found.conversation_id}
        show_json({"reply_id": reply, **whose, **found.plan.to_dict()})
        return
    of_tenant = f" of {one_line(found.owner.tenant)}" if found.owner.tenant else ""
    show(f"for {one_line(found.owner.name)}{of_tenant}, conversation {one_line(found.conversation_id)}")
    show_plan(found.plan)


def show_plan(plan: "Plan") -> None:
    """The plan as a picture."""
    from persona.reports import window

    picture(
        lambda width: window.picture(plan, width), lambda width: window.plain_picture(plan, width, cut=on_terminal())
    )
