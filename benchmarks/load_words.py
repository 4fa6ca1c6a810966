"""What is said under load: each message and each reply carries a number of its own, so that each can be told."""

import re
from functools import cache

from benchmarks.texts import messages

_TEXTS = 2_000
_TOOK = re.compile(r" took (\d+) us$")


def said(number: int) -> str:
    """The user's message with this number, about 50 tokens."""
    return f"{_texts()[number % _TEXTS]} {mark(number)}"


def reply(number: int, took_us: int) -> str:
    """The server's answer to it, after so many microseconds."""
    return f"About {mark(number)}: {_texts()[(number + 7) % _TEXTS]} took {took_us} us"


def took_us(text: str) -> int:
    """What a reply says that the server took; 0 when it does not say."""
    found = _TOOK.search(text)
    return int(found[1]) if found else 0


def mark(number: int) -> str:
    """What a message and its reply have in common, and no other message has."""
    return f"ref-{number:08x}."


@cache
def _texts() -> list[str]:
    return messages(_TEXTS, seed=31)
