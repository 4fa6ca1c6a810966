"""Which tokens of a row carry loss: those of the replies, each with the token that ends its turn.

A reply is what its rendering adds to the prompt that a server would send: the same template writes both, so training
and serving match whatever the template does, and it needs no generation markers, which almost none has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from persona.errors import BadRequest, InvalidInput
from persona_trl.rows import Row, Turn

IGNORED = -100
"""The label of a token that carries no loss, in PyTorch's cross-entropy."""

_PROBE = "quite right"
_TEMPLATE = "correct its chat template, or choose another model"


@dataclass(frozen=True, slots=True)
class Lesson:
    """Tokens, and for each whether it carries loss. `line` is that of its row."""

    line: int
    ids: list[int]
    loss: list[bool]

    @property
    def labels(self) -> list[int]:
        """The tokens that are to be predicted, and IGNORED."""
        return [token if carries else IGNORED for token, carries in zip(self.ids, self.loss, strict=True)]


class Template:
    """A tokenizer's chat template. A server stops at any of `stops`; `end` is the one that ends a turn."""

    def __init__(self, tokenizer: Any, stops: Sequence[int]) -> None:
        if not tokenizer.is_fast:
            raise BadRequest("the model has no tokenizer.json, so nobody can say which token belongs to which word")
        self._tokenizer = tokenizer
        self.end = self._end_of_turn(stops)
        self.stops = frozenset((*stops, self.end))

    def lessons(self, row: Row) -> Iterator[Lesson]:
        """The row as tokens: one lesson, or one for each reply where the template rewrites what was said before.

        Raises InvalidInput for a row whose mask cannot be right.
        """
        turns = row.prompt + row.reply
        replies = [at for at, turn in enumerate(turns) if turn["role"] == "assistant"] if row.every else []
        replies = [at for at in replies if any(turn["role"] == "user" for turn in turns[:at])] or [len(turns) - 1]
        spans = [self._span(turns, at, row.tools) for at in replies]
        whole = spans[-1][0]
        if all(whole.startswith(text) for text, _ in spans):
            yield self._lesson(row.line, whole, [(start, len(text)) for text, start in spans])
        else:
            for text, start in spans:
                yield self._lesson(row.line, text, [(start, len(text))])

    def _span(self, turns: list[Turn], at: int, tools: list[Any] | None) -> tuple[str, int]:
        """The conversation to the end of one reply, and where in it that reply begins."""
        asked, upto = self._render(turns[:at], tools, asking=True), self._render(turns[: at + 1], tools)
        shared = (at for at, (one, other) in enumerate(zip(asked, upto, strict=False)) if one != other)
        return upto, next(shared, min(len(asked), len(upto)))

    def _lesson(self, line: int, text: str, spans: list[tuple[int, int]]) -> Lesson:
        read = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids, places = list(read["input_ids"]), read["offset_mapping"]
        loss = [False] * len(ids)
        for start, end in spans:
            inside = [at for at, (left, right) in enumerate(places) if start <= left and right <= end]
            for at in self._to_the_stop(line, ids, inside):
                loss[at] = True
        lesson = Lesson(line, ids, loss)
        self.verify(lesson)
        return lesson

    def _to_the_stop(self, line: int, ids: list[int], inside: list[int]) -> list[int]:
        """The tokens of a reply as far as the one that ends it; a server never sees the white space behind."""
        stop = next((at for at in inside if ids[at] in self.stops), None)
        behind = [ids[at] for at in inside if stop is not None and at > stop]
        if stop is None or self._tokenizer.decode(behind, skip_special_tokens=True).strip():
            raise InvalidInput(
                f"line {line}: the reply does not end with the first token at which a server stops",
                hint="correct the row, or the model's chat template",
            )
        return [at for at in inside if at <= stop]

    def verify(self, lesson: Lesson) -> None:
        """Raises InvalidInput where no token carries loss, every one does, or the end of the turn does not."""
        carrying = [token for token, carries in zip(lesson.ids, lesson.loss, strict=True) if carries]
        if not carrying:
            raise _wrong(lesson, "no token carries loss: nothing would be learnt")
        if len(carrying) == len(lesson.ids):
            raise _wrong(lesson, "every token carries loss: the model would learn to write the user's messages")
        if not self.stops.intersection(carrying):
            raise _wrong(lesson, "the token that ends the turn carries no loss: the model would never stop")

    def show(self, lesson: Lesson) -> str:
        """The lesson for a person: runs of tokens, `+` where they carry loss and `-` where they do not."""
        lines = [f"row {lesson.line}: {sum(lesson.loss)} of {len(lesson.ids)} tokens carry loss"]
        run: list[str] = []
        for at, (token, carries) in enumerate(zip(lesson.ids, lesson.loss, strict=True)):
            run.append(repr(self._tokenizer.decode([token]))[1:-1])
            if at + 1 == len(lesson.ids) or lesson.loss[at + 1] != carries:
                lines.append(f"{'+' if carries else '-'} {'|'.join(run)}")
                run = []
        return "\n".join(lines)

    def _end_of_turn(self, stops: Sequence[int]) -> int:
        """The first of the model's own stops behind a reply, or else the first token that is no text."""
        asked = [{"role": "user", "content": "right?"}, {"role": "assistant", "content": _PROBE}]
        text = self._render(asked, None)
        if _PROBE not in text:
            raise BadRequest("the model's chat template leaves out the words of a reply", hint=_TEMPLATE)
        behind = self._tokenizer(text[text.rfind(_PROBE) + len(_PROBE) :], add_special_tokens=False)["input_ids"]
        special = {*self._tokenizer.all_special_ids, *self._tokenizer.get_added_vocab().values()}
        for known in (set(stops), special):
            for token in behind:
                if token in known:
                    return int(token)
        raise BadRequest("the model's chat template ends a reply with no token of its own", hint=_TEMPLATE)

    def _render(self, turns: list[Turn], tools: list[Any] | None, *, asking: bool = False) -> str:
        from jinja2 import TemplateError  # it comes with transformers

        try:
            return str(
                self._tokenizer.apply_chat_template(turns, tools=tools, tokenize=False, add_generation_prompt=asking)
            )
        except TemplateError as error:  # the words are the template's own
            raise BadRequest(f"the model's chat template refuses a conversation: {error}", hint=_TEMPLATE) from error


def _wrong(lesson: Lesson, what: str) -> InvalidInput:
    return InvalidInput(f"line {lesson.line}: {what}", hint="correct the row, or the model's chat template")
