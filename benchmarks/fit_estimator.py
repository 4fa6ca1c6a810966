"""Fit the coefficients of `persona/window/estimate.py` from folders of text.

    python benchmarks/fit_estimator.py CORPUS [--write]

CORPUS holds one folder per language (en, de, ja, hans, hant, code, ...) with text files, one per source. A
folder's name matters for the languages of MARKS and HAN_SIGNS; any other only adds its script. Every source
weighs the same, so that a long manual does not drown a short collection of letters. tiktoken counts exactly:
point TIKTOKEN_CACHE_DIR at its vocabulary. The table is printed, or written into the module. Nothing is drawn
by chance: the same corpus gives the same numbers.

The numbers in the module come from the Debian packages wesnoth-1.16-data, libreoffice-help-*, calibre,
gnome-user-docs and firefox-esr-l10n-* (dialogue, manuals and labels in 50 languages), sword-text-web, and the
sources of CPython, npm and libc. They were checked on debian-handbook, fortunes-*, wordpress-l10n and
libreoffice-l10n-*, none of which was fitted.
"""

import argparse
import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import tiktoken

from persona.window import estimate

Cost = tuple[float, float]  # (free, slope)
Point = tuple[int, float, float]  # a length of pieces, how many there are, the tokens that all of them took
HINTED = {*estimate.MARKS, *estimate.HAN_SIGNS}
UNIVERSAL = {"caps", "punctuation"}  # alike in all languages but code
FIXED: dict[str, Cost] = {"digit": (3, 0), "space": (80, 0.01)}  # known from the vocabulary, too rare to fit
TYPICAL_SHARE = 0.02  # a class with a smaller share of a language's tokens is not worth numbers of its own
BEGIN, END = "tuple[float, float]]] = {\n", "}\n# fmt: on\n"


def piece_tokens(encoding: tiktoken.Encoding, text: str) -> Iterator[tuple[str, int]]:
    """Each piece of `text` with its tokens; a token belongs to the piece in which it starts."""
    pieces = estimate.split_pieces(text)
    starts = Counter[int]()
    index, end, position = 0, len(pieces[0].encode()), 0
    for token in encoding.decode_tokens_bytes(encoding.encode_ordinary(text)):
        while position >= end:
            index += 1
            end += len(pieces[index].encode())
        starts[index] += 1
        position += len(token)
    return ((piece, starts[index]) for index, piece in enumerate(pieces))


def measure_source(encoding: tiktoken.Encoding, path: Path) -> dict[str, list[Point]]:
    """The points of one file by class, scaled to a million pieces."""
    counts: Counter[tuple[str, int]] = Counter()
    tokens: Counter[tuple[str, int]] = Counter()
    for piece, number in piece_tokens(encoding, path.read_text(encoding="utf-8")):
        key = estimate.piece_class(piece), len(piece)
        counts[key] += 1
        tokens[key] += number
    scale = 1e6 / counts.total()
    points = defaultdict(list)
    for (name, length), count in counts.items():
        points[name].append((length, count * scale, tokens[name, length] * scale))
    return points


def tokens_of(points: Iterable[Point]) -> float:
    """All tokens of some points."""
    return sum(tokens for _, _, tokens in points)


def fit(points: list[Point]) -> Cost:
    """The (free, slope) that keeps the total exact and, of those, has the least squared error by length."""
    further = sum(tokens - count for _, count, tokens in points)
    best = (float("inf"), 0.0, 0.0)
    for free in (quarter / 4 for quarter in range(-8, 61)):
        beyond = sum(count * max(0.0, length - free) for length, count, _ in points)
        if not beyond:
            break
        slope = max(0.0, further / beyond)
        residuals = ((count, tokens / count - 1 - slope * max(0.0, n - free)) for n, count, tokens in points)
        error = sum(count * residual**2 for count, residual in residuals)
        best = min(best, (error, free, slope))
    return best[1], round(best[2], 3)


def measure_corpus(encoding: tiktoken.Encoding, corpus: Path) -> dict[str, dict[str, list[Point]]]:
    """The points of every class by language."""
    points: defaultdict[str, dict[str, list[Point]]] = defaultdict(dict)
    for source in sorted(corpus.glob("*/*")):
        for name, rows in measure_source(encoding, source).items():
            points[name].setdefault(source.parent.name, []).extend(rows)
    del points["symbol"]
    return points


def fit_corpus(encoding: tiktoken.Encoding, corpus: Path) -> dict[str, dict[str, Cost]]:
    """The table COSTS: each class over all languages, and again for each language that it is typical of."""
    points = measure_corpus(encoding, corpus)
    totals = Counter[str]()
    for by_language in points.values():
        totals.update({language: int(tokens_of(rows)) for language, rows in by_language.items()})
    table = {}
    for name, by_language in sorted(points.items()):
        if name in FIXED:
            table[name] = {"": FIXED[name]}
            continue
        typical = [key for key, rows in by_language.items() if tokens_of(rows) >= TYPICAL_SHARE * totals[key]]
        table[name] = {"": fit([row for rows in by_language.values() for row in rows])}
        if len(typical) > 1:
            hinted = {"code"} if name in UNIVERSAL else HINTED
            table[name] |= {key: fit(by_language[key]) for key in typical if key in hinted}
    return table


def table_source(table: dict[str, dict[str, Cost]]) -> str:
    """The table as lines of Python, several languages to a line."""
    lines = []
    for name, costs in table.items():
        entries = [f'"{language}":~({free:g},~{slope:g})' for language, (free, slope) in costs.items()]
        body = textwrap.wrap(", ".join(entries), 92, break_long_words=False)
        rows = [f"        {line}".replace("~", " ") for line in body]
        if len(rows) == 1:
            lines.append(f'    "{name}": {{{rows[0].strip()}}},')
        else:
            lines += [f'    "{name}": {{', *rows, "    },"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Fit a corpus and print the table, or write it into the module."""
    parser = argparse.ArgumentParser(description="fit the coefficients of the token estimator")
    parser.add_argument("corpus", type=Path, help="a folder with one folder of text files per language")
    parser.add_argument("--write", action="store_true", help="replace the table in the module")
    arguments = parser.parse_args()
    source = table_source(fit_corpus(tiktoken.get_encoding("o200k_base"), arguments.corpus))
    if not arguments.write:
        print(source, end="")
        return 0
    module = Path(estimate.__file__)
    before, rest = module.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    module.write_text(f"{before}{BEGIN}{source}{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
