"""Asks one target once, as a turn would: with the provider's caps, its retries, and its prices."""

import asyncio
from decimal import Decimal

from persona.calling.attempt import Heard, ask
from persona.calling.price import cost_of
from persona.calling.providers import Providers
from persona.errors import AuthenticationFailed, InvalidInput, ModelNotFound, PermissionDenied, ProviderError
from persona.evaluation.answer import Answer
from persona.store.codec import storable
from persona.store.ids import new_id
from persona.telemetry.watching import Outgoing
from persona.values.request import Request, Target, Usage

_CAP_WAIT_S = 3_600.0  # for a place under the provider's caps: a comparison has time
_ESTIMATED = 1.25  # what a count that is an estimate may be short by
HOPELESS = (AuthenticationFailed, PermissionDenied, ModelNotFound)
"""What every other call would meet as well."""


class Asker:
    """Asks targets, at most so many calls at once. Serves one event loop."""

    def __init__(self, providers: Providers, route: str, retries: int, concurrency: int) -> None:
        self._providers = providers
        self._route = route
        self._retries = retries
        self._places = asyncio.Semaphore(concurrency)

    def most(self, target: Target, request: Request, tokens: int) -> Decimal | None:
        """The most US dollars that a request may cost, with `tokens` of input; None where a price is unknown."""
        counter = self._providers.counter(target)
        counted = tokens if counter.exact else round(tokens * _ESTIMATED)
        usage = Usage(counted, request.max_output_tokens)
        return cost_of(usage, self._providers.card(target)).amount

    async def ask(self, target: Target, arm: str, request: Request, tokens: int) -> Answer:
        """The answer, or the error that there was instead of one. Raises what every other call would meet as well."""
        async with self._places:
            heard = Heard()
            try:
                await self._call(target, arm, request, tokens, heard)
            except HOPELESS:
                raise
            except ProviderError as error:
                took = sum(one.latency_ms for one in heard.tries)
                return Answer(error=type(error).__name__, again=error.retryable, latency_ms=took)
        finish, usage = heard.finish, heard.usage
        return Answer(
            text=storable("".join(heard.text)),
            stop=finish.stop if finish else "",
            latency_ms=heard.tries[-1].latency_ms,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=cost_of(usage, self._providers.card(target)).amount,
            tools=tuple(call.name for call in heard.calls),
        )

    async def _call(self, target: Target, arm: str, request: Request, tokens: int, heard: Heard) -> None:
        providers, loop = self._providers, asyncio.get_running_loop()
        capacity = providers.capacity(target)
        taken = tokens + (request.max_output_tokens or 0)
        async with capacity.place(taken, loop.time() + _CAP_WAIT_S):
            deadline = loop.time() + request.timeout_s
            known_as = providers.known_as(target.provider)
            await ask(
                providers.chat(target),
                Outgoing(known_as, target, request, self._route, arm, new_id("cmp"), "comparison"),
                heard,
                providers.telemetry,
                retries=self._retries,
                first_by=deadline,
                deadline=deadline,
                show=lambda delta: None,
            )
        capacity.give_back(taken, heard.usage)


def checked_prices(providers: Providers, targets: list[Target]) -> None:
    """Raises InvalidInput when a limit could not be kept, since nobody knows what a target costs."""
    for target in targets:
        card = providers.card(target)
        if cost_of(Usage(1, 1), card).amount is None:
            raise InvalidInput(
                f"the price of {target} is not known, so no cost limit can be kept",
                hint="compare without a limit, or with one on the number of examples",
            )
