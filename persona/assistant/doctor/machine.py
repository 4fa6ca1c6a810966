"""Python and the installed packages."""

import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version

import persona
from persona.assistant.doctor.findings import Finding

_DISTRIBUTION = "pypersona"
_OLDEST = (3, 11)
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def python() -> Finding:
    """Whether this Python is new enough."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST:
        return Finding("python", "fail", found, f"install Python {'.'.join(map(str, _OLDEST))} or newer")
    return Finding("python", "ok", found)


def packages() -> Finding:
    """The versions of what persona stands on."""
    found, missing = [f"persona {persona.__version__}"], []
    for name in _required():
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        advice = f"install {_DISTRIBUTION} again, or: {', '.join(missing)}"
        return Finding("packages", "fail", f"missing: {', '.join(missing)}", advice)
    return Finding("packages", "ok", ", ".join(found))


def _required() -> list[str]:
    """The names of the packages that persona's own metadata requires, extras left out."""
    try:
        listed = requires(_DISTRIBUTION) or []
    except PackageNotFoundError:  # run from a folder that was never installed
        return []
    names = (_NAME.match(line) for line in listed if "extra ==" not in line)
    return [name[0] for name in names if name]
