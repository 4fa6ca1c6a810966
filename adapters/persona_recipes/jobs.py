"""Writes runs for somebody else to run, and looks whether their result is there. A run's handle is its folder."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from persona.adapter import Provider, folder_of, usable
from persona.errors import InvalidInput, NotFound, SettingsError
from persona.values.tuning import Progress, Training
from persona_recipes.options import options_of
from persona_recipes.recipes import RECIPES, Recipe, Run

RESULT = "result"
_ENDED = "cancelled"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "final/lit_model.pth*")


class WrittenTuning:
    """Runs of one tool, each a folder with all that the tool wants."""

    def __init__(self, provider: Provider, tool: str) -> None:
        if provider.options:
            raise SettingsError(f"provider {provider.name!r} takes no options", hint="give them to a run")
        self._tool = tool

    async def start(self, training: Training) -> str:
        """Writes the folder, unless it is there. Raises SettingsError, InvalidInput and ProviderUnavailable."""
        folder = training.folder.absolute()
        recipe = RECIPES[self._tool]
        if not await asyncio.to_thread((folder / recipe.config).is_file):
            if training.adopt:
                raise NotFound(f"no run was written into {str(folder)!r}")
            run = Run(training, options_of(self._tool, training.options), _epochs(training))
            with usable(folder):
                await asyncio.to_thread(_write, recipe, run, folder)
        return json.dumps({"folder": str(folder)})

    async def follow(self, handle: str) -> Progress:
        """Succeeded once the result lies in the folder; until then queued, with the command to run."""
        folder = folder_of(handle)
        with usable(folder):
            return await asyncio.to_thread(_progress, RECIPES[self._tool], folder)

    async def cancel(self, handle: str) -> None:
        """Gives the run up. What somebody runs by now goes on: nobody here can end it."""
        folder = folder_of(handle)
        with usable(folder):
            if not await asyncio.to_thread(_result, folder):
                await asyncio.to_thread((folder / _ENDED).touch)

    async def clean(self, handle: str) -> Sequence[str]:
        """Removes the copy of the dataset. The result stays: its folder is yours to remove."""
        data = folder_of(handle) / "data"
        with usable(data):
            if not await asyncio.to_thread(data.is_dir):
                return ()
            await asyncio.to_thread(shutil.rmtree, data)
        return (str(data),)


def _write(recipe: Recipe, run: Run, folder: Path) -> None:
    """The dataset first and the config last: where it is, all of it is."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    sides = zip(recipe.sides, (run.training.train, run.training.validation), strict=True)
    for name, source in ((name, source) for name, source in sides if source):
        shutil.copyfile(source, data / f"{name}{source.suffix}")
    if recipe.command:
        (folder / "run.sh").write_text(f'set -e\ncd "$(dirname "$0")"\n{recipe.command(run)}\n', encoding="utf-8")
    beside = folder / f"{recipe.config}.new"
    beside.write_text(recipe.text(run), encoding="utf-8")
    beside.replace(folder / recipe.config)


def _progress(recipe: Recipe, folder: Path) -> Progress:
    if found := _result(folder):
        return Progress("succeeded", tuned_model=str(found))
    if not (folder / recipe.config).is_file():
        return Progress("failed", problem=f"{recipe.config} in {folder} is gone")
    if (folder / _ENDED).exists():
        return Progress("cancelled")
    return Progress("queued", notes=(f"in {folder}: {recipe.todo}",))


def _result(folder: Path) -> Path | None:
    """The folder of a result: what the tools write at the end, beside none of their checkpoints."""
    result = folder / RESULT
    found = next((path for pattern in _WEIGHTS for path in result.glob(pattern)), None)
    return found.parent if found else None


def _epochs(training: Training) -> int:
    epochs = 3.0 if training.epochs is None else training.epochs
    if epochs != int(epochs) or epochs < 1:
        raise InvalidInput(f"{epochs:g} epochs cannot be written", hint="pass a whole number")
    return int(epochs)
