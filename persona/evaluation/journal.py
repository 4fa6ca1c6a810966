"""The answers that came so far, in a file: a comparison that was killed goes on from it and asks nothing twice.

One JSON object a line, written as soon as an answer is there. A line that was cut by a crash is passed over. Answers
are found by what was asked, word for word: where the settings or the log changed, other words are asked.
"""

import json
import os
from dataclasses import asdict, fields
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from persona.errors import InvalidInput
from persona.evaluation.answer import Answer
from persona.values.request import Request

_FIELDS = {one.name for one in fields(Answer)}


def digest_of(target: str, request: Request) -> str:
    """What an answer is found by: everything in a request that it may depend on."""
    asked = [asdict(message) for message in request.messages]
    told = (
        *(target, [(one["role"], one["parts"]) for one in asked]),
        *([asdict(tool) for tool in request.tools], request.max_output_tokens, request.temperature),
        asdict(request.answer) if request.answer else None,
    )
    return sha256(json.dumps(told, sort_keys=True, ensure_ascii=True).encode()).hexdigest()[:24]


class Journal:
    """The answers of one comparison, by example, asked arm and digest. Raises InvalidInput where none can be kept."""

    def __init__(self, path: Path) -> None:
        self._known: dict[tuple[str, str, str], Answer] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            told = f"cannot keep answers in {str(path.parent)!r}: {error.strerror}"
            raise InvalidInput(told, hint="name another folder with --out") from error
        self._read(path)

    def get(self, example: str, arm: str, digest: str) -> Answer | None:
        """The answer that is there."""
        return self._known.get((example, arm, digest))

    def keep(self, example: str, arm: str, digest: str, answer: Answer) -> None:
        """Keeps an answer; it survives the death of this process. One that may come another time is not kept."""
        if answer.again:
            return
        self._known[example, arm, digest] = answer
        told = {"example": example, "arm": arm, "digest": digest, **asdict(answer)}
        told["cost"] = None if answer.cost is None else str(answer.cost)
        os.write(self._file, (json.dumps(told) + "\n").encode())

    @property
    def paid(self) -> Decimal:
        """What the answers cost, as far as that is known."""
        return sum((one.cost for one in self._known.values() if one.cost is not None), Decimal(0))

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)

    def _read(self, path: Path) -> None:
        lines = path.read_bytes().split(b"\n")
        for line in lines[:-1]:
            if told := _row(line):
                self._known[told.pop("example"), told.pop("arm"), told.pop("digest")] = _answer(told)
        if lines[-1]:
            os.write(self._file, b"\n")  # the end of a line that was cut


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and {"example", "arm", "digest"} <= told.keys() else None


def _answer(told: dict[str, Any]) -> Answer:
    known = {name: value for name, value in told.items() if name in _FIELDS}
    cost = known.get("cost")
    return Answer(**{**known, "cost": Decimal(cost) if cost is not None else None, "tools": tuple(known["tools"])})
