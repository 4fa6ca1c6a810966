"""What the wording of a question or of a memory gives away, in French and in English.

A question for a suggestion shares few words with the preference that it depends on. Plain signs help: who asks for a
suggestion, who asks how things are now or were, and which memories state a lasting wish.
"""

import re
from enum import Enum, auto
from functools import cache

import numpy as np
from numpy.typing import NDArray

from persona.memory.postings import key
from persona.values import words
from persona.values.record import record
from persona.values.remembered import remembered

KIN = (
    "(?:step|great-?)?(?:mother|mum|mom|father|dad|parent|brother|sister|son|daughter|cousin|aunt|uncle|nephew|niece)s?|"
    "gran(?:d?\\w*)|husband|wife|girlfriend|boyfriend|partner|friends?|mates?|neighbou?rs?|colleagues?|flatmate|roommate|"
    "boss|manager|mère|maman|père|papa|frères?|s(?:œ|oe)urs?|fils|fille|cousine?|tante|oncle|neveu|nièce|mamie|papi|"
    "mari|femme|copine?|ami[es]?|voisine?s?|collègues?|coloc\\w*|beaux?-\\w+|belles?-\\w+|chef|patronn?e?"
)
"""Those whom people speak of beside themselves, a regular expression for small letters."""

_LASTING = {
    "en": "prefer preference like love enjoy hate dislike avoid allergic allergy never always favorite favourite stand "
    "bother refuse afraid fear comfortable uncomfortable interested vegetarian vegan passionate appreciate fan despise "
    "detest dread important sensitive intolerant value obsessed loathe",
    "fr": "préfère préférence aime adore déteste évite éviter allergique allergie jamais toujours supporte horreur "
    "peur intolérant refuse favori végétarien végane sensible passionné apprécie interdit interdiction horripile "
    "crains fan jure",
}

# all of these read small letters: a search that ignores case takes four times as long
# (?=\w) where most of a pattern's openings are no plain letters: it would try them all where a word ends
_WISHES = re.compile(
    r"\b(?=\w)(?:suggest\w*|recommend\w*|ideas?|tips|advi[cs]e|what (?:are|would|should|could|can)|which|"
    r"how (?:can|do|should|could)|can you|could you|help me|plan|(?:give|find) me|looking for|"
    r"propos\w*|sugg[eè]r\w*|recommand\w*|conseill\w*|id[ée]es?|trouv\w*|donne\w*|[ée]cri[st]\w*|fai(?:s|tes)[- ]moi|"
    r"expliqu\w*|compar\w*|que (?:cuisiner|faire|pr[ée]parer|choisir|boire)|aide\w*|cherch\w*|pourrais?|comment)\b"
)
_FACTS = re.compile(
    r"\b(?:what|which|quel|combien|how (?:much|many|often|long|do (?:i|we))\b|(?:do|am|are|have) (?:i|we)\b|"
    r"comment (?:je|on|est|s['’]|se|va|sont)|c['’]est comment|(?:je|on|nous) .*\bcomment\W*$|"
    r"est-ce qu(?:e (?:je|nous)\b|e j['’]|['’]on\b))|^\W*(?:who|where|when|qui|où|quand)\b"
)
_STILL = re.compile(r"\b(?:still|anymore|currently|now|toujours|encore|actuellement|maintenant)\b")
_ADVICE = re.compile(
    r"\b(?:suggest\w*|recommend\w*|ideas?|tips|advi[cs]e|some|should|could|would|looking for|help me|can you|"
    r"propos\w*|sugg[eè]r\w*|recommand\w*|conseill\w*|id[ée]es?|pourrais?|devrais?|quelques)\b"
)
_ONESELF = "i my me mine we our us je j mon ma mes moi m nous notre nos on"
_OWN, _WORD = frozenset(_ONESELF.split()), re.compile(r"\w+")
_EARLIER = re.compile(
    r"\b(?:did|was|were|had|ago|used to|last (?:week|month|year|summer|winter|\w+day)|yesterday|hier|autrefois|"
    r"avai\w+|[ée]tai\w+|(?:j'|je |tu |il |elle |on )(?!connai)\w{3,}ai[st]|"
    r"(?:ai-je|j'ai) (?!quoi)\w+(?:é|i|u|is|it)|s'est|20\d\d|"
    r"(?:m'a|m'ont|on a|a-t-\w+) \w+(?:é|ée|és|ées|i|u|is|it)|passé|has \w+ been)\b"
)

