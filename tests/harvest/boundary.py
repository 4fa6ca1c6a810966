"""Looks at a dataset's files alone for what lies on two sides of the split: users, and examples that are alike.

Shares no code with what writes them: `python tests/harvest/boundary.py FOLDER` prints what it found, and fails when
that is something. Two examples are alike when their last question and reply are, word by word, in nine of ten words,
and name the same numbers: what is said of order 4417 and of order 4418, or of two models of a lamp, are two things.
"""

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from math import ceil
from pathlib import Path

ALIKE = 0.9


def crossing_users(folder: Path) -> list[int]:
    """The keys of users whose examples lie on several sides."""
    sides = defaultdict(set)
    for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "side" in row:
            sides[row["owner"]].add(row["side"])
    return [owner for owner, found in sides.items() if len(found) > 1]


def crossing_examples(folder: Path, name: str) -> list[tuple[str, str]]:
    """Pairs of examples of a format with `messages` that are alike and lie on two sides."""
    examples = list(_examples(folder, name))
    held = Counter(word for _, _, words in examples for word in words)
    by_word = defaultdict(list)
    rarest = []
    for number, (_, _, words) in enumerate(examples):
        # such sets share one of so many of their rarest words (prefix filtering, Chaudhuri et al. 2006)
        rarest.append(sorted(words, key=lambda word: (held[word], word))[: len(words) - ceil(ALIKE * len(words)) + 1])
        for word in rarest[-1]:
            by_word[word].append(number)
    found = set()
    for number, (side, text, words) in enumerate(examples):
        near = {other for word in rarest[number] for other in by_word[word] if other > number}
        for other in near:
            far, said, theirs = examples[other]
            same = len(words & theirs) >= ALIKE * len(words | theirs)
            if far != side and same and not any(map(_names_a_number, words ^ theirs)):
                found.add((text, said))
    return sorted(found)


def _names_a_number(word: str) -> bool:
    return any(sign.isdigit() for sign in word)


def _examples(folder: Path, name: str) -> Iterator[tuple[str, str, frozenset[str]]]:
    for path in sorted((folder / name).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)["messages"]
            question = next(one["content"] for one in reversed(said) if one["role"] == "user")
            text = f"{question.rpartition('/>')[2]} {said[-1]['content']}".strip()
            yield path.name.split(".")[0].split("-")[0], text, frozenset(re.findall(r"\w+", text.lower()))


if __name__ == "__main__":
    place = Path(sys.argv[1])
    users, pairs = crossing_users(place), crossing_examples(place, "trl")
    print(f"{len(users)} users and {len(pairs)} pairs of like examples lie on two sides")
    sys.exit(bool(users or pairs))
