"""`persona init`: writes a settings file to start from."""

from pathlib import Path
from typing import Annotated

import typer

from persona.cli.opening import USUAL_FILE
from persona.cli.options import Json
from persona.cli.output import show, show_json
from persona.errors import SettingsError


def init(
    path: Annotated[str, typer.Argument(metavar="PATH", help="Where to write it.")] = USUAL_FILE,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    json: Json = False,
) -> None:
    """Write a commented persona.toml with every key and its default."""
    from persona.settings.describe import commented_toml

    target = Path(path) / USUAL_FILE if Path(path).is_dir() else Path(path)
    _write(target, commented_toml(), force)
    if json:
        show_json({"path": str(target)})
        return
    named = "" if target == Path(USUAL_FILE) else f" --config {target}"
    show(f"wrote {target}: it works as it is, offline, with the embedded model")
    show(f"next: persona chat --user ada{named}")


def _write(target: Path, text: str, force: bool) -> None:
    try:
        with target.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise SettingsError(
            f"{str(target)!r} is there already", hint="pass --force to write over it, or name another path"
        ) from error
    except OSError as error:
        raise SettingsError(
            f"cannot write {str(target)!r}: {error.strerror}", hint="check that its folder is there and may be written"
        ) from error
