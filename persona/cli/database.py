"""`persona db`: the version of the tables."""

import typer

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import FAILED, show, show_json


def upgrade(json: Json = False, config: Config = None) -> None:
    """Make the tables, or bring them up to date, in one transaction."""
    from persona.assistant import operator

    before, after = operator.upgrade(read_settings(config))
    if json:
        show_json({"before": before or None, "after": after})
    elif before == after:
        show(f"the tables have version {after} already")
    else:
        show(f"the tables now have version {after}{f', and had {before}' if before else ''}")


def version(json: Json = False, config: Config = None) -> None:
    """Print the version of the tables. Exits with 1 when it is not the one that this persona needs."""
    from persona.assistant import operator

    found, needed = operator.version(read_settings(config))
    if json:
        show_json({"version": found or None, "needed": needed})
    elif found == needed:
        show(found)
    else:
        show(f"{found or 'none'} (this persona needs {needed}: run `persona db upgrade`)")
    if found != needed:
        raise typer.Exit(FAILED)
