"""The extractive responder behind the protocol of a chat model: it streams, and stops where it is told to."""

import re
from collections.abc import AsyncIterator

from persona.errors import BadRequest, ModelNotFound
from persona.values.message import ToolCall
from persona.values.request import Delta, Finish, Request, TextDelta
from persona_embedded.extract import answer

_CHARACTERS_PER_TOKEN = 4  # crude: the responder counts no tokens, and reports none
_PIECE = re.compile(r"\S+\s*|\s+")


class ExtractiveChat:
    """Answers from the request's own messages, at once; no network, no randomness, no clock."""

    def __init__(self, provider: str, model: str) -> None:
        self._provider = provider
        self._model = model

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        """The answer, word by word when it is streamed.

        Raises ModelNotFound for another model's name, and BadRequest when an object is asked for: it writes none.
        """
        if request.model != self._model:
            raise ModelNotFound(
                f"the embedded adapter has no chat model {request.model!r}",
                hint=f"use {self._model!r}",
                target=f"{self._provider}:{request.model}",
            )
        if request.answer:
            raise BadRequest(
                f"the embedded adapter quotes sentences, and cannot fill in the fields of {request.answer.name!r}",
                hint="name a language model as the target of the route",
                target=f"{self._provider}:{request.model}",
            )
        found = answer(request.messages, request.tools)
        if isinstance(found, ToolCall):
            yield found
            yield Finish("tool_calls", model=self._model)
            return
        kept = _shortened(found, request.max_output_tokens)
        for piece in _PIECE.findall(kept) if request.stream else [kept]:
            yield TextDelta(piece)
        yield Finish("end" if kept == found else "length", model=self._model)

    async def close(self) -> None:
        """Nothing is held open."""


def _shortened(text: str, max_tokens: int | None) -> str:
    return text if max_tokens is None else text[: max(1, max_tokens) * _CHARACTERS_PER_TOKEN]