_BEFORE = re.compile(
    r"\b(?:before|previous(?:ly)?|former(?:ly)?|used to|originally|initially|at first|my (?:old|ex)|avant|auparavant|"
    r"précédent\w*|précédemment|autrefois|jadis|au début|à l['’]origine|"
    r"(?:mon|ma|mes|notre|nos) (?:ancien\w*|ex|vieux))\b"
)
_SOMEBODY = re.compile(
    rf"\b(?=\w)(?:{KIN}|he|she|his|her|him|it|its|they|their|who|family|kids?|children|il|elle|lui|leurs?|qui|famille|enfants?)\b"
)
_AMOUNTS = re.compile(
    r"\b(?:how (?:much|many|old|long|big|often|far|tall)|when|combien|quand|"
    r"(?:what(?:['’]s| is| are)?|which|quel(?:le)?s?) (?:(?:est|le|la|les|l['’]|mon|ma|notre|my|our|the) ?)*"
    r"(?:\w+ )?(?:time|day|size|date|number|dose|dosage|price|age|rent|salary|budget|weight|deadline|"
    r"heure|jour|âge|taille|pointure|prix|numéro|montant|somme|poids|loyer|salaire))\b"
)
_NAMES = re.compile(r"\b(?:who|whose|whom|where|which|name|called|qui|où|quel(?:le)?s?|appelle\w*|nom|chez|dans)\b")
_CAPITAL = re.compile(r"[A-ZÀ-Ý](?:(?<=[\w,'’] .)|(?<=[\w,'’].))\w")  # it opens no sentence


class Wanted(Enum):
    """What would answer a question: an amount or a time, a name, or anything."""

    AMOUNT = auto()
    NAME = auto()
    ANYTHING = auto()


@record(frozen=True, slots=True)
class Intent:
    """What a question is after.

    A suggestion, which depends on what the user likes and cannot stand; how things are `now`, and not how they were
    or what could be done; how they were `then`, or `before` they changed; something `of_oneself`, of the one who asks,
    or of somebody whom it `names`; and what would answer it.
    """

    suggestion: bool
    now: bool
    then: bool
    of_oneself: bool
    names: bool = False
    of_nobody_else: bool = False
    wanted: Wanted = Wanted.ANYTHING
    before: bool = False


@remembered(32)  # a turn asks it for each owner it searches
def intent_of(question: str) -> Intent:
    """What a question is after, by its wording."""
    asked = question.lower()
    suggestion, then = _WISHES.search(asked) is not None, _EARLIER.search(asked) is not None
    state = not suggestion or _STILL.search(asked) or (_FACTS.search(asked) and not _ADVICE.search(asked))
    of_oneself = not _OWN.isdisjoint(_WORD.findall(asked))
    if of_oneself and not suggestion and _BEFORE.search(asked):
        return Intent(False, False, True, True, wanted=_wanted(asked), before=True)
    if then or not state:
        return Intent(suggestion, False, then, of_oneself)
    names = _CAPITAL.search(question) is not None
    alone = of_oneself and not names and _SOMEBODY.search(asked) is None
    return Intent(suggestion, True, then, of_oneself, names, alone, _wanted(asked))


def _wanted(asked: str) -> Wanted:
    if _AMOUNTS.search(asked):
        return Wanted.AMOUNT
    return Wanted.NAME if _NAMES.search(asked) else Wanted.ANYTHING


@cache
def lasting_keys() -> NDArray[np.int64]:
    """The keys of the terms by which people state a lasting wish, sorted."""
    terms = {words.term(word, lang) for lang, listed in _LASTING.items() for word in listed.split()}
    return np.array(sorted({*map(key, terms - {""})}), np.int64)  # `np.unique` would load `numpy.ma`: 8 ms
