"""What an operator does with files of training rows: look for what is wrong with them."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from persona.adapter import Adapter, DatasetFormat
from persona.calling.providers import Providers
from persona.errors import InvalidInput
from persona.harvest.formats import available, find
from persona.harvest.formats.check import CheckReport, check
from persona.harvest.formats.detect import detect
from persona.settings import Settings
from persona.settings.fields import parse_target
from persona.window.counting import Counter, EstimatingTokenizer, label


def check_files(
    paths: Sequence[Path],
    form: str | None,
    model: str | None,
    settings: Settings,
    *,
    environment: Mapping[str, str] | None = None,
    extra: Sequence[Adapter] = (),
    say: Callable[[int], None] = lambda rows: None,
) -> tuple[CheckReport, tuple[str, ...]]:
    """Checks a training file, and its validation file; and the other formats that its rows fit when none was named.

    `model` (provider:model) names whose tokens are counted, up to its context. Raises InvalidInput and AdapterMissing.
    """
    chosen, alike = format_of(paths[0], form, extra)
    counter, most = Counter(EstimatingTokenizer()), None
    if model:
        target = parse_target(model)
        providers = Providers(settings, os.environ if environment is None else environment, extra)
        counter, card = providers.counter(target), providers.card(target)
        most = card.context_tokens if card else None
    return check(paths, chosen, counter, label(counter, 0), most, say), alike


def format_of(path: Path, named: str | None, extra: Sequence[Adapter] = ()) -> tuple[DatasetFormat, tuple[str, ...]]:
    """The format that was named, or the one the file's first rows fit best, and the others that fit as well.

    Raises InvalidInput.
    """
    formats = available(extra)
    if named:
        return find(named, formats), ()
    if not path.is_file():
        raise InvalidInput(f"{str(path)!r} is no file", hint="name a training file")
    first, *others = detect(path, formats)
    return formats[first], tuple(others)
