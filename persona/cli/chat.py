"""`persona chat`: a conversation in the terminal, or one line in and one reply out in a pipe."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona.cli.opening import talking
from persona.cli.options import Config, Conversation, Json, Route, Tenant, User
from persona.cli.output import on_terminal, show, show_json
from persona.cli.words import reply_json

if TYPE_CHECKING:
    from persona.assistant.synchronous import Conversation as Chat


def chat(
    user: User,
    tenant: Tenant = "",
    route: Route = None,
    conversation: Conversation = None,
    history: Annotated[
        str | None,
        typer.Option(
            "--history", metavar="FILE", help="Keep what you type in this file, readable by you alone; else nowhere."
        ),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Talk to the assistant; /help lists the commands of a chat.

    Ctrl-C stops the reply that is being written, Ctrl-D leaves.

    In a pipe each line is a message, never a command, and its reply is printed. The first failure ends it.
    """
    with talking(config) as assistant:
        person = assistant.user(user, tenant)
        if json or not (sys.stdin.isatty() and on_terminal()):
            _answer_lines(person.conversation(conversation, route=route), json)
            return
        from persona.cli.session import Session

        Session(person, route, conversation).run(Path(history) if history else None)


def _answer_lines(conversation: "Chat", json: bool) -> None:
    for line in sys.stdin:
        if not line.strip():
            continue
        reply = conversation.send(line.rstrip("\r\n"))
        if json:
            show_json(reply_json(reply))
        else:
            show(reply.text)
