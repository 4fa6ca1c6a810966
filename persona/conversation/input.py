"""What a user may send: checked before anything is stored."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import get_args

from persona.adapter import Secret
from persona.errors import InvalidInput
from persona.values.memory import Told
from persona.values.message import Image, Part, Text
from persona.values.time import to_us

_SURROGATES = re.compile("[\ud800-\udfff]")
_FIRST_US = to_us(datetime.min.replace(tzinfo=UTC))


def keys_of(keys: Mapping[str, str]) -> dict[str, Secret]:
    """The keys that a conversation brings, by provider. Raises InvalidInput for what is none, without showing it."""
    for provider, key in keys.items():
        if not isinstance(key, str) or not key or not all("!" <= character <= "~" for character in key):
            raise InvalidInput(
                f"the key for provider {provider!r} is empty, or holds what no key does",
                hint="pass the key without spaces and line breaks, or leave the provider out to use the configured one",
            )
    return {provider: Secret(key) for provider, key in keys.items()}


def printable(what: str, text: str, most: int, *, least: int = 1, hint: str = "") -> str:
    """The text, which must be `least` to `most` printable characters. Raises InvalidInput."""
    if not isinstance(text, str):
        raise InvalidInput(f"{what} is a str, and this is a {type(text).__name__}", hint=hint or "pass a str")
    if not least <= len(text) <= most or not text.isprintable() or (least and not text.strip()):
        raise InvalidInput(f"{what} is {'1 to' if least else 'at most'} {most} printable characters", hint=hint)
    return text


def decided(what: str, yes: bool) -> bool:
    """A yes or a no. Raises InvalidInput for anything else: the word "no" would count as a yes."""
    if not isinstance(yes, bool):
        raise InvalidInput(f"{what} is a {type(yes).__name__}", hint="pass True or False")
    return yes


def instant(what: str, moment: datetime | None) -> int | None:
    """The moment in UTC microseconds, None for none; a naive one is UTC. Raises InvalidInput for what is no datetime.

    So is one that the zone puts before the year 1 of UTC: no window could say its day.
    """
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise InvalidInput(f"{what} is a {type(moment).__name__}", hint="pass a datetime; a naive one is UTC")
    us = to_us(moment)
    if us < _FIRST_US:
        raise InvalidInput(f"{what} is before the year 1 in UTC", hint="pass a later time")
    return us


def told_by(origin: Told) -> Told:
    """Who tells a fact. Raises InvalidInput for anybody who may not: a model's word is never told outright."""
    if origin not in (may := get_args(Told)):
        raise InvalidInput(f"origin is {origin!r}", hint=f"pass {' or '.join(map(repr, may))}")
    return origin


def parts_of(text: str, images: Sequence[Image], max_chars: int) -> tuple[Part, ...]:
    """The parts of a user message. Raises InvalidInput for what cannot be answered or stored."""
    if not isinstance(text, str):
        raise InvalidInput(f"the text is a {type(text).__name__}", hint="pass a str")
    if not text.strip() and not images:
        raise InvalidInput("the message is empty", hint="send some text or an image")
    if len(text) > max_chars:
        raise InvalidInput(
            f"the message has {len(text)} characters, and at most {max_chars} are taken",
            hint="shorten it, or raise turn.max_input_chars",
        )
    if "\x00" in text:
        raise InvalidInput("the message holds a NUL character", hint="remove it before sending")
    if _SURROGATES.search(text):
        raise InvalidInput(
            "the message holds half of a surrogate pair, which is not valid Unicode",
            hint="decode it with errors='replace' before sending",
        )
    if strange := next((one for one in images if not isinstance(one, Image)), None):
        raise InvalidInput(f"an image is a {type(strange).__name__}", hint="pass Image(url)")
    return (*((Text(text),) if text else ()), *images)
