"""The replies of a logged conversation, each with what the log says of it: a candidate for an example."""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from persona.values.log import LoggedConversation, LoggedExchange, LoggedFeedback
from persona.values.message import Message
from persona.values.record import record


@record(frozen=True, slots=True)
class Opinion:
    """What was said of one reply last: its rating and its correction; and whether another one was asked for."""

    rating: float | None = None
    correction: str = ""
    regenerated: bool = False


_NO_OPINION = Opinion()


@record(frozen=True, slots=True)
class LoggedTurn:
    """A turn of a conversation: its last exchange, those of its tool rounds before it, its user message and its reply.

    `reply` is None where the exchange brought none. `on_path` says that the conversation went on from it, or ends with
    it; `continued` that the user went on from it.
    """

    conversation: LoggedConversation
    exchange: LoggedExchange
    rounds: tuple[LoggedExchange, ...]
    asked: Message | None
    reply: Message | None
    opinion: Opinion
    on_path: bool
    continued: bool


@record(frozen=True, slots=True)
class Tree:
    """A conversation's messages by id, the path to its head, oldest first, and the opinions by message."""

    messages: Mapping[str, Message]
    path: tuple[Message, ...]
    opinions: Mapping[str, Opinion]

    def up_to(self, message: Message) -> list[Message]:
        """The path from the root to a message, which it ends with."""
        found = [message]
        while (parent := self.messages.get(found[-1].parent_id)) is not None:
            found.append(parent)
        return found[::-1]


def tree_of(conversation: LoggedConversation, shown: Sequence[Message]) -> Tree:
    """The conversation as a tree. Of its messages only those that are `shown` can be reached from one another."""
    every = {message.id: message for message in conversation.messages}
    path, at = [], every.get(conversation.head_id)
    while at is not None:
        path.append(at)
        at = every.get(at.parent_id)
    reached = every if shown is conversation.messages else {message.id: message for message in shown}
    return Tree(reached, tuple(path[::-1]), _opinions(conversation.feedback))


def turns_of(conversation: LoggedConversation, tree: Tree) -> list[LoggedTurn]:
    """The turns of a conversation in the order of their last exchanges."""
    calls: dict[str, list[LoggedExchange]] = {}
    for one in conversation.exchanges:
        if one.purpose == "turn":
            calls.setdefault(one.turn_id, []).append(one)
    path = {message.id for message in tree.path}
    continued = {message.parent_id for message in tree.path if message.role == "user"}
    asked = _asked(conversation.messages)
    turns = [_turn(conversation, some, tree, path, continued, asked) for some in calls.values()]
    return sorted(turns, key=_BY_LAST)


_IN_TIME = attrgetter("started_us", "number", "id")
_BY_LAST = attrgetter("exchange.started_us", "exchange.id")


def _turn(
    conversation: LoggedConversation,
    calls: Sequence[LoggedExchange],
    tree: Tree,
    path: set[str],
    continued: set[str],
    asked: Mapping[str, Message],
) -> LoggedTurn:
    *rounds, last = sorted(calls, key=_IN_TIME) if len(calls) > 1 else calls
    reply = tree.messages.get(last.reply_id) if last.reply_id else None
    return LoggedTurn(
        conversation,
        last,
        tuple(rounds),
        _question(tree, reply) if reply else asked.get(last.turn_id),
        reply,
        tree.opinions.get(last.reply_id, _NO_OPINION),
        last.reply_id in path and reply is not None,
        last.reply_id in continued and reply is not None,
    )


def _question(tree: Tree, reply: Message) -> Message | None:
    """The user message that a reply answers: the nearest one above it."""
    above: Message | None = reply
    while above is not None and above.role != "user":
        above = tree.messages.get(above.parent_id)
    return above


def _asked(messages: Iterable[Message]) -> dict[str, Message]:
    return {message.turn_id: message for message in messages if message.role == "user"}


def _opinions(feedback: Sequence[LoggedFeedback]) -> dict[str, Opinion]:
    """What was said last counts."""
    found: dict[str, Opinion] = {}
    for one in feedback:
        known = found.get(one.message_id, _NO_OPINION)
        if one.kind == "rating":
            known = Opinion(one.rating, known.correction, known.regenerated)
        elif one.kind == "correction":
            known = Opinion(known.rating, one.text, known.regenerated)
        elif one.kind == "regeneration":
            known = Opinion(known.rating, known.correction, True)
        found[one.message_id] = known
    return found
