"""A chat in a terminal: reads lines, shows replies as they come, and knows a few commands."""

import sys
from collections.abc import Callable
from pathlib import Path

from persona.assistant.synchronous import User
from persona.cli.lines import Lines
from persona.cli.output import aside, show, show_error
from persona.cli.users import show_facts
from persona.cli.why import show_plan
from persona.cli.words import sources
from persona.errors import MisuseError, PersonaError
from persona.reports.spans import harmless, one_line
from persona.values.request import TextDelta
from persona.values.turn import Reply

_LEAVE = "/quit"


class Session:
    """One person at a terminal, and the conversation they are in."""

    def __init__(self, user: User, route: str | None, conversation: str | None) -> None:
        self._user = user
        self._route = route
        self._chat = user.conversation(conversation, route=route)
        self._reply: Reply | None = None
        self._commands: dict[str, tuple[str, Callable[[str], None]]] = {
            "/why": ("show the window behind the last reply", self._why),
            "/facts": ("list what is known about you", self._facts),
            "/remember": ("TEXT  keep a fact about you", self._remember),
            "/forget": ("ID  end a fact", self._forget),
            "/new": ("start another conversation", self._new),
            "/help": ("list these commands", self._help),
            _LEAVE: ("leave; so does Ctrl-D", lambda _: None),
        }

    def run(self, history: Path | None) -> None:
        """Reads and answers until the person leaves."""
        aside(f"you are {one_line(self._user.name)}; /help lists the commands, Ctrl-D leaves")
        with Lines(list(self._commands), history) as lines:
            while (line := lines.read()) is not None and line.strip() != _LEAVE:
                self._take(line)
        if self._reply:
            aside(f"to go on: persona chat --user {self._user.name} --conversation {self._chat.id}")

    def _take(self, line: str) -> None:
        try:
            if line.startswith("/"):
                self._command(*line.split(maxsplit=1))
            elif line.strip():
                self._say(line)
        except PersonaError as error:
            show_error(error)
        except KeyboardInterrupt:
            aside("\nstopped")

    def _say(self, text: str) -> None:
        """Sends a message. An interruption leaves the stream, which cancels the turn and logs it as such."""
        with self._chat.stream(text) as turn:
            for event in turn:
                if isinstance(event, TextDelta):
                    sys.stdout.write(harmless(event.text))
                    sys.stdout.flush()
        self._reply = turn.reply
        show("")
        if self._reply.sources:
            aside(f"from {one_line(sources(self._reply))}")

    def _command(self, name: str, rest: str = "") -> None:
        if name not in self._commands:
            raise MisuseError(
                f"there is no command {name!r}",
                hint=f"the commands are {', '.join(self._commands)}; a space before the / sends it as a message",
            )
        self._commands[name][1](rest.strip())

    def _why(self, _: str) -> None:
        if self._reply is None:
            raise MisuseError("there is no reply to explain yet", hint="say something first")
        show_plan(self._chat.why(self._reply.id))

    def _facts(self, _: str) -> None:
        show_facts(self._user.facts(), self._user.name)

    def _remember(self, text: str) -> None:
        if not text:
            raise MisuseError("/remember needs the fact", hint="for example: /remember I am vegetarian")
        kept = self._user.remember(text, origin="user")
        show(f"remembered {kept.id}")

    def _forget(self, fact_id: str) -> None:
        if not fact_id:
            raise MisuseError("/forget needs the id of a fact", hint="/facts lists them")
        self._user.forget(fact_id)
        show("forgotten")

    def _new(self, _: str) -> None:
        self._chat, self._reply = self._user.conversation(route=self._route), None
        show("a new conversation")

    def _help(self, _: str) -> None:
        for name, (about, _do) in self._commands.items():
            show(f"  {name:<10} {about}")
