"""Whether two rows say the same, and whether two questions ask the same: what a shared band only suggests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from persona.harvest.similar import text
from persona.values import words

ALIKE = 80  # hundredths: the Jaccard similarity from which two rows are near duplicates
ASKED_ALIKE = 60  # hundredths, of the question in them
_FREE, _FREE_SHARE = 1, 12  # words that may be exchanged for others: one, and one more for twelve with content
_SHORTEST = 4  # letters: a shorter word is not taken for another one misspelt
_TURNS_SWAPPED, _TURNS_SLIPPED = 5, 6  # letters of a word that decides, for two swapped or one slip to leave it itself
CAPITAL = r"[A-ZÀ-ÖØ-ÞŒŸ\u0391-\u03a1\u03a3-\u03a9\u0410-\u042f]"
LIGHT, ENDS = " \t\"'«»“”([>-\u00a0\u202f", ".!?…:;\n*•–—"  # what may stand before a word that opens a sentence
BEFORE = 6  # characters before a word that say whether a sentence starts with it
# the sign before it is looked at last: to find a capital is quick
_CAPITAL = re.compile(rf"{CAPITAL}(?<![\w'’].)\w+")
# what is said to be polite, and nothing else
_POLITE = re.compile(
    r"\b(?=[beghijkmst])"
    r"(?:good (?:morning|afternoon|evening|day)|have a \w+ (?:day|evening|weekend|one)|how are you(?: today| doing)?"
    r"|i hope you(?: are|'re) (?:well|fine)"
    r"|(?:many )?(?:thanks|thank you)(?: so much| very much| a lot)?(?: in advance)?"
    r"|(?:best|kind) regards|(?:bonne|excellente|belle) (?:journ[ée]e|soir[ée]e|continuation)|bien [àa] vous"
    r"|j'esp[èe]re que vous allez bien|merci (?:d'avance|par avance|beaucoup|bien)|s'il (?:vous|te) pla[iî]t)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"\W*(?:dear|hello|hi|hey|bonjour|bonsoir|salut|good \w+)\b[^,.!?:;\n]{0,30}[,.!:;\n]", re.IGNORECASE
)
# words that change what is said where they come in
_TURNS = text.words_in(
    "not no never without neither nor t cannot cant non pas jamais aucun aucune sans ni only except unless sauf "
    "hors excepte but yes oui si plus less more moins before after avant apres open closed close ouvert ferme "
    "ouverte fermee allowed forbidden interdit autorise possible impossible free gratuit gratuite paid payant "
    "monday tuesday wednesday thursday friday saturday sunday lundi mardi mercredi jeudi vendredi samedi dimanche "
    "january february march april may june july august september october november december janvier fevrier mars "
    "avril mai juin juillet aout septembre octobre novembre decembre one two three four five six seven eight nine "
    "ten eleven twelve twenty thirty fifty hundred deux trois quatre cinq sept huit neuf dix onze douze quinze "
    "vingt trente quarante cinquante cent midi minuit noon midnight morning evening afternoon night matin soir "
    "nuit today tomorrow yesterday demain hier"
)
# words that a question may have or not
_LIGHT = text.words_in(
    "know tell want like wonder wondering need help question please could say give let know idea info information "
    "possible exactly actually just quick quickly really today currently time there here savoir dire voudrais "
    "aimerais souhaite souhaiterais voulais veux question renseignement besoin aide aider possible exactement "
    "juste vraiment actuellement heure moment gens petit petite rapide pouvez pourriez sauriez indiquer preciser "
    "donner fait merci avance"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, read for comparing it."""

    tokens: frozenset[str]
    content: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pair:
    """A row, read for comparing it."""

    question: Reading
    reply: Reading
    names: frozenset[str]


def read(said: str) -> Reading:
    """A text, read."""
    found = frozenset(map(words.fold, text.tokens(_POLITE.sub(" ", said[opening_end(said) :]))))
    return Reading(found, frozenset(filter(text.carries, found)))


@dataclass(frozen=True, slots=True)
class Capitals:
    """The words of a row with a capital, folded and in small letters: the names, and what may only open a sentence."""

    names: frozenset[str]
    opening: frozenset[str]


def capitals(question: str, reply: str) -> Capitals:
    """The words with a capital. A name is one within a sentence, or one that opens sentences on both sides."""
    asked, asked_first = _capitals(question)
    told, told_first = _capitals(reply)
    names = frozenset(asked | told | set(filter(text.carries, asked_first & told_first)))
    return Capitals(names, frozenset((asked_first | told_first) - names))


def _capitals(said: str) -> tuple[set[str], set[str]]:
    """The words with a capital within a sentence, and those that open one."""
    within: set[str] = set()
    first: set[str] = set()
    for word, inside in with_capitals(said):
        (within if inside else first).add(words.fold(word))
    return within, first


