"""A backend of tuning jobs in memory, that does what a test tells it, and files to train on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from persona.adapter import Adapter, Provider
from persona.errors import ConnectionFailed, NotFound
from persona.values.tuning import Checkpoint, LossPoint, Progress, Training, TuningCard

CARD = TuningCard(
    "small",
    ("sft", "dpo"),
    "trl",
    "trl-preference",
    training_price=3.0,
    idle_price=1.7,
    source="a price list",
    checked="2026-11-21",
)
SUCCEEDED = Progress(
    "succeeded",
    30,
    30,
    (LossPoint(10, 2.0, 2.1), LossPoint(20, 1.5, 1.7), LossPoint(30, 1.2, 1.8)),
    (Checkpoint(10, "tuned:10"), Checkpoint(20, "tuned:20"), Checkpoint(30, "tuned:30")),
    900,
    "tuned",
    ("deployment tuned",),
)


@dataclass
class Backend:
    """Runs by the job's id. `fails` are raised before anything happens, `loses` after it did; each is used up."""

    card: TuningCard | None = CARD
    script: list[Progress] = field(default_factory=lambda: [Progress("running", 10), SUCCEEDED])
    fails: list[Exception] = field(default_factory=list)
    loses: int = 0
    runs: dict[str, Training] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    on_start: Callable[[], None] = lambda: None
    left: list[str] = field(default_factory=lambda: ["file-1", "deployment tuned"])

    def adapter(self) -> Adapter:
        """An adapter of kind "bench" that trains here."""
        return Adapter("bench", tuning=lambda provider: self, tuning_card=self._card, needs_key=False)

    def _card(self, provider: Provider, model: str) -> TuningCard | None:
        return self.card

    async def start(self, training: Training) -> str:
        """Begins a run, or adopts the one of this job."""
        self._called("adopt" if training.adopt else "start")
        if training.adopt and training.job_id not in self.runs:
            raise NotFound("no such run")
        self.on_start()
        self.runs.setdefault(training.job_id, training)
        if self.loses:
            self.loses -= 1
            raise ConnectionFailed("the answer was lost")
        return f"run of {training.job_id}"

    async def follow(self, handle: str) -> Progress:
        """The next step of the script; the last one stays."""
        self._called("follow")
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    async def cancel(self, handle: str) -> None:
        """Ends the run."""
        self._called("cancel")
        self.script = [Progress("cancelled", 10)]

    async def clean(self, handle: str) -> Sequence[str]:
        """Removes what is left."""
        self._called("clean")
        removed, self.left = self.left, []
        return removed

    def _called(self, what: str) -> None:
        self.asked.append(what)
        if self.fails:
            raise self.fails.pop(0)


def chats(path: Path, number: int = 12, said: str = "train") -> Path:
    """A file of conversations, no two alike."""
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"{said} {n}: when do you open?"},
                {"role": "assistant", "content": f"At {n} o'clock."},
            ]
        }
        for n in range(number)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def pairs(path: Path, number: int = 12) -> Path:
    """A file of preferences, as OpenAI takes them."""
    rows = [
        {
            "input": {"messages": [{"role": "user", "content": f"{n}: when do you open?"}]},
            "preferred_output": [{"role": "assistant", "content": f"At {n}."}],
            "non_preferred_output": [{"role": "assistant", "content": "Never."}],
        }
        for n in range(number)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
