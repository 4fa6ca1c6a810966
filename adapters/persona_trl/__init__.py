"""Fine-tuning of open models on this machine, through Hugging Face's TRL and PEFT. It has no chat.

What it trains is served by `transformers serve` or vLLM, and spoken to through a provider of kind "openai".
"""

from persona.adapter import Adapter, Provider, Tuning
from persona.values.tuning import TuningCard

__all__ = ["adapter"]


def _tuning(provider: Provider) -> Tuning:
    from persona_trl.tuning import LocalTuning  # asyncio and subprocess, 50 ms

    return LocalTuning(provider)


def _card(provider: Provider, model: str) -> TuningCard | None:
    from persona_trl.base import card

    return card(model)


adapter = Adapter(name="trl", tuning=_tuning, tuning_card=_card, needs_key=False, sends_outside=False)
"""What the entry point `trl` of the group `persona.adapters` names."""
