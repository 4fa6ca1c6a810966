"""Which finders are worth running on a text, by signs that are looked for all at once.

RE2 goes through a text once for all patterns of a set, at 2 µs for 1,200 characters, where `re` takes 10 to 40 for one
pattern. There are three sets: the states of one automaton for all of them would be as many as their product.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from persona.harvest.personal import births, iban, keys, names, numbers, places, starts, webs

_ODD = "odd"
_ODD_LETTERS = {"ı": "i", "İ": "i", "ſ": "s", "\u212a": "k"}  # which `re` takes for i, s and k where case is no matter
_SETS: tuple[dict[str, str], ...] = (
    {_ODD: rf"[^\P{{Nd}}0-9]|[{''.join(_ODD_LETTERS)}]"}
    | webs.WORDED_SIGNS
    | keys.SIGNS
    | names.SIGNS
    | numbers.WORDED_SIGNS
    | iban.SIGNS,
    places.SIGNS | births.SIGNS,
    webs.HOST_SIGNS | numbers.SIGNS | starts.SIGNS,
)
ANY_PHONE = "phone of any shape"
"""A sign that no text has: it follows from where the user is."""
ALL = frozenset(name for patterns in _SETS for name in patterns) | {ANY_PHONE}
_MOST_BYTES = 32 * 2**20  # of the states of one set; a text that drives it there is read on, with new ones
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def signs_of(text: str) -> frozenset[str]:
    """The names of the signs in a text: a finder whose sign is missing finds nothing there."""
    return signs_of_all([text])[0]


def signs_of_all(texts: Sequence[str]) -> list[frozenset[str]]:
    """Those of each text. Quicker for many: the states of a set stay in the cache of a core for all of them."""
    found = _found(texts)
    odd = [at for at, signs in enumerate(found) if _ODD in signs]
    for at, more in zip(odd, _found([_plain(texts[at]) for at in odd]), strict=True):
        found[at] |= more
    return found


def _found(texts: Sequence[str]) -> list[frozenset[str]]:
    found: list[frozenset[str]] = [frozenset()] * len(texts)
    said = list(map(_encoded, texts))
    for of_set, signs in _compiled():
        for at, each in enumerate(said):
            if held := signs.Match(each):
                found[at] |= {of_set[one] for one in held}
    return found


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a character, which JSON may hold
        return _SURROGATE.sub("\ufffd", text).encode()


def _plain(text: str) -> str:
    """The text with ASCII for all digits, and for the letters that are taken for some where case is no matter."""
    for odd, letter in _ODD_LETTERS.items():
        text = text.replace(odd, letter)
    return _FOREIGN_DIGIT.sub(lambda found: str(int(found.group())), text)


@lru_cache(maxsize=1)
def _compiled() -> tuple[tuple[tuple[str, ...], Any], ...]:
    import re2  # 10 ms, and only where something is searched

    options = re2.Options()
    options.max_mem = _MOST_BYTES
    compiled = []
    for patterns in _SETS:
        signs = re2.Set.SearchSet(options)
        for pattern in patterns.values():
            signs.Add(pattern)
        signs.Compile()
        compiled.append((tuple(patterns), signs))
    return tuple(compiled)
