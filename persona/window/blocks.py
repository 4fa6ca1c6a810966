"""The tagged text persona writes into a window: profile, summary, recalled memories, the context of the input.

Every block starts with "<" and ends with ">\\n", where token counts add up. Whatever users or documents say is
escaped, so no text can close a tag or open another.
"""

from collections.abc import Mapping

from persona.values.memory import Fact, Recalled
from persona.values.time import iso_day

PROFILE_OPEN, PROFILE_CLOSE = "<profile>\n", "</profile>\n"
RECALL_OPEN, RECALL_CLOSE = "<recall>\n", "</recall>\n"


def escape(text: str) -> str:
    """The text with everything that could be read as a tag made harmless, on one line."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(plain.split())


def attribute(value: str) -> str:
    """The value for use between double quotes."""
    return escape(value).replace('"', "&quot;")


def fact_line(fact: Fact) -> str:
    """One fact, as the profile and the recall section show it."""
    day = iso_day(fact.valid_from_us)
    return f'<fact kind="{attribute(fact.kind)}" date="{day}">{escape(fact.text)}</fact>\n'


def recalled_line(hit: Recalled) -> str:
    """One recalled memory, with where it comes from."""
    source = hit.source
    if source.kind == "chunk":
        heading = f' heading="{attribute(source.heading)}"' if source.heading else ""
        return f'<knowledge source="{attribute(source.title)}"{heading}>{escape(hit.text)}</knowledge>\n'
    kind = hit.fact_kind or source.kind
    return f'<memory kind="{attribute(kind)}" date="{source.date}" source="conversation">{escape(hit.text)}</memory>\n'


def summary_block(text: str) -> str:
    """What was said before the history that is shown."""
    return f"<summary>{escape(text)}</summary>\n"


def context_block(stated: Mapping[str, str]) -> str:
    """What the input section states beside the user's words; empty when it states nothing."""
    if not stated:
        return ""
    attributes = " ".join(f'{name}="{attribute(value)}"' for name, value in stated.items() if value)
    return f"<context {attributes}/>\n" if attributes else ""
