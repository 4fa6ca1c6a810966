"""What an operator does with files: look for what is wrong with training rows, and import chats held elsewhere."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from persona.adapter import Adapter, DatasetFormat
from persona.assistant.database import prepared
from persona.assistant.user import checked_name
from persona.calling.providers import Providers
from persona.conversation.services import utc_now_us
from persona.errors import InvalidInput, NotFound
from persona.harvest.formats import available, find
from persona.harvest.formats.check import CheckReport, check
from persona.harvest.formats.detect import detect
from persona.harvest.formats.reading import container_of
from persona.harvest.imports.run import ImportReport, Options, Running, import_file
from persona.harvest.imports.tables import ChatTable
from persona.routing.routes import Routes
from persona.settings import Settings
from persona.settings.fields import is_target, parse_target
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
        if not is_target(model):
            raise InvalidInput(f"{model!r} names no model", hint="write provider:model, as in the settings")
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


def import_chats(
    settings: Settings,
    path: Path,
    form: str | None = None,
    *,
    route: str | None = None,
    tenant: str = "",
    user: str = "",
    remembers: bool = False,
    extra: Sequence[Adapter] = (),
    say: Callable[[Running], None] = lambda running: None,
) -> ImportReport:
    """Imports chats from a file into the log; interrupted, the same call goes on, and done, it does nothing.

    `tenant` and `user` count where a row names none. With `remembers` what users said becomes memories. Raises
    InvalidInput, NotFound for a route that is not in the settings, BusyError and StoreError.
    """
    routes = Routes(settings)
    chosen = Options(
        _import_format(path, form, extra),
        routes.default() if route is None else _there(routes, route),
        checked_name(tenant, 0),
        checked_name(user, 0),
        remembers,
    )
    with prepared(settings, make=True) as database:
        return import_file(database, path, chosen, utc_now_us, say)


def _there(routes: Routes, route: str) -> str:
    if route not in routes.names:
        raise NotFound(f"no route named {route!r}", hint=f"the settings have {', '.join(routes.names)}")
    return route


def _import_format(path: Path, named: str | None, extra: Sequence[Adapter]) -> DatasetFormat:
    """As `format_of`, and `csv` for a table of chats, which a CSV file is unless it has a format's columns."""
    table = ChatTable()
    if named == table.name:
        return table
    if named is None and path.is_file() and container_of(path) == "csv":
        try:
            found = format_of(path, None, extra)[0]
        except InvalidInput:
            return table
        return table if found.shape == "text" else found
    chosen = format_of(path, named, extra)[0]
    if chosen.shape == "text":
        raise InvalidInput(f"{chosen.name} holds plain text, and no chats", hint="name a format of chats with --as")
    return chosen
