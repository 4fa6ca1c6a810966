"""The English sentences from which word vectors are learnt: WordNet's, and everyday ones with its words in the gaps."""

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from persona.values import words

_LISTS = Path(__file__).parent / "data" / "everyday.txt"
_PARTS = ("noun", "verb", "adj", "adv")
_EXAMPLE = re.compile(r'"([^"]+)"')
_EXAMPLES = re.compile(r';? *"[^"]*"[^;]*')
_GAP = re.compile(r"\{(\w+?)\d?\}")
_NOUNS = {  # the lexicographer files of WordNet (lexnames(5WN)), and what a definition has to hold
    "thing": (range(100), ""),
    "act": ((4,), ""),
    "animal": ((5,), ""),
    "artifact": ((6,), ""),
    "body": ((8,), ""),
    "thought": ((9,), ""),
    "event": ((11,), ""),
    "feeling": ((12,), ""),
    "food": ((13,), ""),
    "group": ((14,), ""),
    "person": ((18,), ""),
    "plant": ((20,), ""),
    "vehicle": ((6,), "vehicle|motor|car |boat|aircraft|bicycle"),
    "illness": ((26,), "disease|disorder|pain|illness|infection|inflammation|condition"),
    "medicine": ((6, 27), "drug|medicine|antibiotic"),
    "subject": ((9,), "science|branch of|study of"),
    "place": ((6, 14), "building|place|room|shop|store|institution|house"),
    "part": ((6,), "part|device|instrument"),
}
_CITIES = 15
_SHORTEST = 3  # letters of a word in a gap


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning: its part of speech, its lexicographer file, the words that have it, and what it says."""

    part: str
    file: int
    lemmas: tuple[str, ...]
    definition: str
    examples: tuple[str, ...]


def senses(folder: Path) -> list[Sense]:
    """All of WordNet's, in the order of its files (wndb(5WN))."""
    return [_sense(part, line) for part in _PARTS for line in _lines(folder / f"data.{part}")]


def tagged(folder: Path) -> Counter[str]:
    """How often each lemma was met in the texts that WordNet's authors annotated."""
    found = Counter[str]()
    for line in _lines(folder / "cntlist.rev"):
        sense, _, count = line.split()
        found[sense.split("%")[0]] += int(count)
    return found


def definitions(every: list[Sense], usual: set[str]) -> Iterator[str]:
    """Each definition of usual words, alone and after two of them."""
    for sense in every:
        if single := [one for one in sense.lemmas if one.lower() in usual]:
            yield sense.definition
            yield from (f"{one}: {sense.definition}" for one in single[:2])


def everyday(every: list[Sense], usual: set[str], count: int) -> Iterator[str]:
    """So many sentences, each template in turn, with usual words drawn for its gaps; the same ones each time."""
    templates, fill = _read()
    fill |= _drawn_from(every, usual)
    draw = random.Random(1)
    for at in range(count):
        yield _GAP.sub(partial(_filled, fill, draw), templates[at % len(templates)])


def _filled(fill: Mapping[str, list[str]], draw: random.Random, gap: re.Match[str]) -> str:
    return str(draw.randint(2, 60)) if gap[1] == "n" else draw.choice(fill[gap[1]])


def _read() -> tuple[list[str], dict[str, list[str]]]:
    lines = [one for one in _LISTS.read_text(encoding="utf-8").splitlines() if not one.startswith("#")]
    lists = dict(one.split(": ") for one in lines if ": " in one)
    return [one for one in lines if ": " not in one], {name: listed.split() for name, listed in lists.items()}


def _drawn_from(every: list[Sense], usual: set[str]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for sense in every:
        for lemma in sense.lemmas:
            word = lemma.lower()
            if len(word) < _SHORTEST or word not in usual:
                continue
            if sense.part == "noun":
                for gap, (files, holding) in _NOUNS.items():
                    if sense.file in files and re.search(holding, sense.definition):
                        found.setdefault(gap, set()).add(word)
                if sense.file == _CITIES and lemma[0].isupper():
                    found.setdefault("city", set()).add(word)
            else:
                found.setdefault(sense.part, set()).add(word)
    return {gap: sorted(listed) for gap, listed in found.items()}


def met(texts: list[str]) -> Counter[str]:
    """How often each word stands in some texts."""
    return Counter(word for text in texts for word in words.tokens(text))


def _sense(part: str, line: str) -> Sense:
    head, _, gloss = line.partition(" | ")
    fields = head.split()
    lemmas = tuple(fields[4 + 2 * at].replace("_", " ") for at in range(int(fields[3], 16)))
    definition = _EXAMPLES.sub("", gloss).strip(" ;")
    return Sense(part, int(fields[1]), lemmas, definition, tuple(_EXAMPLE.findall(gloss)))


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file if not line.startswith(" "))
