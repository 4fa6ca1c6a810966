"""What a text affirms and what it denies, in French and in English."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product, starmap

from persona.values import words

# said with a negation and denying nothing
_HARMLESS = re.compile(
    r"\b(?:n'hesitez (?:surtout )?pas|ne vous (?:inquietez|en faites) (?:surtout )?pas|"
    r"pas de (?:souci|probleme|panique)s?|"
    r"(?:aucun|sans(?: aucun)?) (?:souci|probleme|doute)|n'oubliez (?:surtout )?pas|ne (?:manquez|tardez) pas|"
    r"non seulement|pourquoi pas|n'est-ce pas|pas a pas|(?:pas|plus) tard que|pas plus (?:de|tard)|pas moins de|"
    r"(?:do not|don't) (?:hesitate|worry|forget)|no (?:problem|worries|doubt|matter|later than|more than|less than)|"
    r"not (?:only|more than|less than|later than)|why not|without (?:any )?(?:problem|delay)|if not|"
    r"(?:no|without|sans|aucuns?) (?:\w+ )?(?:charge|cost|fee|frais|cout)s?|"
    r"(?:no|pas|aucun) (?:need|besoin)(?: (?:to|de|d'))?|not (?:necessary|needed)|pas (?:necessaire|la peine)|"
    r"(?:rien a payer|nothing to pay))\b"
)
# what only holds in some other case
_CONDITION = re.compile(
    r"\b(?:if|unless|when|whether|in case|si|s'il|s'ils|sauf|hormis|excepte|au cas|lorsque|quand|a moins)\b"
    r"[^,.;:!?]*[,;:]?"
)
_CLAUSE = re.compile(r"[;:()]|,? (?:but|however|although|mais|cependant|toutefois|meme si) |[.!?]+(?:\s|$)|\n")
_GREETING = re.compile(
    r"^\W*(?:(?:hello|hi|hey|dear|good \w+|bonjour|bonsoir|salut|chere?)\b[^,.!?:]{0,30}[,.!:]\s*|"
    r"(?:thank you|thanks|merci)\b[^.!?,]*[.!?,]\s*)+"
)
_SORRY = (
    r"(?:(?:unfortunately|sorry|i'm sorry|i am sorry|i'm afraid|malheureusement|desolee?|navree?|helas)\s?[,.:!-]?\s*)?"
)
_YES = re.compile(
    r"^\W*(?:yes|yep|yeah|sure|of course|certainly|absolutely|definitely|indeed|exactly|oui|bien sur|bien entendu|"
    r"tout a fait|absolument|certainement|effectivement|evidemment|exactement)\b"
)
_NO = re.compile(
    rf"^\W*{_SORRY}(?:no|nope|non|not (?:at all|yet|really|possible)|pas du tout|"
    r"pas encore|du tout|en aucun cas|never|jamais|inutile|impossible|interdit|surtout pas)\b"
)
_NEGATOR = re.compile(
    r"\b(?:not|cannot|never|no|none|nobody|nor|neither|unable|nothing|nowhere|hardly|pas|jamais|aucune?|nulle? part|"
    r"personne ne|rien|non|ni)\b|n't\b|\b(?:ne |n')[^,.;]{1,30}\bplus\b"
)
# a word that denies another: what it denies
_OPPOSITES = {
    "impossible": "possible", "closed": "open", "closes": "open", "forbidden": "allowed", "prohibited": "allowed",
    "banned": "allowed", "unavailable": "available", "excluded": "included", "excludes": "included",
    "refuse": "accept", "refused": "accept", "reject": "accept", "rejected": "accept", "decline": "accept",
    "declined": "accept", "invalid": "valid", "incompatible": "compatible", "optional": "mandatory",
    "ineligible": "eligible", "unsupported": "supported", "disabled": "enabled", "without": "with",
    "ferme": "ouvert", "fermee": "ouvert", "fermes": "ouvert", "fermees": "ouvert", "interdit": "autorise",
    "interdite": "autorise", "proscrit": "autorise", "indisponible": "disponible", "exclu": "inclus",
    "exclue": "inclus", "exclus": "inclus", "exclues": "inclus", "refusons": "acceptons",
    "refusee": "acceptee", "invalide": "valide", "facultatif": "obligatoire", "facultative": "obligatoire",
    "inutile": "utile", "desactive": "active", "desactivee": "active",
}  # fmt: skip
_SAME = {
    "opened": "open", "opens": "open", "ouverte": "ouvert", "ouverts": "ouvert", "ouvertes": "ouvert",
    "permitted": "allowed", "permis": "autorise", "autorisee": "autorise", "incluse": "inclus",
}  # fmt: skip
# "she can, …", "they don't": an answer without the words of the question
_SHORT = re.compile(
    rf"^\W*{_SORRY}(?:i|it|he|she|they|we|you|that)(?: |')(?:can|may|do|does|is|are|will|has|have|was|were|could)"
    r"(?P<no>n't|not| not)?(?=[,.;!]|$)"
)
# what goes on from the subject of the question: "it does work", "they must not"
_EMPHATIC = re.compile(r"^\W*(?:i|it|he|she|they|we|you|that) (?:do|does|did) (?!not\b)[a-z]+")
_OF_IT = re.compile(
    rf"^\W*{_SORRY}(?:it|he|she|they|we|you|that|this|these|those|elles?|ils?|on|vous|ca|cela|ce|c'(?=est))\b"
)
_UN = re.compile(r"(?:un|in|im|ir|il|dis|non)-?(?=\w{4})")
_ASKS = re.compile(
    r"(?:^|[,.:!] )\W*(?:(?:and|so|but|et|mais|alors|donc)\s+)?(?:can|could|may|is|are|am|was|were|do|does|did|"
    r"will|would|should|"
    r"has|have|must|est-ce que|est-ce qu'|est-il|est-elle|puis-je|peut-on|peux-tu|pouvez-vous|pourrais-je|"
    r"dois-je|faut-il|y a-t-il|avez-vous|a-t-on|ai-je|sont-ils|sont-elles|suis-je)\b"
    r"|\b\w++-(?:t-)?(?:il|elle|on|vous|je|ils|elles)\b|\best-ce qu|\bpossible\b|\bis there\b|\bare there\b"
    r"|\b(?:can|could|may) i\b|\bc(?:an|ould) (?:you|we)\b|\bwhether\b|\bje peux\b|\bsavoir si\b|\bon peut\b|\bdo you\b"
)
_ASKS_WHAT = re.compile(
    r"\b(?:what|when|where|which|who|why|how|whose|quand|comment|combien|pourquoi|quell?es?|quels?|"
    r"ou (?:est|sont|se|puis)|"
    r"qui|que faire|qu'est-ce)\b"
)
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_ALIKE = 60  # hundredths of the stems that two clauses share


@dataclass(frozen=True, slots=True)
class Clause:
    """What a clause speaks of, and whether it denies it."""

    said: str
    denies: bool


@dataclass(frozen=True, slots=True)
class Stance:
    """The answer to the question, 1 for yes, -1 for no, 0 where it is neither; and what each clause of a reply says."""

    answer: int
    clauses: tuple[Clause, ...]
    reply: str = field(compare=False)

    def stems(self, clause: Clause) -> frozenset[str]:
        """Those of a clause: found when they are asked for, for few replies deny what another may affirm."""
        return _stems(clause.said, words.language(self.reply))


def stance(question: str, reply: str) -> Stance:
    """How a reply stands to its question."""
    asked, said = _folded(question), _GREETING.sub("", _folded(reply))
    said = _HARMLESS.sub(" ", said)
    clauses = tuple(_clause(part, asked) for part in _CLAUSE.split(_CONDITION.sub(" ", said)))
    answer = _answer(said)
    if not answer and _yes_or_no(asked):
        answer = _implied(said, clauses, asked, words.language(reply))
    return Stance(answer, clauses, reply)


def opposed(one: Stance, other: Stance) -> bool:
    """Whether one says yes and the other no, or one denies what the other affirms."""
    if one.answer * other.answer:
        return one.answer != other.answer
    return _denies(one, other) or _denies(other, one)


def _denies(one: Stance, other: Stance) -> bool:
    """Whether one denies what the other affirms."""
    denied = [clause for clause in one.clauses if clause.denies]
    affirmed = [clause for clause in other.clauses if not clause.denies] if denied else ()
    return any(starmap(_alike, product(map(one.stems, denied), map(other.stems, affirmed))))


def _folded(text: str) -> str:
    return words.fold(text.replace("’", "'").lower())


def _yes_or_no(asked: str) -> bool:
    return _ASKS_WHAT.search(asked) is None and _ASKS.search(asked) is not None  # the quicker one first


def _answer(said: str) -> int:
    if _NO.search(said):
        return -1
    return 1 if _YES.search(said) else 0


def _implied(said: str, clauses: tuple[Clause, ...], asked: str, language: str) -> int:
    """The answer of the clause that speaks most of what was asked; "she can" and "it doesn't" need not repeat it.

    A denial that takes up one word of the question answers it; what affirms takes two, for "it costs 5 €" affirms no
    "is it free?".
    """
    if short := _SHORT.match(said):
        return -1 if short["no"] else 1
    if _EMPHATIC.match(said):
        return 1
    if _OF_IT.match(said) and _NEGATOR.search(_CLAUSE.split(said, maxsplit=1)[0]):
        return -1
    sought = _stems(asked, language)
    shared = [len(_stems(clause.said, language) & sought) for clause in clauses]
    most = max(shared, default=0)
    if not most:
        return 0
    if clauses[shared.index(most)].denies:
        return -1
    return 1 if most >= min(2, len(sought)) else 0


def _stems(said: str, language: str) -> frozenset[str]:
    return frozenset(words.terms(said, language))


def _clause(said: str, asked: str) -> Clause:
    denies = _NEGATOR.search(said) is not None
    kept = []
    for word in _WORD.findall(said):
        opposite = _OPPOSITES.get(word) or _without_prefix(word, asked)
        if opposite and not re.search(rf"\b{word}\b", asked):
            denies = not denies
            kept.append(opposite)
        elif not _is_negator(word):
            kept.append(_SAME.get(word, word))
    return Clause(" ".join(kept), denies)


@lru_cache(maxsize=1 << 13)  # the same words come again and again
def _is_negator(word: str) -> bool:
    return _NEGATOR.fullmatch(word) is not None


def _without_prefix(word: str, asked: str) -> str:
    """A word of the question that this one denies by its prefix, as "unheated" does; "" if there is none."""
    rest = _rest_of(word)
    return rest if rest and rest in asked and re.search(rf"\b{re.escape(rest)}\b", asked) else ""


@lru_cache(maxsize=1 << 13)
def _rest_of(word: str) -> str:
    """A word without a prefix that may deny it; "" where it has none."""
    prefix = _UN.match(word)
    return word[prefix.end() :] if prefix else ""


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared > 1 and 100 * shared >= _ALIKE * len(one | other)
