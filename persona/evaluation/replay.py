"""Asks two arms the same, example by example and several at a time; keeps every answer, and stays under the limit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from persona.calling.providers import Providers
from persona.errors import PersonaError
from persona.evaluation import judge
from persona.evaluation.answer import Answer
from persona.evaluation.asking import Asker
from persona.evaluation.journal import Journal, digest_of
from persona.evaluation.purse import Purse
from persona.evaluation.scene import Asking, Scene
from persona.render.prepare import rules_for
from persona.routing.routes import Arm
from persona.values.request import Request, Target


@dataclass(frozen=True, slots=True)
class Played:
    """One example with what both arms said; None where the cost limit kept one from being asked.

    `verdicts` are what the judge said in both orders, where it was asked.
    """

    scene: Scene
    answers: tuple[Answer, Answer] | None
    verdicts: tuple[Answer, Answer] | None = None
    unjudged: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    """One request on its way, under the name that the journal knows it by."""

    name: str
    target: Target
    request: Request
    tokens: int
    digest: str


@dataclass(slots=True)
class Replay:
    """Two arms, the base first, and a judge where one was asked for. Serves one event loop."""

    arms: tuple[Arm, Arm]
    providers: Providers
    asker: Asker
    journal: Journal
    purse: Purse
    limited: bool
    timeout_s: float
    judge: Arm | None = None
    say: Callable[[int], None] = lambda done: None
    _full: bool = field(default=False, init=False)

    async def run(self, scenes: AsyncIterator[Scene], concurrency: int) -> list[Played]:
        """Plays every scene; the result is in the order of the scenes, whatever comes first.

        Raises what every other call would meet as well, such as AuthenticationFailed, with nothing lost.
        """
        played: dict[int, Played] = {}
        places = asyncio.Semaphore(concurrency)

        async def one(number: int, scene: Scene) -> None:
            try:
                played[number] = await self._play(scene)
            finally:
                places.release()
            self.say(len(played))

        try:
            async with asyncio.TaskGroup() as group:
                number = 0
                async for scene in scenes:
                    await places.acquire()
                    group.create_task(one(number, scene))
                    number += 1
        except* PersonaError as errors:
            raise _first(errors) from None
        return [played[at] for at in sorted(played)]

    async def _play(self, scene: Scene) -> Played:
        if scene.problem:
            return Played(scene, None)
        calls = [self._call(arm, scene.arms[arm.name]) for arm in self.arms]
        answers = await self._asked(scene.id, calls)
        if answers is None:
            return Played(scene, None)
        base, other = (scene.arms[arm.name].answer or answers[arm.name] for arm in self.arms)
        both, scene = (base, other), replace(scene, arms={})  # requests are large, and not needed any more
        if self.judge is None or any(one.error for one in both) or both[0].text == both[1].text:
            return Played(scene, both)
        verdicts = await self._judged(self.judge, scene, both)
        return Played(scene, both, verdicts, unjudged=verdicts is None)

    def _call(self, arm: Arm, asking: Asking) -> _Call | None:
        if asking.request is None:
            return None
        target = arm.targets[0]
        return _Call(arm.name, target, asking.request, asking.tokens, digest_of(str(target), asking.request))

    async def _judged(self, arm: Arm, scene: Scene, both: tuple[Answer, Answer]) -> tuple[Answer, Answer] | None:
        target, rules = arm.targets[0], rules_for(self.providers, arm, arm.targets[0])
        most = min(arm.max_output_tokens or rules.reserve, rules.reserve)
        calls: list[_Call | None] = []
        for order, (first, second) in zip(judge.ORDERS, (both, both[::-1]), strict=True):
            messages = judge.question(arm.instructions, scene.asked, scene.reference, first.text, second.text)
            tokens = round(self.providers.counter(target).request(messages) * rules.scale)
            request = Request(
                target.model, messages, max_output_tokens=most, temperature=arm.temperature, timeout_s=self.timeout_s
            )
            calls.append(_Call(f"{judge.JUDGE}: {order}", target, request, tokens, digest_of(str(target), request)))
        answers = await self._asked(scene.id, calls)
        if answers is None:
            return None
        straight, swapped = (answers[f"{judge.JUDGE}: {order}"] for order in judge.ORDERS)
        return straight, swapped

    async def _asked(self, example: str, calls: list[_Call | None]) -> Mapping[str, Answer] | None:
        """The answers by name: those that are there, and the others asked for; None where the limit is too near."""
        wanted = [call for call in calls if call is not None]
        known = {call.name: self.journal.get(example, call.name, call.digest) for call in wanted}
        missing = [call for call in wanted if known[call.name] is None]
        found = {name: answer for name, answer in known.items() if answer is not None}
        if not missing:
            return found
        prices = [self._most(call) for call in missing]
        if self._full or not await self.purse.take(sum(prices, Decimal(0))):
            self._full = True
            return None
        try:
            answers = await asyncio.gather(*(self._ask(example, call) for call in missing))
        except BaseException:
            await self.purse.settle(sum(prices, Decimal(0)), sum(prices, Decimal(0)))
            raise
        paid = (price if one.cost is None else one.cost for one, price in zip(answers, prices, strict=True))
        await self.purse.settle(sum(prices, Decimal(0)), sum(paid, Decimal(0)))
        return {**found, **{call.name: answer for call, answer in zip(missing, answers, strict=True)}}

    async def _ask(self, example: str, call: _Call) -> Answer:
        answer = await self.asker.ask(call.target, call.name, call.request, call.tokens)
        self.journal.keep(example, call.name, call.digest, answer)
        return answer

    def _most(self, call: _Call) -> Decimal:
        """What a call may cost, where that counts."""
        return (self.asker.most(call.target, call.request, call.tokens) or Decimal(0)) if self.limited else Decimal(0)


def _first(errors: ExceptionGroup[PersonaError]) -> Exception:
    found: Exception = errors
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found
