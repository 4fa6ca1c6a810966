"""Counting what goes on the wire: text by a tokenizer, and the chat format's own framing around it."""

import json
from array import array
from collections.abc import Sequence
from dataclasses import asdict
from math import ceil

from persona.adapter import Framing, Tokenizer
from persona.values.message import Image, Message, Text, ToolCall, ToolResult
from persona.values.plan import Label
from persona.values.request import AnswerSchema, Tool
from persona.window.estimate import NAME, estimate_tokens

_PLACES = 1 << 19  # 4 MB for the counts of the memories of a thousand users, two dozen of which are counted a turn
_MOST_BYTES = 4  # of a character
_HASH, _TOKENS = (1 << 64) - 1, (1 << 16) - 1


class EstimatingTokenizer:
    """Counts by script and word shape, for models whose vocabulary is not at hand."""

    name = NAME
    exact = False
    framing = Framing()

    def count(self, text: str) -> int:
        """An estimate of the tokens in `text`."""
        return estimate_tokens(text)


class Counter:
    """Counts texts, messages and tool schemas for one tokenizer, each text once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.name = tokenizer.name
        self.exact = tokenizer.exact
        self.framing = tokenizer.framing
        self._count = tokenizer.count
        self._known = array("Q", [0]) * _PLACES

    def counts_as(self, other: "Counter") -> bool:
        """Whether both give every message the same tokens."""
        return (self.name, self.framing) == (other.name, other.framing)

    def text(self, text: str) -> int:
        """Tokens of a text."""
        key = hash(text) & _HASH  # 64 bits instead of the text itself
        place = key % _PLACES  # says the lowest 19 of them; the highest 48 stand there, with the tokens in one number
        known = self._known[place]
        if known ^ key <= _TOKENS and known & _TOKENS:
            return (known & _TOKENS) - 1
        tokens = self._count(text)
        if tokens < _TOKENS:
            self._known[place] = key & ~_TOKENS | tokens + 1  # written at once: other threads count here too
        return tokens

    def message(self, message: Message) -> int:
        """Tokens of a message with its framing. Neighbouring texts count as the one string the wire carries."""
        if len(message.parts) == 1 and type(only := message.parts[0]) is Text:  # as nearly all are
            return self.framing.per_message + self.text(only.text)
        total = self.framing.per_message
        run: list[str] = []
        for part in message.parts:
            if isinstance(part, Text):
                run.append(part.text)
                continue
            total += self._run(run) + self._part(part)
        return total + self._run(run)

    def at_most(self, message: Message) -> int:
        """A bound of `message` that counts no words: a vocabulary has a token for every byte, and UTF-8 takes four at
        most for a character. Messages of anything but words are counted.
        """
        if len(message.parts) == 1 and type(only := message.parts[0]) is Text:
            return self.framing.per_message + _MOST_BYTES * len(only.text)
        return self.message(message)

    def messages(self, messages: Sequence[Message]) -> int:
        """Tokens of several messages."""
        return sum(map(self.message, messages))

    def tools(self, tools: Sequence[Tool]) -> int:
        """Tokens of the tool schemas, as the JSON that describes them."""
        return sum([self.framing.per_tool + self.text(_schema(tool)) for tool in tools]) if tools else 0

    def answer(self, answer: AnswerSchema) -> int:
        """Tokens of the schema that the reply must fit, as the JSON that describes it."""
        return self.framing.per_tool + self.text(answer_text(answer))

    def request(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), answer: AnswerSchema | None = None
    ) -> int:
        """Tokens of a whole request: what a plan's total must equal."""
        schema = self.answer(answer) if answer else 0
        return self.framing.per_request + self.tools(tools) + schema + self.messages(messages)

    def _run(self, run: list[str]) -> int:
        tokens = self.text("".join(run)) if run else 0
        run.clear()
        return tokens

    def _part(self, part: Image | ToolCall | ToolResult) -> int:
        framing = self.framing
        if isinstance(part, ToolCall):
            return framing.per_call + self.text(part.name) + self.text(part.arguments)
        if isinstance(part, ToolResult):
            return framing.per_call + self.text(part.text)
        return framing.image_low + (0 if part.detail == "low" else framing.image_tile * _tiles(part))


def declared(tools: Sequence[Tool], answer: AnswerSchema | None) -> str:
    """What goes out beside the messages, one a line: the schemas of all tools, and last the one of the answer."""
    lines = [_schema(tool) for tool in tools]
    if answer:
        lines.append(json.dumps({"answer": asdict(answer)}, ensure_ascii=False))
    return "\n".join(lines)


def declared_in(text: str) -> tuple[tuple[Tool, ...], AnswerSchema | None]:
    """The tools and the answer's schema that `declared` wrote."""
    rows = [json.loads(line) for line in text.split("\n")] if text else []  # JSON leaves other line ends as they are
    answer = AnswerSchema(**rows.pop()["answer"]) if rows and "answer" in rows[-1] else None
    return tuple(Tool(**row) for row in rows), answer


def answer_text(answer: AnswerSchema) -> str:
    """The answer's schema as JSON, with its name."""
    return json.dumps({"name": answer.name, "schema": answer.schema}, ensure_ascii=False)


def label(counter: Counter, samples: int) -> Label:
    """What a count of this counter may be called, after so many comparisons with the provider's own."""
    if counter.exact:
        return "exact"
    return "calibrated" if samples else "estimate"


def _tiles(image: Image) -> int:
    """Tiles of 512 pixels after the picture is scaled into 2048 × 2048 and to a short side of 768.

    Source: the tile rule that vendors of vision models publish. Unknown sizes take the most (8).
    """
    if not image.width or not image.height:
        return 8
    scale = min(1.0, 2048 / max(image.width, image.height))
    width, height = image.width * scale, image.height * scale
    shrink = min(1.0, 768 / min(width, height))
    return ceil(width * shrink / 512) * ceil(height * shrink / 512)


def _schema(tool: Tool) -> str:
    return json.dumps(
        {"name": tool.name, "description": tool.description, "parameters": tool.parameters}, ensure_ascii=False
    )
