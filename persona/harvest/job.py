"""One harvest as every process that works on it is told: plain values, and the tools made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from persona.adapter import DatasetFormat
from persona.calling.providers import Providers
from persona.errors import NotFound
from persona.harvest.checks.held_out import HeldOut
from persona.harvest.checks.rules import Rules
from persona.harvest.examples import Making
from persona.harvest.formats import available, find
from persona.harvest.mending import Mending, Parts
from persona.harvest.personal.further import finders
from persona.harvest.personal.mend import Mender
from persona.harvest.personal.values import Finder
from persona.harvest.personal.values import Rules as PersonalRules
from persona.harvest.prompt import Prompter, Rendering, Saying, system_of
from persona.harvest.recipe import Recipe
from persona.harvest.similar.lexicon import Lexicon
from persona.render.past import Past
from persona.render.prepare import rules_for
from persona.routing.routes import Arm, Routes
from persona.settings.schema import Settings
from persona.values.example import Shape
from persona.values.log import LoggedConversation
from persona.values.message import Message
from persona.window.counting import Counter

CHUNK_KEYS = 1_000
"""Keys of conversations in a chunk: by the key alone, so that no worker and no growth of the log moves a border."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done. `work` is the folder of this harvest's work, `until_us` when it began to read the log.

    `held_out` are the questions that are never trained on, and `later` the keys of the owners who have exchanges in
    the holdout by time.
    """

    settings: Settings
    recipe: Recipe
    work: Path
    until_us: int
    held_out: tuple[str, ...] = ()
    later: frozenset[int] = frozenset()
    chunk_keys: int = CHUNK_KEYS


class Shop:
    """What one process makes of a job: made on first use, and used for every chunk."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.providers = Providers(job.settings, {})
        self.target = self.arm.targets[0]

    @cached_property
    def arm(self) -> Arm:
        """The arm whose window the examples are for."""
        return Routes(self.job.settings).arm(self.job.recipe.selection.route, self.job.recipe.arm)

    @cached_property
    def counter(self) -> Counter:
        """What counts the tokens of an example."""
        return self.providers.counter(self.target)

    @cached_property
    def lexicon(self) -> Lexicon:
        """The words of all chunks."""
        return Lexicon()

    @cached_property
    def formats(self) -> Mapping[Shape, tuple[DatasetFormat, ...]]:
        """The formats that are asked for, by the shape of examples that they take. Plain text is made of replies."""
        return formats_of(self.job.recipe.formats)

    @cached_property
    def making(self) -> Making:
        """How examples are made."""
        recipe = self.job.recipe
        return Making(self.rules, self._prompter(), frozenset(self.formats), recipe.settings.rows == "conversation")

    @cached_property
    def rules(self) -> Rules:
        """What the checks go by."""
        recipe, settings = self.job.recipe, self.job.recipe.settings
        return Rules(
            selection=recipe.selection,
            until_us=self.job.until_us,
            consent_required=settings.consent == "required",
            liked_from=settings.liked_from,
            min_reply_chars=settings.min_reply_chars,
            max_tokens=self._limit(),
            languages=settings.languages,
            held_out=HeldOut.of([*(shot.user for shot in self.arm.shots), *self.job.held_out]),
            every_reply=any(one.loss == "every" for one in self.formats.get("chat", ())),
            holdout_us=recipe.holdout_us,
            later=self.job.later,
        )

    def mending(self, conversation: LoggedConversation) -> Mending:
        """What replaces personal data in the examples of a conversation."""
        return Mending(self._mender, conversation, self.job.recipe.settings.split.seed, self._fixed)

    @cached_property
    def _fixed(self) -> frozenset[Parts]:
        """The words of the settings, which are nobody's."""
        return frozenset(message.parts for message in self._system)

    @cached_property
    def _mender(self) -> Mender:
        settings = self.job.recipe.settings
        kept = (*settings.keep, *(message.text for message in self._system))
        return Mender(PersonalRules(elsewhere=settings.elsewhere, keep=kept), self.further)

    @cached_property
    def further(self) -> tuple[Finder, ...]:
        """What else finds personal data. Raises SettingsError for what is not installed."""
        return finders(self.job.recipe.settings.presidio)

    @cached_property
    def _system(self) -> tuple[Message, ...]:
        settings = self.job.recipe.settings
        return system_of(settings.system, self.arm.instructions, settings.short_system)

    def _prompter(self) -> Prompter:
        settings = self.job.recipe.settings
        if self.job.recipe.raw:
            return Saying(self._system)
        past = Past(self.arm, self.target, self.counter, rules_for(self.providers, self.arm, self.target))
        return Rendering(past, settings.memory, None if settings.system == "keep" else self._system)

    def _limit(self) -> int:
        """The most tokens of an example: what the settings say, or the arm's window; and what the formats take."""
        bounds = [self.job.recipe.settings.max_tokens or self.arm.window.budget]
        bounds += [one.limits.max_tokens for some in self.formats.values() for one in some if one.limits.max_tokens]
        return min(bounds)


def formats_of(names: tuple[str, ...]) -> dict[Shape, tuple[DatasetFormat, ...]]:
    """The formats of these names by the shape of examples that they take. Raises InvalidInput for an unknown one."""
    known = available()
    found: dict[Shape, tuple[DatasetFormat, ...]] = {}
    for name in names:
        one = find(name, known)
        shape: Shape = "chat" if one.shape == "text" else one.shape
        found[shape] = (*found.get(shape, ()), one)
    return found


def arm_of(settings: Settings, route: str, name: str) -> Arm:
    """The arm that a dataset is for: the one that is named, or the only one, or the one that serves most.

    Raises NotFound for a route or an arm that is not in the settings.
    """
    if route not in settings.routes:
        raise NotFound(f"no route named {route!r}", hint=f"the settings have {', '.join(settings.routes)}")
    arms, serve = settings.routes[route].arms, settings.routes[route].serve
    if name and name not in arms:
        raise NotFound(f"route {route!r} has no arm {name!r}", hint=f"it has {', '.join(arms)}")
    return Routes(settings).arm(route, name or max(serve, key=lambda arm: serve[arm]))
