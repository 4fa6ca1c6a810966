"""A model that says what a test tells it to: for the tests of an application that uses persona.

    >>> from persona.testing import scripted
    >>> with scripted("At nine.") as (assistant, model):
    ...     reply = assistant.user("ada").conversation().send("When do you open?")
    >>> reply.text
    'At nine.'
    >>> model.requests[0].messages[-1].text.endswith("When do you open?")
    True

Each model call takes one step of the script. A step is one of these, or a list of them, said one after the other:

    "At nine."                          the words of the reply
    ToolCall("1", "hours", "{}")        the model asks for a tool; a list asks for several at once
    RateLimited("too many requests")    any error, raised
    Cut("At ni")                        the stream ends early, after these words
    Finish("length", Usage(20, 5))      the end, with a stop reason and a usage of your own
    lambda request: …                   a function of the request that returns a step, plain or async

A retry and a fallback are calls too. A call too many raises ScriptError at once, and so does the end of the `with`
block when steps were not used.
"""

import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import isawaitable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias, Union

from persona.adapter import Adapter, Framing, Tokenizer
from persona.errors import ScriptError
from persona.values.message import ToolCall
from persona.values.request import Delta, Finish, Request, TextDelta

if TYPE_CHECKING:
    from persona.assistant.synchronous import Assistant
    from persona.settings import Settings

_WORD = re.compile(r"\s*\S+\s*")
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Cut:
    """The stream ends here, without a stop reason, after these words."""

    text: str = ""


Step: TypeAlias = Union[  # noqa: UP007 - a quoted name takes no |
    str, ToolCall, Finish, Cut, BaseException, Sequence["Step"], Callable[[Request], "Step | Awaitable[Step]"]
]
"""What the model does in one call."""


class WordTokenizer:
    """Counts words and punctuation marks: a vocabulary that a person can check by hand."""

    name = "words"
    exact = True
    framing = Framing()

    def count(self, text: str) -> int:
        """The number of words and punctuation marks in `text`."""
        return sum(1 for _ in _TOKEN.finditer(text))


class ScriptedModel:
    """Answers by its script, and records what it was asked in `requests`.

    Pass `.adapter` to `open` and name the target `scripted:any`. With the `name` of an installed adapter it stands in
    for that one, so that your own settings need no change. Tokens are estimated unless a `tokenizer` counts them.
    """

    def __init__(self, *steps: Step, name: str = "scripted", tokenizer: Tokenizer | None = None) -> None:
        self.requests: list[Request] = []
        self._steps = deque(steps)
        self._length = len(steps)
        self._name = name
        self._tokenizer = tokenizer

    @property
    def adapter(self) -> Adapter:
        """The model as an adapter, which offers chat and nothing else."""
        return Adapter(
            name=self._name,
            chat=lambda provider: _Chat(self),
            tokenizer=lambda model: self._tokenizer,
            needs_key=False,
            sends_outside=False,
        )

    def then(self, *steps: Step) -> Self:
        """More steps, after those that are there."""
        self._steps.extend(steps)
        self._length += len(steps)
        return self

    def take(self, request: Request) -> Step:
        """The next step, for this request. Raises ScriptError when there is none."""
        self.requests.append(request)
        if not self._steps:
            raise ScriptError(
                f"the model was called {len(self.requests)} times, and its script has {self._length} steps",
                hint="add a step, or look at the last of model.requests for what asked",
            )
        return self._steps.popleft()

    def check(self) -> None:
        """Raises ScriptError unless every step was used, and no call found none: also one that nobody reported."""
        called = len(self.requests)
        if called != self._length:
            raise ScriptError(
                f"the script has {self._length} steps, and the model was called {called} times",
                hint="make the script as long as the conversation",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.check()


@contextmanager
def scripted(*steps: Step, settings: "Settings | None" = None) -> "Iterator[tuple[Assistant, ScriptedModel]]":
    """An assistant on a database in memory, and the model behind it. Background work waits for `assistant.drain()`.

    With `settings` of your own, name the target `scripted:any` in them.
    """
    from persona.assistant.synchronous import Assistant  # loads the whole of persona
    from persona.settings import Settings

    chosen = settings or Settings.model_validate(
        {
            "store": {"url": "sqlite://"},
            "tasks": {"run": False},
            "routes": {"default": {"target": "scripted:any"}},
        }
    )
    with ScriptedModel(*steps) as model, Assistant.open(chosen, adapters=[model.adapter]) as assistant:
        yield assistant, model


class _Chat:
    """The chat model that the adapter makes, one for each assistant that is open."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        """What the next step says, word by word when the request is for a stream, and a Finish unless it is cut."""
        said: deque[Step] = deque([self._model.take(request)])
        end = Finish("end", model=request.model)
        while said:
            step = said.popleft()
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, str | Cut):
                text = step if isinstance(step, str) else step.text
                for piece in _WORD.findall(text) if request.stream else [text]:
                    yield TextDelta(piece)
                if isinstance(step, Cut):
                    return
            elif isinstance(step, ToolCall):
                end = Finish("tool_calls", model=request.model)
                yield step
            elif isinstance(step, Finish):
                end = step
            else:
                said.extendleft(reversed(await _told(step, request)))
        yield end

    async def close(self) -> None:
        """Nothing is held open."""


async def _told(step: Sequence[Step] | Callable[[Request], Step | Awaitable[Step]], request: Request) -> Sequence[Step]:
    """The steps of a list, or the one that a function gives."""
    if not callable(step):
        return step
    told = step(request)
    return [await told if isawaitable(told) else told]
