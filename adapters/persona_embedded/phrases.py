"""The few sentences that the responder says itself, in French and in English."""

import re
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said in one language. `quote` takes a `lead` and a `text`."""

    introduction: str
    nothing: str
    noted: str
    welcome: str
    according: str
    profile: str
    summary: str
    told: str
    told_on: str
    answered: str
    failed: str
    heading: str
    quote: str
    months: str

    def day(self, iso: str) -> str:
        """An ISO day in words, or "" when it is none."""
        try:
            read = date.fromisoformat(iso[:10])
        except ValueError:
            return ""
        first = "1er" if read.day == 1 and self is FRENCH else str(read.day)
        return f"{first} {self.months.split()[read.month - 1]} {read.year}"


FRENCH = Wording(
    introduction="Je suis le répondeur extractif de persona (extractive-1), pas un modèle de langage : "
    "je réponds en citant ce que vous m'avez dit et les documents qu'on m'a donnés.",
    nothing="Je n'ai rien trouvé à ce sujet.",
    noted="C'est noté.",
    welcome="De rien.",
    according="D'après {title}",
    profile="D'après votre profil",
    summary="D'après le résumé de notre échange",
    told="Vous m'avez dit",
    told_on="Vous m'avez dit le {day}",
    answered="J'ai déjà répondu",
    failed="L'outil {title} a échoué",
    heading=" ({heading})",
    quote="{lead} : « {text} »",
    months="janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
)
ENGLISH = Wording(
    introduction="I am persona's extractive responder (extractive-1), not a language model: "
    "I answer by quoting what you told me and the documents I was given.",
    nothing="I found nothing about that.",
    noted="Noted.",
    welcome="You're welcome.",
    according="From {title}",
    profile="From your profile",
    summary="From the summary of our conversation",
    told="You told me",
    told_on="You told me on {day}",
    answered="I already answered",
    failed="The tool {title} failed",
    heading=" ({heading})",
    quote="{lead}: “{text}”",
    months="January February March April May June July August September October November December",
)
_WORDINGS = {"fr": FRENCH, "en": ENGLISH}
_OWN = frozenset(
    text
    for wording in _WORDINGS.values()
    for text in (wording.introduction, wording.nothing, wording.noted, wording.welcome)
)
_QUOTING = re.compile(r"[^\n]{1,200}? : « .* »|[^\n]{1,200}?: “.*”", re.DOTALL)


def wording(lang: str) -> Wording:
    """The wording of a language; English where there is none."""
    return _WORDINGS.get(lang, ENGLISH)


def is_own(line: str) -> bool:
    """Whether a line is one of the responder's set phrases, which hold no fact."""
    return line.strip() in _OWN


def is_quoting(line: str) -> bool:
    """Whether a line already names a source and quotes it."""
    return bool(_QUOTING.fullmatch(line))
