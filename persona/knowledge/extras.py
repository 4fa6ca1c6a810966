"""The libraries that read PDF, Word and HTML: an extra, loaded on first use."""

from importlib import import_module
from pathlib import Path
from typing import Any

from persona.knowledge.unreadable import Unreadable


def library(name: str, path: Path) -> Any:
    """A module of the extra `documents`. Raises Unreadable, which says what to install, when it is not there."""
    try:
        return import_module(name)
    except ImportError as error:
        what = f"needs {name.partition('.')[0]}, which is not installed"
        raise Unreadable(path, what, "run pip install 'pypersona[documents]'") from error
