"""The configured providers: their adapters, chat models, counters and model cards, each made on first use."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import replace
from typing import cast

from persona.adapter import (
    Adapter,
    ChatModel,
    Embedder,
    ModelCard,
    Provider,
    RemoteEmbedder,
    Secret,
    Tuning,
    is_local,
    load,
)
from persona.calling.breaker import Breaker
from persona.calling.capacity import Capacity
from persona.calling.own_keys import Line, OwnKeys
from persona.errors import AdapterMissing
from persona.settings.fields import parse_target
from persona.settings.schema import Settings
from persona.telemetry.embedder import WatchedEmbedder
from persona.telemetry.watching import SILENCE, Telemetry
from persona.values.request import Target
from persona.values.tuning import TuningCard
from persona.window.calibration import Calibration
from persona.window.counting import Counter, EstimatingTokenizer


class Providers:
    """Everything that is known of the models the settings name. Chat models serve the loop they are made in."""

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        extra: Sequence[Adapter] = (),
        telemetry: Telemetry = SILENCE,
    ) -> None:
        self.telemetry = telemetry
        self._settings = settings
        self._environment = environment
        self._extra = extra
        self._adapters: dict[str, Adapter] = {}
        self._models: dict[str, ChatModel] = {}
        self._opened: list[ChatModel] = []  # shared with those that follow: a turn may still be using one
        self._counters: dict[Target, Counter] = {}
        self._estimator = Counter(EstimatingTokenizer())
        self.calibrations: dict[tuple[str, str], Calibration] = {}
        self._breaker = Breaker(settings.turn.rest_after, settings.turn.rest_s)
        self._capacities: dict[Target, Capacity] = {}
        self._own_keys = OwnKeys()
        self._lines: dict[str, Line] = {}  # by provider: those of the keys that a conversation brought
        self.learnt: dict[tuple[str, str], Calibration] = {}  # by this process: what is to be stored

    def following(self, settings: Settings) -> "Providers":
        """The same for changed settings. What was learnt stays, and of unchanged providers connections and places."""
        following = Providers(settings, self._environment, self._extra, self.telemetry)
        following.calibrations, following.learnt, following._opened = self.calibrations, self.learnt, self._opened
        following._own_keys = self._own_keys
        following._models = {
            name: model for name, model in self._models.items() if following.provider(name) == self.provider(name)
        }
        following._capacities = {
            target: capacity
            for target, capacity in self._capacities.items()
            if _caps(settings, target) == _caps(self._settings, target)
        }
        same = (settings.turn.rest_after, settings.turn.rest_s)
        if same == (self._settings.turn.rest_after, self._settings.turn.rest_s):
            following._breaker = self._breaker
        return following

    @asynccontextmanager
    async def with_keys(self, keys: Mapping[str, Secret]) -> AsyncIterator["Providers"]:
        """The same, but that the providers named are reached with these keys instead of the configured ones.

        Valid in the block: the connections are kept for the next one, up to a number. Raises AdapterMissing.
        """
        lines = {name: self._line(name, key) for name, key in keys.items()}
        theirs = copy(self)
        theirs._lines = lines
        for line in lines.values():
            line.users += 1
        try:
            yield theirs
        finally:
            for line in lines.values():
                line.users -= 1
            await self._own_keys.trim()

    def _line(self, name: str, key: Secret) -> Line:
        written, turn = self._settings.provider(name), self._settings.turn
        known_by = (name, key, written.model_dump_json(), turn.rest_after, turn.rest_s)  # other settings, another line
        line = self._own_keys.find(known_by)
        if line is None:
            model = self._chat_model(replace(self.provider(name), key=key, key_env=""))
            line = Line(model, Breaker(turn.rest_after, turn.rest_s))
            self._own_keys.add(known_by, line)
        return line

    def adapter(self, provider: str) -> Adapter:
        """The adapter of a provider. Raises AdapterMissing."""
        if provider not in self._adapters:
            self._adapters[provider] = load(self._settings.provider(provider).kind, self._extra)
        return self._adapters[provider]

    def provider(self, name: str) -> Provider:
        """One provider with its key, read from the environment variable that the settings name."""
        written = self._settings.provider(name)
        key = self._environment.get(written.key_env, "") if written.key_env else ""
        return Provider(
            *(name, written.kind, written.base_url, Secret(key), written.key_env, written.connect_timeout_s),
            dict(written.options),
        )

    def chat(self, target: Target) -> ChatModel:
        """The chat model of a target's provider. Raises AdapterMissing when its adapter offers none."""
        if line := self._lines.get(target.provider):
            return line.model
        if target.provider not in self._models:
            self._models[target.provider] = self._chat_model(self.provider(target.provider))
            self._opened.append(self._models[target.provider])
        return self._models[target.provider]

    def _chat_model(self, provider: Provider) -> ChatModel:
        factory = self.adapter(provider.name).chat
        if factory is None:
            raise AdapterMissing(
                f"the adapter of {provider.name!r} offers no chat", hint="name another target in the route"
            )
        return factory(provider)

    def breaker(self, target: Target) -> Breaker:
        """What knows whether a target rests."""
        line = self._lines.get(target.provider)
        return line.breaker if line else self._breaker

    def capacity(self, target: Target) -> Capacity:
        """How much may be asked of a target at a time."""
        line = self._lines.get(target.provider)
        capacities = line.capacities if line else self._capacities
        if target not in capacities:
            capacities[target] = Capacity(target, *_caps(self._settings, target))
        return capacities[target]

    def embedder(self, target: str) -> Embedder:
        """The embedder that `provider:model` names. Raises AdapterMissing when the adapter offers none."""
        parsed = parse_target(target)
        factory = self.adapter(parsed.provider).embed
        if factory is None:
            raise AdapterMissing(
                f"the adapter of {parsed.provider!r} offers no embeddings", hint="name another memory.embedder"
            )
        made = factory(self.provider(parsed.provider), parsed.model)
        if self.telemetry is SILENCE or is_local(made):
            return made
        return WatchedEmbedder(cast(RemoteEmbedder, made), self.telemetry, self.known_as(parsed.provider), parsed.model)

    def known_as(self, provider: str) -> str:
        """What the conventions of OpenTelemetry call a provider."""
        adapter = self.adapter(provider)
        return adapter.provider_name or adapter.name

    def counter(self, target: Target) -> Counter:
        """The best counter there is for a target: its own vocabulary when at hand, else the estimator."""
        if target not in self._counters:
            offered = self.adapter(target.provider).tokenizer
            tokenizer = offered(target.model) if offered else None
            self._counters[target] = Counter(tokenizer) if tokenizer else self._estimator
        return self._counters[target]

    def card(self, target: Target) -> ModelCard | None:
        """What is known of a model, or None."""
        offered = self.adapter(target.provider).card
        return offered(target.model) if offered else None

    def tuning(self, provider: str) -> Tuning:
        """What trains models at a provider. Raises AdapterMissing when its adapter offers no tuning."""
        factory = self.adapter(provider).tuning
        if factory is None:
            raise AdapterMissing(f"the adapter of {provider!r} offers no tuning", hint="name another backend")
        return factory(self.provider(provider))

    def tuning_card(self, target: Target) -> TuningCard | None:
        """What is known of tuning a model at a provider, or None."""
        offered = self.adapter(target.provider).tuning_card
        return offered(self.provider(target.provider), target.model) if offered else None

    def calibration(self, target: Target) -> Calibration:
        """What the provider was seen to count for this target."""
        return self.calibrations.get((str(target), self.counter(target).name), Calibration())

    def learn(self, target: Target, counted: int, reported: int | None) -> None:
        """Corrects the target's counter by what its provider reported for one request."""
        counter, known = self.counter(target), self.calibration(target)
        if not counter.exact or known.samples:  # an exact one that was widened finds its way back
            self._correct(target, known.after(counted, reported))

    def widen(self, target: Target) -> None:
        """Leaves more room on a target whose provider said that the context is too long."""
        self._correct(target, self.calibration(target).widened())

    def _correct(self, target: Target, corrected: Calibration) -> None:
        if corrected != self.calibration(target):
            key = str(target), self.counter(target).name
            self.calibrations[key] = self.learnt[key] = corrected

    async def close(self) -> None:
        """Closes every chat model, of those before this one too."""
        self._models.clear()
        await self._own_keys.close()
        while self._opened:
            await self._opened.pop().close()


def _caps(settings: Settings, target: Target) -> tuple[int, int]:
    """Calls at once and tokens a minute, 0 for no cap."""
    written = settings.provider(target.provider)
    return written.max_concurrency, written.tokens_per_minute
