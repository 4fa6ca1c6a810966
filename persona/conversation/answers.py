"""Replies that must be an object: the schema the model is shown, its text validated, and how it is asked again."""

import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from persona.conversation.subset import narrowed
from persona.errors import InvalidAnswer, InvalidInput
from persona.values.message import Message, say
from persona.values.request import AnswerSchema, StopReason
from persona.values.turn import Reply

_UNSAYABLE = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 64  # what providers take
_MOST_PROBLEMS, _LONGEST_PROBLEM = 20, 300
_CUT = "the reply was cut: it is longer than replies may be here"


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a text is no answer, in words that may quote it; `kinds` are pydantic's names for the same."""

    problems: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Awaited:
    """The answer that a turn is to give: as the model is shown it, and as its text is validated."""

    schema: AnswerSchema
    model: type[BaseModel]

    def read(self, text: str, stop: StopReason = "end") -> BaseModel | Unfit:
        """The text as an answer, or why it is none."""
        try:
            return self.model.model_validate_json(text)
        except ValidationError as error:
            if stop == "length":
                return Unfit((_CUT,), ("length",))
            found = error.errors(include_url=False, include_context=False, include_input=False)[:_MOST_PROBLEMS]
            problems = tuple(f"{'.'.join(map(str, one['loc'])) or 'the text'}: {one['msg']}" for one in found)
            return Unfit(
                tuple(problem[:_LONGEST_PROBLEM] for problem in problems),
                tuple(dict.fromkeys(one["type"] for one in found)),
            )

    def once_more(self, text: str, unfit: Unfit) -> tuple[Message, ...]:
        """What is added to the request so that the model mends its reply. It is never stored."""
        asking = (
            f"That is not the JSON that was asked for:\n{_lines(unfit.problems)}\n"
            f"Reply once more, with the whole JSON and nothing else. Its JSON Schema: "
            f"{json.dumps(self.schema.schema, ensure_ascii=False)}"
        )
        said = (say("assistant", text),) if text.strip() else ()
        return (*said, say("user", asking))

    def refuse(self, who: str, text: str, unfit: Unfit, hint: str) -> InvalidAnswer:
        """The error for a text that is no answer. Its message names the problems and quotes nothing."""
        return InvalidAnswer(
            f"{who} gave no valid {self.schema.name}: {len(unfit.problems)} problem(s) ({', '.join(unfit.kinds)})",
            hint=hint,
            text=text,
            problems=unfit.problems,
        )

    def again(self, reply: Reply[Any]) -> Reply[Any]:
        """A stored reply with its answer. Raises InvalidAnswer when it was given for something else."""
        answer = self.read(reply.text)
        if isinstance(answer, Unfit):
            raise self.refuse("the stored reply", reply.text, answer, "send it under a new idempotency key")
        return replace(reply, answer=answer)


def expected(model: type[object] | None) -> Awaited | None:
    """The answer of this pydantic model. Raises InvalidInput for what no reply can be."""
    if model is None:
        return None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise InvalidInput(f"the answer is to be {model!r}", hint="pass a class derived from pydantic's BaseModel")
    return _described(model)


class _Brief(GenerateJsonSchema):
    """Schemas without the titles that only repeat the names of fields, and cost tokens."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@lru_cache(maxsize=256)
def _described(model: type[BaseModel]) -> Awaited:
    try:
        schema, strict = narrowed(model.model_json_schema(schema_generator=_Brief))
    except PydanticUserError as error:
        raise InvalidInput(
            f"answer {model.__name__!r} cannot be described: {type(error).__name__}",
            hint="give every field a type that JSON has, such as str, int, float, bool, list or another model",
        ) from error
    if "properties" not in schema:
        raise InvalidInput(f"answer {model.__name__!r} has no fields", hint="put what it holds into a field of a model")
    name = _UNSAYABLE.sub("_", model.__name__).strip("_")[:_LONGEST_NAME] or "answer"
    return Awaited(AnswerSchema(name, schema, strict), model)


def _lines(problems: tuple[str, ...]) -> str:
    return "\n".join(f"- {problem}" for problem in problems)
