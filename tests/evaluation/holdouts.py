"""Holdouts to compare on: a file of anybody's, and a dataset as a harvest of a desk's log would write it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from talking import Desk, settings

from persona.adapter import Adapter, ModelCard
from persona.assistant.evaluating import Wish, compare
from persona.settings import Settings
from persona.testing import ScriptedModel, Step, WordTokenizer
from persona.values.comparison import Comparison
from persona.values.request import Finish, Request, Usage

ROUTES: dict[str, Any] = {
    "support": {
        "arms": {
            "base": {"target": "base:any"},
            "tuned": {"target": "tuned:any", "instructions": "Be brief.", "window": {"budget": 1200, "reserve": 100}},
        },
        "window": {"budget": 2000, "reserve": 100},
    },
    "judging": {"target": "judge:any", "instructions": "You are strict."},
}
Answer = Callable[[Request], Step]


def asked_in(request: Request) -> str:
    """The user's own words in a request."""
    return next(m.text for m in reversed(request.messages) if m.role == "user").rpartition("/>\n")[2]


@dataclass(slots=True)
class Models:
    """Three models that answer by a function of the request, and the calls that each got."""

    answers: dict[str, Answer]
    price: float | None = 1.0
    models: dict[str, ScriptedModel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("base", "tuned", "judge"):
            self.models[name] = ScriptedModel(*[self._step(name)] * 500, name=name, tokenizer=WordTokenizer())

    def _step(self, name: str) -> Answer:
        def step(request: Request) -> Step:
            said = self.answers[name](request)
            return [said, Finish("end", Usage(100, 10))] if isinstance(said, str) else said

        return step

    @property
    def adapters(self) -> list[Adapter]:
        """The models as adapters that know a price."""
        card = ModelCard("any", input_price=self.price, output_price=self.price, source="a test", checked="2026-11-21")
        return [replace(model.adapter, card=lambda name: card) for model in self.models.values()]

    def calls(self, name: str) -> int:
        """How often one was asked."""
        return len(self.models[name].requests)


def chosen(folder: Path, **tables: Any) -> Settings:
    """Settings with the routes above."""
    return settings(folder, **{"routes": ROUTES, "turn": {"retries": 0}, **tables})


async def compared(folder: Path, models: Models, on: Path, **wish: Any) -> Comparison:
    """A comparison of the two arms."""
    asked = Wish(on, "support", **{"out": folder / "out", **wish})
    return await compare(chosen(folder), asked, environment={}, adapters=models.adapters)


def written(path: Path, rows: Sequence[tuple[str, str]], **more: str) -> Path:
    """A file of questions and their good answers."""
    with path.open("w", encoding="utf-8") as file:
        for asked, wanted in rows:
            said = [("system", "Somebody else's prompt."), ("user", asked), ("assistant", wanted)]
            messages = [{"role": role, "content": content} for role, content in said]
            file.write(json.dumps({"messages": messages, **more}) + "\n")
    return path


def harvested(desk: Desk, folder: Path) -> Path:
    """The desk's log as a dataset: every reply on the test side, with the words of its user replaced by others."""
    (folder / "trl").mkdir(parents=True)
    replies = desk.log.rows("SELECT * FROM persona_exchanges WHERE reply_id <> '' ORDER BY conversation_key, id")
    lines, rows = [], []
    for number, one in enumerate(replies):
        messages = [{"role": "user", "content": f"surrogate {number}"}, {"role": "assistant", "content": "surrogate"}]
        lines.append(json.dumps({"messages": messages}))
        told = {"example": one["id"], "shape": "chat", "log": [one["id"]], "formats": ["trl"], "side": "test"}
        rows.append(json.dumps({**told, "conversation": one["conversation_key"], "owner": one["owner_key"]}))
        rows.append(json.dumps({"exchange": "exc_0", "conversation": 1, "owner": 1, "dropped": "error"}))
        rows.append(json.dumps({**told, "example": "exc_1", "side": "train", "conversation": 1, "owner": 1}))
    (folder / "trl" / "test.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "manifest.json").write_text(json.dumps({"format": "persona-dataset", "version": 1, "id": "dst_1"}))
    return folder
