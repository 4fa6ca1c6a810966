"""Variables in instructions: `{{ name }}` stands for a declared text."""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

_PLACE = re.compile(r"\{\{[ \t]*([^\W\d][\w-]*)[ \t]*\}\}")


def fill(text: str, variables: Mapping[str, str]) -> str:
    """The text with every `{{ name }}` replaced, in one pass: what a variable holds is not expanded again.

    Undeclared names and braces of any other form stay as they are.
    """
    return _PLACE.sub(lambda place: variables.get(place[1], place[0]), text)


def check(texts: Iterable[str], variables: Collection[str]) -> list[str]:
    """What is wrong with the texts, once per undeclared name; empty when `fill` will leave no gap."""
    used = dict.fromkeys(place[1] for text in texts for place in _PLACE.finditer(text))
    return [_undeclared(name, variables) for name in used if name not in variables]


def _undeclared(name: str, variables: Collection[str]) -> str:
    close = get_close_matches(name, list(variables), n=1)
    end = f"did you mean {close[0]!r}?" if close else "declare it in the variables of the route"
    return f"undeclared variable {name!r}; {end}"
