"""`persona ask`: one turn."""

import sys
from typing import Annotated

import typer

from persona.cli.opening import talking
from persona.cli.options import Config, Conversation, Json, Route, Tenant, User
from persona.cli.output import aside, show, show_json
from persona.cli.words import reply_json, sources


def ask(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say; - reads it from standard input.")],
    user: User,
    tenant: Tenant = "",
    route: Route = None,
    conversation: Conversation = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Ask once and print the reply."""
    said = sys.stdin.read().removesuffix("\n") if text == "-" else as_text(text)
    with talking(config) as assistant:
        reply = assistant.user(user, tenant).conversation(conversation, route=route).send(said)
        if json:
            show_json(reply_json(reply))
            return
        show(reply.text)
        if reply.sources:
            aside(f"from {sources(reply)}")
        aside(f"persona why {reply.id}")


def as_text(argument: str) -> str:
    """An argument of the command line as text: bytes that are no UTF-8 are replaced."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
