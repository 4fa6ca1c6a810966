"""Which of two answers a model finds better, asked twice with the answers swapped: pure, but for the prompt's file.

Models prefer a place (Zheng et al., Judging LLM-as-a-Judge, 2023, section 3.4), so only a winner in both places wins;
where the two verdicts disagree it is a tie.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from persona.values.message import Message, say

Winner = Literal["A", "B", "tie"]
JUDGE = "judge"
ORDERS = ("as they are", "swapped")


class _Verdict(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    winner: Winner


@cache
def prompt() -> str:
    """What a judge is told, as it lies beside this module."""
    return (files("persona.evaluation") / "judge.txt").read_text(encoding="utf-8")


def question(
    instructions: Sequence[Message], asked: str, reference: str, first: str, second: str
) -> tuple[Message, ...]:
    """The messages that ask for a verdict; the texts are JSON, so that none of them can pose as another."""
    told = {"message": asked, **({"reference": reference} if reference else {}), "A": first, "B": second}
    return (*instructions, say("user", f"{prompt()}\n{json.dumps(told, ensure_ascii=False, indent=1)}"))


def winner(said: str) -> Winner | None:
    """The verdict in what a judge said, or None when there is none."""
    start, end = said.find("{"), said.rfind("}")
    try:
        return _Verdict.model_validate_json(said[start : end + 1]).winner
    except ValidationError:
        return None


def scores(straight: Winner | None, swapped: Winner | None) -> tuple[float, float] | None:
    """What the base and the other arm get: 1 and 0 for a win in both places, a half each otherwise.

    `straight` is the verdict with the base as A, `swapped` with the base as B. None when one of the two is missing.
    """
    if straight is None or swapped is None:
        return None
    if (straight, swapped) == ("A", "B"):
        return 1.0, 0.0
    if (straight, swapped) == ("B", "A"):
        return 0.0, 1.0
    return 0.5, 0.5