def with_capitals(said: str) -> Iterator[tuple[str, bool]]:
    """The words with a capital behind the opening, in small letters, and whether each is within a sentence."""
    for found in _CAPITAL.finditer(said, opening_end(said)):
        start = found.start()
        before = said[max(0, start - BEFORE) : start].rstrip(LIGHT)
        yield found[0].casefold(), bool(before) and before[-1] not in ENDS


def opening_end(said: str) -> int:
    """Where a greeting ends that a text opens with; 0 without one."""
    opening = _OPENING.match(said)
    return opening.end() if opening else 0


def read_pair(question: str, reply: str) -> Pair:
    """A row, read."""
    return Pair(read(question), read(reply), capitals(question, reply).names)


def same_row(one: Pair, other: Pair, known: frozenset[str] = frozenset()) -> bool:
    """Whether the rows are near duplicates: alike by Jaccard, with nothing exchanged that makes them say other things.

    Words misspelt count as shared, courtesies not at all. `known` are the values of slots: exchanging one for another
    makes another row.
    """
    names = one.names | other.names
    if _of_others(one, other):
        return False
    asked = _Apart.of(one.question, other.question, names)
    if asked.similarity < ASKED_ALIKE or not asked.close:
        return False
    said = _Apart.of(one.reply, other.reply, names)
    if said.similarity < ALIKE or not said.close:
        return False
    left, right = asked.left | said.left, asked.right | said.right
    if any(map(_decides, asked.left_all | asked.right_all | said.left_all | said.right_all)):
        return False
    if not left or not right:
        return True
    if not known.isdisjoint(left | right):
        return False
    return not (asked.left & said.left and asked.right & said.right)  # a word that both halves exchange is the subject


def _of_others(one: Pair, other: Pair) -> bool:
    """Whether each names somebody or something that the other does not."""
    return not (one.names <= other.question.tokens | other.reply.tokens) and not (
        other.names <= one.question.tokens | one.reply.tokens
    )


def same_question(one: Pair, other: Pair) -> bool:
    """Whether the questions ask the same: the same words with content, but for misspellings and light words."""
    apart = _Apart.of(one.question, other.question, one.names | other.names)
    if any(map(_decides, apart.left_all | apart.right_all)):
        return False
    return apart.left <= _LIGHT and apart.right <= _LIGHT and bool(one.question.content & other.question.content)


@dataclass(frozen=True, slots=True)
class _Apart:
    similarity: int  # hundredths
    left: frozenset[str]  # the words with content that only one has
    right: frozenset[str]
    left_all: frozenset[str]
    right_all: frozenset[str]
    content: int

    @classmethod
    def of(cls, one: Reading, other: Reading, names: frozenset[str]) -> "_Apart":
        left, right = one.tokens - other.tokens - text.COURTESIES, other.tokens - one.tokens - text.COURTESIES
        shared = len((one.tokens & other.tokens) - text.COURTESIES)
        for word in sorted(left):
            slip = next((two for two in sorted(right) if two[0] == word[0] and _one_word(word, two, names)), None)
            if slip is not None:
                left, right, shared = left - {word}, right - {slip}, shared + 1
        union = shared + len(left) + len(right)
        return cls(
            100 * shared // union if union else 100,
            frozenset(filter(text.carries, left)),
            frozenset(filter(text.carries, right)),
            left,
            right,
            max(len(one.content), len(other.content)),
        )

    @property
    def close(self) -> bool:
        """Whether only a few words are exchanged for others."""
        return min(len(self.left), len(self.right)) <= _FREE + self.content // _FREE_SHARE


def _one_word(one: str, other: str, names: frozenset[str]) -> bool:
    """Whether two words are one, inflected or misspelt; names never are."""
    return one not in names and other not in names and (misspelt(one, other) or inflected(one, other))


@lru_cache(maxsize=1 << 14)
def inflected(one: str, other: str) -> bool:
    """Whether two words have the same stem in French or in English."""
    return any(words.term(one, lang) == words.term(other, lang) != "" for lang in ("fr", "en"))


def _decides(word: str) -> bool:
    return word in _TURNS or not word.isalpha()


@lru_cache(maxsize=1 << 14)
def misspelt(one: str, other: str) -> bool:
    """Whether one word may be the other misspelt: a letter more, fewer, another or two swapped, digits never.

    A word that decides ("janvier", "never") may be misspelt when it is long, but never as another one that does.
    """
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < _SHORTEST:
        return False
    if not (one.isalpha() and other.isalpha()) or (one in _TURNS and other in _TURNS):
        return False
    turns = one in _TURNS or other in _TURNS
    short, long = sorted((one, other), key=len)
    at = next((at for at, sign in enumerate(short) if sign != long[at]), len(short))
    if len(short) == len(long) and _swapped(short, long, at):
        return not turns or len(short) >= _TURNS_SWAPPED
    if turns and len(short) < _TURNS_SLIPPED:
        return False
    return short[at:] == long[at + 1 :] if len(short) < len(long) else short[at + 1 :] == long[at + 1 :]


def _swapped(one: str, other: str, at: int) -> bool:
    return one[at + 2 :] == other[at + 2 :] and one[at : at + 2] == other[at : at + 2][::-1]
