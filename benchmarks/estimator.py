"""How far the offline token estimator is from o200k_base, and how fast, on the texts of `benchmarks/samples`.

    python benchmarks/estimator.py [--json] [--write-counts]

The error is measured on whole texts and on their lines, which stand for messages. Exit code 1: a total is off
by more than 12 %. Exit code 2: tiktoken's vocabulary is not at hand; nothing is ever downloaded.
"""

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import tiktoken

from persona.window.estimate import NAME, estimate_tokens

SAMPLES = Path(__file__).parent / "samples"
COUNTS = SAMPLES / "counts.json"
LIMIT_PERCENT = 12.0
VOCABULARY_URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
NO_VOCABULARY = "no o200k_base vocabulary at hand: set TIKTOKEN_CACHE_DIR to a folder that holds it"
MESSAGE = (
    "Hey, I was thinking about the trip we planned for next month. The hotel near the station is fully "
    "booked, but I found a small apartment a bit further away, and it's cheaper too. Could you check if the "
    "dates work for you? If they do, I'd book it tonight, because there were only two left this morning."
)


@dataclass(frozen=True, slots=True)
class Row:
    """The error on one text and on its lines, in percent, and the CPU time for an average line."""

    category: str
    chars: int
    exact: int
    estimate: int
    error: float
    line_median: float
    line_p95: float
    estimator_us: float
    tiktoken_us: float

    @property
    def ratio(self) -> float:
        """How many times the exact count's time an estimate takes."""
        return self.estimator_us / self.tiktoken_us


def vocabulary_at_hand() -> bool:
    """Whether tiktoken would find o200k_base in its cache, looked for as `tiktoken/load.py` does."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    name = hashlib.sha1(VOCABULARY_URL.encode(), usedforsecurity=False).hexdigest()
    return (Path(folder or Path(tempfile.gettempdir()) / "data-gym-cache") / name).is_file()


def cpu_us(count: Callable[[str], object], texts: list[str], rounds: int = 5) -> float:
    """CPU microseconds for one of `texts`, in the best of several rounds."""
    repeats = max(1, 4000 // len(texts))
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(repeats):
            for text in texts:
                count(text)
        best = min(best, time.process_time() - start)
    return best / repeats / len(texts) * 1e6


def percent_off(estimate: int, exact: int) -> float:
    """The signed error in percent."""
    return 100 * (estimate / exact - 1)


def measure(category: str, text: str, exact_tokens: Callable[[str], int]) -> Row:
    """All figures of one text."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = sorted(abs(percent_off(estimate_tokens(line), exact_tokens(line))) for line in lines)
    exact, estimate = exact_tokens(text), estimate_tokens(text)
    return Row(
        category=category,
        chars=len(text),
        exact=exact,
        estimate=estimate,
        error=percent_off(estimate, exact),
        line_median=statistics.median(errors),
        line_p95=errors[int(0.95 * (len(errors) - 1))],
        estimator_us=cpu_us(estimate_tokens, lines),
        tiktoken_us=cpu_us(exact_tokens, lines),
    )


def print_table(rows: list[Row]) -> None:
    """The figures for people."""
    print(f"{NAME} against o200k_base; a message is a line")
    print(f"{'category':<14}{'chars':>7}{'exact':>7}{'est.':>7}{'error':>8}", end="")
    print(f"{'median':>8}{'p95':>7}{'est. µs':>9}{'tiktoken µs':>13}{'ratio':>7}")
    for row in rows:
        print(f"{row.category:<14}{row.chars:>7}{row.exact:>7}{row.estimate:>7}{row.error:>+7.1f}%", end="")
        print(f"{row.line_median:>7.1f}%{row.line_p95:>6.1f}%{row.estimator_us:>9.1f}", end="")
        print(f"{row.tiktoken_us:>13.1f}{row.ratio:>7.1f}")


def main() -> int:
    """Measure, print, and judge by the limit."""
    parser = argparse.ArgumentParser(description="the error and the speed of the offline token estimator")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--write-counts", action="store_true", help="store the exact counts for the tests")
    arguments = parser.parse_args()
    if not vocabulary_at_hand():
        print(NO_VOCABULARY, file=sys.stderr)
        return 2
    encoding = tiktoken.get_encoding("o200k_base")

    def exact_tokens(text: str) -> int:
        return len(encoding.encode_ordinary(text))

    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob("*.txt"))}
    if arguments.write_counts:
        counts = {name: exact_tokens(text) for name, text in texts.items()}
        COUNTS.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    rows = [measure(name, text, exact_tokens) for name, text in texts.items()]
    message = measure("one message", MESSAGE, exact_tokens)
    if arguments.json:
        print(json.dumps([asdict(row) | {"ratio": row.ratio} for row in [*rows, message]], indent=2))
    else:
        print_table([*rows, message])
    return int(any(abs(row.error) > LIMIT_PERCENT for row in rows))


if __name__ == "__main__":
    sys.exit(main())
