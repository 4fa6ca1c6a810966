"""A chat adapter of your own, in one file: a provider that shouts back what it was told.

    python examples/custom_adapter.py "hello there"

An installable one is the same object behind an entry point of the group `persona.adapters`: see docs/adapters.md.
"""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from persona import Assistant, ModelNotFound, Settings, TextDelta, Usage
from persona.adapter import Adapter, Provider
from persona.values.request import Delta, Finish, Request


@dataclass(frozen=True, slots=True)
class Shouting:
    """The model. Yours calls an API with `provider.base_url` and `provider.key.reveal()`."""

    provider: Provider

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        """Text as it comes, then one Finish: a call that ends without it counts as cut."""
        if request.model != "loud-1":  # map every failure of yours to an error of persona.errors
            raise ModelNotFound(f"there is no model {request.model!r}", hint="use 'loud-1'")
        words = request.messages[-1].text.rsplit("/>\n", 1)[-1].split()  # without what persona states before it
        for word in words:
            yield TextDelta(f"{word.upper()} ")
        yield Finish("end", Usage(output_tokens=len(words)), model=request.model)

    async def close(self) -> None:
        """Closes the connections, where there are any."""


adapter = Adapter(name="shout", chat=Shouting, needs_key=False, sends_outside=False)


def main(text: str) -> None:
    """One turn with it."""
    settings = Settings.model_validate({"routes": {"default": {"target": "shout:loud-1"}}})
    with Assistant.open(settings, adapters=[adapter]) as assistant:
        reply = assistant.user("ada").conversation().send(text)
        print(reply.text, f"({reply.target}, {reply.usage.output_tokens} tokens)")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "hello")
