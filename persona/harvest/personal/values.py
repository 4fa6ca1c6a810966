"""What is looked for, where it was found, and what comes back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from persona.values.message import Message
from persona.values.record import record

Kind = Literal[
    "key",
    "url",
    "email",
    "iban",
    "card",
    "nir",
    "ssn",
    "ip",
    "phone",
    "birth",
    "address",
    "name",
    "place",
    "organisation",
    "value",
]
"""What a span is. Of two that are as long the one named first here wins; `url` is what is secret in an address."""
KINDS: tuple[Kind, ...] = get_args(Kind)


@record(frozen=True, slots=True)
class Span:
    """Where something is in a text. Spans with the same kind and `key` are one value, however it is spelt.

    `sealed` says that it is a surrogate of ours, which is nobody's and stays. `form` is what the kind needs to write
    another one in the same form: the country of a phone, the layout of a date.
    """

    start: int
    end: int
    kind: Kind
    key: str
    sealed: bool = False
    form: tuple[str, ...] = ()


class Known(NamedTuple):
    """What the profile holds about the user who talks. Of a `name` its parts are looked for too."""

    kind: Literal["name", "place", "organisation", "value"]
    text: str


Finder = Callable[[str], Iterable[Known]]
"""Who and what else is named in a text: a further finder, for names that no profile holds."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What to replace, and with what.

    `elsewhere` is for text without loss. With "placeholder" it gets `[email_1]`, unless a text with loss repeats the
    value: then both get the surrogate, or the row would teach to invent. `keep` are values that are nobody's in
    particular, like the shop's own hotline, in any spelling.
    """

    kinds: frozenset[Kind] = frozenset(KINDS)
    elsewhere: Literal["surrogate", "placeholder"] = "surrogate"
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One replacement, for a person to look at: some text around it, which ends where the next finding starts."""

    kind: Kind
    before: str
    after: str


@record(frozen=True, slots=True)
class Mended:
    """The messages without personal data. `counts` are places, not values; nothing here holds what was found."""

    messages: tuple[Message, ...]
    counts: Mapping[Kind, int]
    samples: tuple[Sample, ...]
