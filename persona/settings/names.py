"""Names that must exist: the knowledge, the routes and the arms that are mentioned.

They are looked up in the raw tables, so that no other problem hides an unknown name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from persona.settings.fields import Table
from persona.settings.nearest import did_you_mean
from persona.settings.problems import KeyPath, Problem


def unknown_names(raw: object) -> list[Problem]:
    """Each name that is mentioned and that is not there."""
    tables = _entries(raw)
    routes = _entries(tables.get("routes")) or {"default": {}}
    knowledge = _entries(tables.get("knowledge"))
    problems: list[Problem] = []
    for name, route in routes.items():
        row = _entries(route)
        arms = _entries(row.get("arms"))
        arm_names = {*arms, "base"} if row.get("target") or not arms else {*arms}
        problems += _missing(("routes", name, "knowledge"), row.get("knowledge"), "knowledge", knowledge)
        problems += _missing(("routes", name, "summarise"), row.get("summarise") or (), "route", routes)
        problems += _missing(("routes", name, "shadow"), row.get("shadow") or (), "arm", arm_names)
        problems += _missing(("routes", name, "serve"), row.get("serve", "base"), "arm", arm_names)
    learn = _entries(tables.get("memory")).get("learn") or ()
    problems += _missing(("memory", "learn"), learn, "route", routes)
    for name in ("retention", "limits"):
        for place, rule in enumerate(_listed(tables.get(name))):
            problems += _missing((name, place, "route"), _entries(rule).get("route") or (), "route", routes)
    return problems


def _listed(rows: object) -> Sequence[object]:
    return rows if isinstance(rows, list | tuple) else ()


def _entries(table: object) -> dict[str, object]:
    return dict(table) if isinstance(table, Mapping | Table) else {}


def _missing(path: KeyPath, mentioned: object, noun: str, known: Iterable[str]) -> Iterator[Problem]:
    listed = [mentioned] if isinstance(mentioned, str) else mentioned
    for name in listed if isinstance(listed, list | tuple | Mapping) else ():
        if isinstance(name, str) and name not in known:
            yield Problem(path, f"names an unknown {noun} {name!r}{did_you_mean(name, known)}")
