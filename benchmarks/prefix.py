"""How much of each request is byte for byte the beginning of the one before: what a provider's cache can reuse."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise, takewhile
from operator import eq
from typing import Any

from persona_openai.catalog import card
from persona_openai.convert import to_wire

from benchmarks.figures import Row, Table
from benchmarks.population import populate
from benchmarks.texts import counter, messages
from benchmarks.window import PlainTokenizer
from persona import AsyncAssistant, Settings
from persona.adapter import Adapter, ModelCard
from persona.values.request import Delta, Finish, Request, TextDelta

_TURNS, _RECALL_TOKENS, _MEMORIES = 500, 450, 400
_LOW_WATER = (0.6, 0.5, 0.7)  # the default first
_REACH = 84.0
_MODELS = ("gpt-6.1-sol", "gpt-5-mini", "gpt-4.1")
_FRAMING = 4  # tokens a message, as the window counts it
_MILLION = 1_000_000

Body = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Spent:
    """Input tokens of all requests, those of a prefix that the request before began with, and what the plans said."""

    tokens: int
    prefix: int
    planned: int = 0
    turns: int = 0

    @property
    def share(self) -> float:
        """The prefix in percent of the input."""
        return 100 * self.prefix / self.tokens

    def cost(self, model: ModelCard) -> float:
        """US dollars for 1,000 turns when every such prefix is read from the cache, and the rest written to it."""
        full = model.input_price or 0.0
        read = full if model.cache_read_price is None else model.cache_read_price
        written = full if model.cache_write_price is None else model.cache_write_price
        return 1_000 * (self.prefix * read + (self.tokens - self.prefix) * written) / _MILLION / self.turns

    def uncached_cost(self, model: ModelCard) -> float:
        """The same without any cache."""
        return 1_000 * self.tokens * (model.input_price or 0.0) / _MILLION / self.turns


@dataclass(slots=True)
class Recorded:
    """A chat model that notes the bodies it is sent, and replies at once."""

    replies: list[str]
    bodies: list[Body] = field(default_factory=list)

    async def call(self, request: Request) -> AsyncIterator[Delta]:
        """One text and its end."""
        self.bodies.append(to_wire(request)["messages"])
        yield TextDelta(self.replies[len(self.bodies)])
        yield Finish("end", model=request.model)

    async def close(self) -> None:
        """Nothing is held open."""


def run(quick: bool) -> list[Table]:
    """The share at three low-water marks, a sliding window over the same turns, and what both cost."""
    turns = 100 if quick else _TURNS
    runs = {mark: asyncio.run(_talk(turns, mark)) for mark in _LOW_WATER}
    ours, bodies = runs[_LOW_WATER[0]]
    sliding = _spent(_slid(bodies))
    planned = 100 * ours.planned / ours.tokens
    others = {f"persona, low-water mark {mark:.0%}, on the wire": runs[mark][0].share for mark in _LOW_WATER[1:]}
    rows = [
        Row(f"persona, low-water mark {_LOW_WATER[0]:.0%}, on the wire", ours.share, reach=_REACH, at_least=True),
        Row("persona, as its plans say (prefix_tokens)", planned, "beside"),
        *(Row(what, share, "beside") for what, share in others.items()),
        Row("everything but this turn's message, memories and the last two messages", _bound(bodies), "limit"),
        Row("a sliding window over the same turns", sliding.share, "peer"),
    ]
    name, _ = counter()
    recalled = sum(_counted(body[-1]["content"]) for body in bodies) / turns
    note = f"{turns} turns, 8k, {recalled:.0f} tokens of memories and message a turn; counted with {name}"
    stable = Table("stable prefix", "% of input tokens", tuple(rows), (note,))
    return [stable, *(_prices(model, ours, sliding) for name in _MODELS if (model := card(name)))]


def _prices(model: ModelCard, ours: Spent, sliding: Spent) -> Table:
    rows = (
        Row(f"persona, {model.model}", ours.cost(model)),
        Row(f"a sliding window, {model.model}", sliding.cost(model), "peer"),
        Row(f"persona without a prompt cache, {model.model}", ours.uncached_cost(model), "beside"),
    )
    prices = f"input ${model.input_price}, cache read ${model.cache_read_price}, write ${model.cache_write_price}"
    note = f"{prices} a million tokens ({model.source}, {model.checked}), every identical prefix read from the cache"
    return Table(f"what the input costs: {model.model}", "US$ for 1,000 turns", rows, (note,))


async def _talk(turns: int, low_water: float) -> tuple[Spent, list[Body]]:
    """One long conversation; what was sent, and how it adds up."""
    said = messages(2 * turns + 2, seed=31)
    model = Recorded(said[1::2])
    name, count = counter()
    tokenizer = PlainTokenizer(name, count)
    adapter = Adapter("prepared", chat=lambda _: model, tokenizer=lambda _: tokenizer, needs_key=False)
    planned = 0
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(folder, low_water)
        async with AsyncAssistant.open(settings, adapters=[adapter], environment={}) as assistant:
            await populate(assistant, 1, _MEMORIES)
            chat = assistant.user("user-0").conversation()
            for text in said[: 2 * turns : 2]:
                reply = await chat.send(text)
                planned += (await chat.why(reply.id)).prefix_tokens
    spent = _spent(model.bodies)
    return Spent(spent.tokens, spent.prefix, planned, spent.turns), model.bodies


def _settings(folder: str, low_water: float) -> Settings:
    window = {"low_water": low_water, "sections": {"recall": {"max": _RECALL_TOKENS}}}
    return Settings.model_validate(
        {
            "store": {"url": f"sqlite:///{folder}/bench.db"},
            "tasks": {"run": False},
            "routes": {"default": {"target": "prepared:model", "window": window}},
        }
    )


def _spent(bodies: list[Body]) -> Spent:
    prefix = 0
    for before, body in pairwise(bodies):
        same = len(list(takewhile(bool, map(eq, before, body))))
        prefix += _tokens(body[:same])
    return Spent(sum(map(_tokens, bodies)), prefix, turns=len(bodies))


def _slid(bodies: list[Body]) -> list[Body]:
    """The same turns with the newest messages that fit into as many tokens as the largest of our requests."""
    room = max(map(_tokens, bodies))
    history: Body = []
    slid = []
    for body, (asked, reply) in zip(bodies, _exchanged(bodies), strict=True):
        system = [one for one in body if one["role"] == "system"]
        last = body[-1:]
        left, kept = room - _tokens(system) - _tokens(last), len(history)
        while kept and (taken := _tokens(history[kept - 1 : kept])) <= left:
            left -= taken
            kept -= 1
        slid.append([*system, *history[kept:], *last])
        history += [asked, reply]
    return slid


def _exchanged(bodies: list[Body]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each turn's two messages as later requests repeat them; the last turn has none."""
    pairs = [(body[-3], body[-2]) for body in bodies[1:]]
    return [*pairs, ({}, {})]


def _bound(bodies: list[Body]) -> float:
    """A window that never jumped would still send these anew."""
    new = sum(_tokens(body[-3:]) for body in bodies)
    tokens = sum(map(_tokens, bodies))
    return 100 * (tokens - new) / tokens


def _tokens(body: Body) -> int:
    return sum(map(_counted, (one["content"] for one in body)))


@cache
def _counted(content: str) -> int:
    _, count = counter()
    return count(content) + _FRAMING
