"""An example that may go into a dataset, with what checks, comparison and manifest ask of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from persona.values.example import Example
from persona.values.message import Image, Message
from persona.values.owner import Owner


@dataclass(slots=True)
class Candidate:
    """One example and where it comes from.

    `asked` and `replies` are the messages of the user and of the assistant that it teaches from, without any block of
    the window: one each, or several for a whole conversation. `log` are the ids of the exchanges it was made of.
    `invented` is what the reply, or a call before it, took from memory that the example does not show, `sources` what
    of this user alone it does show. `corrected` says that a person wrote the reply. `language` is found when an example
    is made, `tokens` are counted when personal data is replaced.
    """

    example: Example
    owner: Owner
    owner_key: int
    conversation_key: int
    log: tuple[str, ...]
    at_us: int
    asked: tuple[Message, ...]
    replies: tuple[Message, ...]
    rating: float | None = None
    corrected: bool = False
    invented: str = ""
    sources: tuple[str, ...] = ()
    language: str = ""
    tokens: int = 0
    question: str = field(init=False)
    """The words of the user."""
    reply: str = field(init=False)
    """The words that are learnt."""

    def __post_init__(self) -> None:
        asked, replies = self.asked, self.replies
        self.question = asked[0].text if len(asked) == 1 else "\n".join([message.text for message in asked])
        self.reply = replies[0].text if len(replies) == 1 else "\n".join([message.text for message in replies])

    def put(self, new: Callable[[Message], Message]) -> None:
        """Puts a new message in the place of each."""
        one = self.example
        rejected = new(one.rejected) if one.rejected else None
        self.example = Example(one.id, tuple(map(new, one.messages)), one.weights, one.tools, rejected, one.label)
        self.asked, self.replies = tuple(map(new, self.asked)), tuple(map(new, self.replies))
        self.__post_init__()

    @property
    def rejected(self) -> str | None:
        """The words of the reply that was not wanted."""
        return self.example.rejected.text if self.example.rejected else None

    @property
    def pictures(self) -> bool:
        """Whether the user showed some."""
        return any(isinstance(part, Image) for message in self.asked for part in message.parts)
