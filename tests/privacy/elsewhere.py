"""Another process, which has its own index of a user: it talks when it is told to, and says what it still keeps.

Run with the URL of the database and a mark; takes `talk NAME`, `work` or `look` on standard input.
"""

import gc
import json
import sys
from types import FunctionType, ModuleType

from talking import merged

from persona import Assistant, Settings
from persona.memory.index import OwnerIndex
from persona.testing import ScriptedModel


def main(url: str, mark: str) -> None:
    """Does what each line says, and answers with how many indexes there are and how many of them hold the mark."""
    base = {"tasks": {"run": False}, "routes": {"default": {"target": "scripted:any"}}}
    model = ScriptedModel()
    chosen = Settings.model_validate(merged(base, {"store": {"url": url}}))
    with Assistant.open(chosen, adapters=[model.adapter]) as assistant:
        for line in sys.stdin:
            what, _, name = line.strip().partition(" ")
            if what == "talk":
                model.then("ok")
                assistant.user(name).conversation().send("what did I say?")
            elif what == "work":
                assistant.drain()
            print(json.dumps(_kept(mark)), flush=True)


def _kept(mark: str) -> list[int]:
    gc.collect()
    kept = [one for one in gc.get_objects() if isinstance(one, OwnerIndex)]
    return [len(kept), sum(_holds(index, mark) for index in kept)]


def _holds(root: object, mark: str) -> bool:
    """Whether anything that an object is made of holds the mark."""
    seen, left = set[int](), [root]
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType):
            continue
        seen.add(id(one))
        if (isinstance(one, str) and mark in one) or (isinstance(one, bytes | bytearray) and mark.encode() in one):
            return True
        left += gc.get_referents(one)
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])
