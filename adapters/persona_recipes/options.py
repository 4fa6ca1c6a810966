"""What the options of a written run say, in the words that every tool has its own for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from persona.errors import SettingsError
from persona.values.numbers import above_zero, whole_above_zero
from persona.values.tuning import Method


@dataclass(frozen=True, slots=True)
class Options:
    """How a run trains; LoRA in every tool. `learning_rate` None is the usual one of the method.

    `max_length` is in tokens, `beta` belongs to preferences. `prompt_style` is LitGPT's name for how a model wants its
    turns written.
    """

    learning_rate: float | None = None
    lora_r: int = 16
    lora_alpha: int = 32
    batch_size: int = 8
    max_length: int = 2048
    beta: float = 0.1
    prompt_style: str = "alpaca"

    def rate(self, method: Method) -> float:
        """The learning rate that a run takes: TRL's own, times ten for LoRA."""
        return self.learning_rate or {"sft": 2e-4, "dpo": 1e-5}[method]


def options_of(tool: str, written: Mapping[str, str]) -> Options:
    """The options as they are written. Raises SettingsError for others, and for values that are none."""
    known = {name: kind for name, kind in _READERS.items() if name != "prompt_style" or tool == "litgpt"}
    read: dict[str, Any] = {}
    for name, value in written.items():
        if name not in known:
            raise SettingsError(f"a run of {tool} has no option {name!r}", hint=f"it has {', '.join(known)}")
        try:
            read[name] = known[name](value.strip())
        except ValueError as error:
            raise SettingsError(f"the option {name} is {value!r}", hint="write a number above 0") from error
    return Options(**read)


_READERS: dict[str, Callable[[str], Any]] = {
    "learning_rate": above_zero,
    "lora_r": whole_above_zero,
    "lora_alpha": whole_above_zero,
    "batch_size": whole_above_zero,
    "max_length": whole_above_zero,
    "beta": above_zero,
    "prompt_style": str,
}
