"""LangChain's `trim_messages`, in the peers' environment: prints JSON of history length → timing."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, trim_messages

from benchmarks.figures import cpu_us
from benchmarks.texts import counter, messages


def main(limit: int, *lengths: int) -> None:
    """Trims histories of each length to `limit` tokens."""
    _, count = counter()

    def tokens(said: Sequence[BaseMessage]) -> int:
        return sum(count(str(one.content)) + 4 for one in said)

    found = {}
    for length in lengths:
        texts = messages(length)
        said = [(AIMessage if i % 2 else HumanMessage)(text) for i, text in enumerate(texts)]
        trim = cpu_us(partial(trim_messages, said, max_tokens=limit, strategy="last", token_counter=tokens), 4)
        found[str(length)] = asdict(trim)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
