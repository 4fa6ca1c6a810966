"""LitGPT, AutoTrain, Axolotl and notebooks: a job for each is a folder with the dataset, a config and the command.

Nothing is run here. Somebody runs the command, on this machine or on one that they rent; once the result lies in the
job's folder, the job has succeeded, with its dataset and its lineage.
"""

from collections.abc import Callable

from persona.adapter import Adapter, Provider, Tuning
from persona.values.tuning import TuningCard

__all__ = ["autotrain", "axolotl", "litgpt", "notebook"]


def _tuning(name: str) -> Callable[[Provider], Tuning]:
    def made(provider: Provider) -> Tuning:
        from persona_recipes.jobs import WrittenTuning

        return WrittenTuning(provider, name)

    return made


def _card(provider: Provider, model: str) -> TuningCard | None:
    from persona_recipes.catalog import card

    return card(provider.kind, model)


def _adapter(name: str) -> Adapter:
    return Adapter(name, tuning=_tuning(name), tuning_card=_card, needs_key=False, sends_outside=False)


autotrain = _adapter("autotrain")
"""What the entry point `autotrain` of the group `persona.adapters` names; the others likewise."""

axolotl = _adapter("axolotl")

litgpt = _adapter("litgpt")

notebook = _adapter("notebook")
