"""The examples of one chunk of conversations as files: what is written, what is compared, and what was taken out."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic_core import PydanticSerializationError, to_json

from persona.adapter import DatasetFormat
from persona.errors import InvalidInput
from persona.harvest.candidate import Candidate
from persona.harvest.formats.containers import piece_of
from persona.harvest.shelf import write_lines
from persona.harvest.similar.columns import Row, columns_of
from persona.harvest.similar.context import context
from persona.harvest.similar.lexicon import Lexicon
from persona.harvest.tally import Tally
from persona.values.example import Example, Shape
from persona.values.message import Text

OWN = np.dtype([("owner", "<i8"), ("place", "<u8"), ("at_us", "<i8"), ("tokens", "<i4"), ("language", "S3")])
"""What is kept of an example beside the columns that it is compared by; `place` is its user's on the split."""

_SPEAK = ("user", "assistant")
_BEFORE = 2  # messages right before a question
_CORRECTED = 30_000  # better than any rating: somebody wrote what the reply should have been
_quoted = json.encoder.encode_basestring_ascii  # as the encoder does, which takes three times as long to begin


@dataclass(slots=True)
class Heap:
    """The examples of one shape: a line in each list for every one of them.

    The `lexicon` is that of all chunks; without `templates` no template of a question is told.
    """

    formats: Sequence[DatasetFormat]
    lexicon: Lexicon
    templates: bool
    rows: list[Row] = field(default_factory=list)
    own: list[tuple[int, int, int, int, bytes]] = field(default_factory=list)
    origins: list[bytes] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    written: dict[str, list[bytes]] = field(default_factory=dict)

    def add(self, one: Candidate, place: int, side: int, tally: Tally) -> str | None:
        """Takes an example; or gives the reason why none of the formats has words for it."""
        pieces, reason = self._pieces(one, tally)
        if not any(pieces.values()):
            return reason
        for name, piece in pieces.items():
            self.written.setdefault(name, []).append(piece)
        self.rows.append(_row(one, side))
        self.own.append((one.owner_key, place, one.at_us, one.tokens, one.language.encode()))
        self.origins.append(_origin(one, [name for name, piece in pieces.items() if piece]))
        self.texts.append(_texts(one.question, one.reply))
        return None

    def _pieces(self, one: Candidate, tally: Tally) -> tuple[dict[str, bytes], str]:
        """The example in each format, empty where that cannot say it; and the last reason why."""
        pieces, reason = {}, ""
        worded = _is_worded(one.example)
        for each in self.formats:
            try:
                row = each.row(one.example)
                pieces[each.name] = piece_of(row, each.container, worded=worded)
                if each.name not in tally.columns:
                    tally.columns[each.name] = list(row)
            except InvalidInput as error:
                pieces[each.name], reason = b"", f"{each.name}: {error}"
                tally.unsayable.setdefault(each.name, Counter())[str(error)] += 1
        return pieces, reason

    def write(self, folder: Path) -> None:
        """Writes everything to a new folder."""
        folder.mkdir()
        columns_of(self.rows, self.lexicon, self.templates).write(folder)
        np.save(folder / "own.npy", np.array(self.own, OWN))
        write_lines(folder, "origins", self.origins)
        write_lines(folder, "texts", self.texts)
        for each in self.formats:
            write_lines(folder, f"as-{each.name}", self.written.get(each.name, []))


def write_chunk(folder: Path, heaps: Mapping[Shape, Heap], refused: Sequence[bytes], tally: Tally) -> None:
    """Writes a chunk into a new folder: one folder for each shape of examples, and what the checks took out."""
    folder.mkdir()
    for shape, heap in heaps.items():
        if heap.rows:
            heap.write(folder / shape)
    (folder / "refused.jsonl").write_bytes(b"".join(refused))
    (folder / "tally.json").write_text(json.dumps(tally.to_dict()), encoding="utf-8")


def refusal(exchange_id: str, conversation_key: int, owner_key: int, check: str) -> bytes:
    """The line of an exchange that a check took out: ids and keys, no name and no text."""
    keys = f'"conversation":{conversation_key},"owner":{owner_key}'
    return f'{{"exchange":{_quoted(exchange_id)},{keys},"dropped":{_quoted(check)}}}\n'.encode()


def _texts(question: str, reply: str) -> bytes:
    """The line of what is compared."""
    try:
        return to_json((question, reply))
    except PydanticSerializationError:  # half of a surrogate pair
        return f"[{_quoted(question)},{_quoted(reply)}]".encode()


def _is_worded(example: Example) -> bool:
    """Whether it is made of words: what tools take and give may hold numbers of any kind."""
    if example.tools:
        return False
    for one in example.messages if example.rejected is None else (*example.messages, example.rejected):
        for part in one.parts:
            if type(part) is not Text:
                return False
    return True


def _origin(one: Candidate, formats: list[str]) -> bytes:
    """The line of an example in the manifest's list of rows, without where it lies."""
    log, named = ",".join(map(_quoted, one.log)), ",".join(map(_quoted, formats))
    keys = f'"conversation":{one.conversation_key},"owner":{one.owner_key}'
    told = f'"formats":[{named}],"tokens":{one.tokens},"language":{_quoted(one.language)}'
    return f'{{"example":{_quoted(one.example.id)},"shape":"{one.example.shape}","log":[{log}],{keys},{told}}}'.encode()


def _row(one: Candidate, side: int) -> Row:
    reply = one.reply if one.rejected is None else f"{one.reply}\n{one.rejected}"
    label = one.example.label
    language = one.language or None
    return Row(  # by their places: named ones take twice the time
        f"{one.owner.tenant}\x1f{one.owner.name}",
        one.question,
        reply if label is None else f"{reply}\n{label}",
        _CORRECTED if one.corrected else _hundredths(one.rating),
        one.at_us,
        side,
        context(one.question, one.reply, one.sources, language),
        language,
        _before(one),
    )


def _before(one: Candidate) -> tuple[str, ...]:
    """What was said right before the question, in a row of one exchange; and what the row rests on besides."""
    if len(one.asked) != 1:
        return ()
    before: list[str] = []
    asked = False
    for message in reversed(one.example.messages):
        if message.role in _SPEAK:
            if asked:
                before.append(message.text)
                if len(before) == _BEFORE:
                    break
            asked = asked or message.role == "user"
    return (*before[::-1], *one.sources) if before else ()


def _hundredths(rating: float | None) -> int:
    return 0 if rating is None else max(-_CORRECTED, min(_CORRECTED - 1, round(100 * rating)))
