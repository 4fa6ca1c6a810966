"""Together and Fireworks, who tune open models and host them: their fine-tuning, over their documented REST.

Neither was spoken to in the making of this: it follows their documentation and the types of their SDKs. They have no
chat here: what they serve speaks OpenAI's protocol, through a provider of kind "openai".
"""

from persona.adapter import Adapter, Provider, Tuning
from persona.values.tuning import TuningCard

__all__ = ["fireworks", "together"]


def _together(provider: Provider) -> Tuning:
    from persona_hosts.together_jobs import TogetherTuning  # httpx2, 150 ms

    return TogetherTuning(provider)


def _fireworks(provider: Provider) -> Tuning:
    from persona_hosts.fireworks_jobs import FireworksTuning

    return FireworksTuning(provider)


def _card(provider: Provider, model: str) -> TuningCard | None:
    from persona_hosts.catalog import card

    return card(provider, model)


together = Adapter("together", tuning=_together, tuning_card=_card)
"""What the entry point `together` of the group `persona.adapters` names."""

fireworks = Adapter("fireworks", tuning=_fireworks, tuning_card=_card)
"""What the entry point `fireworks` of the group `persona.adapters` names."""
