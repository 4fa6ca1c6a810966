"""What the wording of a question or of a memory gives away, in French and in English.

A question for a suggestion shares few words with the preference that it depends on, and "I moved to York" few with
"where do I live?". Three plain signs help: who asks for a suggestion, who asks how things are now, and which memories
tell of a lasting wish or of a change. They only move memories that are near the question anyway.
"""

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

from persona.memory.postings import key
from persona.values import words

_LASTING = {
    "en": "prefer preference like love enjoy hate dislike avoid allergic allergy never always favorite favourite stand "
    "bother refuse afraid fear comfortable uncomfortable interested vegetarian vegan passionate appreciate fan despise "
    "detest dread important sensitive intolerant value obsessed loathe",
    "fr": "préfère préférence aime adore déteste évite éviter allergique allergie jamais toujours supporte horreur "
    "peur intolérant refuse favori végétarien végane sensible passionné apprécie interdit interdiction horripile "
    "crains fan jure",
}

_WISHES = re.compile(
    r"\b(?:suggest\w*|recommend\w*|ideas?|tips|advi[cs]e|what (?:are|would|should|could|can)|which|"
    r"how (?:can|do|should|could)|can you|could you|help me|plan|(?:give|find) me|looking for|"
    r"propos\w*|sugg[eè]r\w*|recommand\w*|conseill\w*|id[ée]es?|trouv\w*|donne\w*|[ée]cri[st]\w*|fai(?:s|tes)[- ]moi|"
    r"expliqu\w*|compar\w*|que (?:cuisiner|faire|pr[ée]parer|choisir|boire)|aide\w*|cherch\w*|pourrais?|comment)\b",
    re.IGNORECASE,
)
_FACTS = re.compile(r"\b(?:what|which|quel)", re.IGNORECASE)
_EARLIER = re.compile(
    r"\b(?:did|was|were|had|ago|used to|last (?:week|month|year|summer|winter|\w+day)|yesterday|hier|autrefois|"
    r"avai\w+|[ée]tai\w+|(?:j'|je |tu |il |elle |on )(?!connai)\w{3,}ai[st]|"
    r"ai-je|a-t-\w+|s'est|20\d\d|j'ai \w+(?:é|i|u|is)|m'a|m'ont|on a|passé|has \w+ been)\b",
    re.IGNORECASE,
)
_CHANGE_TOLD = (
    "now nowadays anymore instead new switched swapped moved moving changed shifted quit stopped started starting "
    "dropped finally replaced left leaving retired again sold cancelled canceled died off joined hired adopted "
    "bought upgraded raised raising since second just maintenant désormais desormais dorénavant finalement enfin "
    "nouveau nouvel nouvelle repris terminé terminée termine fini finie quitté quittée lâché lâchée lâche vendu "
    "vendue acheté mort morte annulé annulée annule cédé cédée cede signé parti partie pris rejoint adopté "
    "adoptée embauché rencontré"
)
_CHANGE_WORDS = frozenset(_CHANGE_TOLD.split())
_CHANGE_STARTS = (
    "chang",
    "remplac",
    "déménag",
    "demenag",
    "arrêt",
    "arret",
    "recommenc",
    "revend",
    "bascul",
    "commenc",
)
_CHANGE_PHRASES = (
    *(" these days ", " no longer ", " any more ", " no more ", " gave up ", " given up ", " give up ", " took up "),
    *(
        " taken up ",
        " got rid ",
        " turned out ",
        " ended up ",
        " broke up ",
        " passed on ",
        " passed away ",
        " has gone ",
    ),
    *(
        " fell through ",
        " signed up ",
        " handed in ",
        " went up ",
        " put up ",
        " set up ",
        " went with ",
        " rather than ",
    ),
    *(" this time ", " from next ", " from this ", " back to ", " opened a ", " ça y est ", " plus jamais ", " l eau "),
    *(
        " laissé tomber ",
        " à la place ",
        " depuis le ",
        " depuis la ",
        " depuis que ",
        " depuis hier ",
        " depuis lundi ",
    ),
    *(
        " depuis samedi ",
        " viens de ",
        " vient de ",
        " on est ",
        " c est bon ",
        " l an prochain ",
        " m a mis ",
        " mis à ",
    ),
    *(" m a mise ", " m installe ", " mise à ", " passé à ", " passée à ", " passé au ", " passée au ", " passé chez "),
    *(" passé sous ", " passé sur ", " passée sous ", " passée sur ", " passé de ", " passées au ", " passés au "),
)
_NO_MORE = re.compile(r" (?:ne|n) \w+ plus ")
_WORD = re.compile(r"\w+")


def wants_suggestion(question: str) -> bool:
    """Whether a question asks for something that depends on what the user likes and cannot stand."""
    return _WISHES.search(question) is not None


def asks_about_now(question: str) -> bool:
    """Whether a question asks how things are, and not how they were or what could be done."""
    return not _EARLIER.search(question) and (not _WISHES.search(question) or bool(_FACTS.search(question)))


def tells_of_change(text: str) -> bool:
    """Whether a memory says that something is no longer as it was."""
    if "?" in text:
        return False
    said = _WORD.findall(text.lower())
    if not _CHANGE_WORDS.isdisjoint(said) or any(word.startswith(_CHANGE_STARTS) for word in said):
        return True
    joined = f" {' '.join(said)} "
    return any(phrase in joined for phrase in _CHANGE_PHRASES) or _NO_MORE.search(joined) is not None


@cache
def lasting_keys() -> NDArray[np.int64]:
    """The keys of the terms by which people state a lasting wish, sorted."""
    terms = {words.term(word, lang) for lang, listed in _LASTING.items() for word in listed.split()}
    return np.unique(np.fromiter(map(key, terms - {""}), np.int64))
