"""What jobs are worked on with, and what is known of their backends."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from persona.adapter import Provider, Tuning, discover, load
from persona.calling.providers import Providers
from persona.errors import AdapterMissing, NotFound
from persona.settings.schema import Settings
from persona.store import jobs
from persona.store.engine import Database
from persona.values.request import Target
from persona.values.time import from_us
from persona.values.tuning import Job, TuningCard


@dataclass(frozen=True, slots=True)
class Bench:
    """The settings, the database, the providers and the clock (UTC microseconds)."""

    settings: Settings
    database: Database
    providers: Providers
    now_us: Callable[[], int]

    @property
    def today(self) -> date:
        """The day, in UTC."""
        return from_us(self.now_us()).date()

    def folder(self, job_id: str) -> Path:
        """The folder of a job's own."""
        return self.settings.folder / "jobs" / job_id

    async def job(self, id: str) -> Job:
        """A job as it is stored. Raises NotFound."""
        found = await self.database.run(lambda tx: jobs.find(tx, id), write=False)
        if found is None:
            raise NotFound(f"there is no job {id!r}", hint="see `persona tune list`")
        return found

    def tuning(self, job: Job) -> Tuning:
        """What trains at the job's backend. Raises AdapterMissing."""
        return self.providers.tuning(job.backend)


def card_of(providers: Providers, target: Target) -> TuningCard:
    """What is known of tuning a model at a backend.

    Where no adapter is installed for it, any other may know that it is closed. Raises AdapterMissing, and NotFound
    where nothing is known of the model.
    """
    try:
        card = providers.tuning_card(target)
    except AdapterMissing:
        if closed := _told_by_others(providers.provider(target.provider), target.model):
            return closed
        raise
    if card is None:
        providers.tuning(target.provider)  # which raises where the adapter offers none
        raise NotFound(
            f"nothing is known of tuning {target.model!r} at {target.provider!r}",
            hint="check the name of the base model; docs/tuning.md says what each backend takes",
        )
    return card


def _told_by_others(provider: Provider, model: str) -> TuningCard | None:
    """The card of a backend that has closed, from the adapter that knows its kind."""
    for name in sorted(discover()):
        offered = load(name).tuning_card
        card = offered(provider, model) if offered else None
        if card and card.closed:
            return card
    return None
