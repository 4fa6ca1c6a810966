"""A parrot as a provider: it says again what the user said."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from persona.adapter import Adapter, Framing, Provider
from persona.errors import ModelNotFound
from persona.values.request import Delta, Finish, Request, TextDelta

MODEL = "polly"


@dataclass(frozen=True, slots=True)
class Parrot:
    """The chat model. One that asks an API finds its address and its key in `provider`."""

    provider: Provider

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        """What was said last, in pieces, then why it ends. Failures are errors of `persona.errors`."""
        if request.model != MODEL:
            raise ModelNotFound(f"no parrot is called {request.model!r}", hint=f"ask {MODEL!r}")
        *_, said = request.messages[-1].text.splitlines()  # the user's own words come last
        for word in said.split(" "):
            yield TextDelta(f"{word} ")
        yield Finish("end", model=MODEL)

    async def close(self) -> None:
        """A real one closes its connections here."""


class Bytes:
    """The tokenizer: parrots read byte by byte."""

    name = "parrot-bytes"
    exact = True
    framing = Framing(per_request=0, per_message=2)

    def count(self, text: str) -> int:
        """The bytes of the text."""
        return len(text.encode("utf-8", "surrogatepass"))


def tokenizer(model: str) -> Bytes | None:
    """The tokenizer of a model, or None to have persona estimate."""
    return Bytes() if model == MODEL else None


adapter = Adapter(name="parrot", chat=Parrot, tokenizer=tokenizer, needs_key=False, sends_outside=False)
