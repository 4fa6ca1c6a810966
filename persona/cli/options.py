"""The options that several commands share."""

from typing import Annotated

import typer


def decoded(name: str | None) -> str | None:
    """A name in UTF-8 whatever the locale says; bytes that are no UTF-8 stay as they are, to be refused."""
    if name is None:
        return None
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeDecodeError:
        return name


User = Annotated[
    str, typer.Option("--user", "-u", metavar="NAME", callback=decoded, help="Whom it is about: the user's name.")
]
AnyUser = Annotated[
    str | None,
    typer.Option("--user", "-u", metavar="NAME", callback=decoded, help="Look only among this user's replies."),
]
Tenant = Annotated[
    str, typer.Option("--tenant", metavar="NAME", callback=decoded, help="The customer the user belongs to.")
]
Route = Annotated[
    str | None, typer.Option("--route", metavar="NAME", help="The route of a new conversation, when there are several.")
]
Conversation = Annotated[
    str | None, typer.Option("--conversation", "-c", metavar="ID", help="Go on with this conversation, not a new one.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="PATH",
        envvar="PERSONA_CONFIG",
        help="The settings file.",
        show_default="persona.toml if it is here, else built in",
    ),
]
