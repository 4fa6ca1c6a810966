"""What the options of a run say, and what holds where they say nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from persona.errors import SettingsError
from persona.values.numbers import above_zero, whole_above_zero
from persona.values.tuning import Method

Weights = Literal["lora", "full"]

_RATES: dict[tuple[Method, Weights], float] = {
    ("sft", "full"): 2e-5,
    ("sft", "lora"): 2e-4,
    ("dpo", "full"): 1e-6,
    ("dpo", "lora"): 1e-5,
}
"""TRL's own rates for full training, and ten times as much for LoRA.

Source: TRL's configs, and Schulman et al., "LoRA Without Regret", 2025.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """How a run trains.

    `weights` is what it changes: low-rank matrices beside those named in `lora_targets` (empty: every linear layer), or
    all of them. `learning_rate` None is the usual one. `max_length` is in tokens; None takes the longest row.
    `evaluations` is how often in a run the validation loss is measured and a checkpoint written, `keep` how many
    checkpoints stay beside the best. `merge` writes a LoRA run's result as a whole model. `served_name` is what the
    server calls the result, where that is not its folder.
    """

    weights: Weights = "lora"
    lora_r: int = 16
    lora_alpha: int = 32
    lora_targets: tuple[str, ...] = ()
    merge: bool = False
    learning_rate: float | None = None
    batch_size: int = 8
    accumulation: int = 1
    max_length: int | None = None
    beta: float = 0.1
    evaluations: int = 10
    keep: int = 2
    threads: int = 1
    device: Literal["auto", "cpu"] = "auto"
    served_name: str = ""

    def rate(self, method: Method) -> float:
        """The learning rate that this run takes."""
        return self.learning_rate or _RATES[method, self.weights]


def options_of(written: Mapping[str, str]) -> Options:
    """The options as they are written. Raises SettingsError for others, and for values that are none."""
    read: dict[str, Any] = {}
    for name, value in written.items():
        if name not in _READERS:
            raise SettingsError(
                f"a run on this machine has no option {name!r}", hint=f"it has {', '.join(sorted(_READERS))}"
            )
        reader, wanted = _READERS[name]
        try:
            read[name] = reader(value.strip())
        except (ValueError, KeyError) as error:
            raise SettingsError(f"the option {name} is {value!r}", hint=f"write {wanted}") from error
    options = Options(**read)
    if options.merge and options.weights == "full":
        raise SettingsError("merge = 'true' has nothing to merge when weights = 'full'", hint="remove merge")
    return options


def _one_of(*known: str) -> Callable[[str], str]:
    return {name: name for name in known}.__getitem__


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


_WHOLE = (whole_above_zero, "a whole number from 1")
_NUMBER = (above_zero, "a number above 0, such as '2e-4'")
_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "weights": (_one_of("lora", "full"), "'lora' or 'full'"),
    "lora_r": _WHOLE,
    "lora_alpha": _WHOLE,
    "lora_targets": (_names, "names of layers with commas between, such as 'q_proj,v_proj'"),
    "merge": ({"true": True, "false": False}.__getitem__, "'true' or 'false'"),
    "learning_rate": _NUMBER,
    "batch_size": _WHOLE,
    "accumulation": _WHOLE,
    "max_length": _WHOLE,
    "beta": _NUMBER,
    "evaluations": _WHOLE,
    "keep": _WHOLE,
    "threads": _WHOLE,
    "device": (_one_of("auto", "cpu"), "'auto' or 'cpu'"),
    "served_name": (str, "the name that the server gives the model"),
}
