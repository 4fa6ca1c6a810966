"""`persona lineage`: where a model comes from, and what was made of a user's words."""

from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json, Tenant, decoded
from persona.cli.output import aside, show, show_json
from persona.errors import MisuseError
from persona.values.owner import Owner

if TYPE_CHECKING:
    from persona.promotion.lineage import Lineage, Link


def lineage(
    wanted: Annotated[
        str, typer.Argument(metavar="[THING]", help="A route, model, dataset, job, comparison or step.")
    ] = "",
    user: Annotated[
        str, typer.Option("--user", "-u", metavar="NAME", callback=decoded, help="What was made of this user's words.")
    ] = "",
    tenant: Tenant = "",
    json: Json = False,
    config: Config = None,
) -> None:
    """Print what something came from and what came of it: users, datasets, jobs, models, comparisons, steps, routes.

    Users are printed as the keys of their rows, never by name.
    """
    if bool(wanted) == bool(user):
        raise MisuseError("the lineage of what?", hint="name a route, a model or a dataset, or pass --user")
    from persona.assistant.lineages import lineage_of, lineage_of_user

    settings = read_settings(config)
    found = lineage_of_user(settings, Owner(tenant, user)) if user else lineage_of(settings, wanted)
    if json:
        show_json(found.to_dict())
    else:
        _show(found)


def _show(found: "Lineage") -> None:
    show(", ".join(f"{one.kind} {one.id}" for one in found.of))
    for title, links in (("came from", found.earlier), ("led to", found.later)):
        if links:
            show(title)
        for link in links:
            show(_line(link))
    if not found.later:
        aside("nothing came of it that is known here")


def _line(link: "Link") -> str:
    words = f" ({link.words})" if link.words else ""
    return f"  {link.earlier.kind} {link.earlier.id} -> {link.later.kind} {link.later.id}{words}"
