"""Forms of training files that belong to no vendor, what adapters bring besides, and how files are read and written."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from persona.adapter import Adapter, DatasetFormat, discover, load
from persona.errors import InvalidInput
from persona.harvest.formats import alpaca, columns, sharegpt, trl

CORE: tuple[DatasetFormat, ...] = (
    *(trl.CHAT, trl.PROMPT_COMPLETION, trl.PREFERENCE, trl.UNPAIRED),
    *(alpaca.Alpaca(), alpaca.AlpacaHistory(), sharegpt.ShareGPT()),
    *(columns.AUTOTRAIN, columns.AUTOTRAIN_PREFERENCE, columns.INPUT_OUTPUT, columns.INPUT_OUTPUT_CSV),
    *(columns.AUTHORS, columns.AUTHORS_CSV, columns.TEXT, columns.TEXT_JSONL),
)
"""The formats of the core."""


def available(extra: Iterable[Adapter] = ()) -> dict[str, DatasetFormat]:
    """Every format by its name: the core's, then those of `extra` and of the installed adapters."""
    found = {one.name: one for one in CORE}
    named = {adapter.name: adapter for adapter in extra}
    for name in sorted({*discover(), *named}):
        adapter = named.get(name) or load(name)
        for one in adapter.datasets() if adapter.datasets else ():
            found.setdefault(one.name, one)
    return found


def find(name: str, formats: Mapping[str, DatasetFormat]) -> DatasetFormat:
    """The format of this name. Raises InvalidInput, with the nearest names, when there is none."""
    if name in formats:
        return formats[name]
    near = get_close_matches(name, formats, 3) or sorted(one.name for one in CORE)
    raise InvalidInput(f"there is no format {name!r}", hint=f"such as {', '.join(near)}")
