"""The direction of the imports, read from the source: what the design promises about rooms."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = [
    {"values", "errors"},
    {"adapter", "settings", "catalog"},
    {"window", "telemetry"},
    {"store"},
    {"memory", "knowledge", "routing"},
    {"calling", "reports"},
    {"render"},
    {"tasks"},
    {"conversation", "harvest"},
    {"evaluation", "tuning"},
    {"promotion", "privacy"},
    {"wiring"},
    {"assistant"},
    {"testing"},
    {"cli"},
]
LEVEL = {room: level for level, rooms in enumerate(LINES) for room in rooms}
VENDORS = re.compile(r"\b(openai|anthropic|claude|gemini|google|mistral|vertex|bedrock|azure|ollama|gpt)\b", re.I)
FORMS = {"sharegpt.py": "gpt"}  # a word that a file format, which is nobody's, has for the assistant
ADAPTER_MAY = {"values", "errors", "adapter"}


def _sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _room(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def test_every_room_has_its_line_in_the_design() -> None:
    rooms = {path.relative_to(ROOT / "persona").parts[0].removesuffix(".py") for path in _sources("persona")}
    assert rooms - {"__init__"} <= LEVEL.keys()


@pytest.mark.parametrize("path", _sources("persona"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_rooms_on_the_lines_above(path: Path) -> None:
    room = path.relative_to(ROOT / "persona").parts[0].removesuffix(".py")
    if room == "__init__":
        return
    for module in _imports(path):
        if module.startswith("persona.") and _room(module) != room:
            target = _room(module)
            same_value_room = {room, target} == {"values", "errors"}
            assert same_value_room or LEVEL[target] < LEVEL[room], f"{room} must not import {module}"


@pytest.mark.parametrize("path", _sources("persona"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_names_no_vendor(path: Path) -> None:
    found = set(VENDORS.findall(path.read_text(encoding="utf-8"))) - {FORMS.get(path.name)}
    assert not found, f"{path.name} names {found}"


@pytest.mark.parametrize("path", _sources("adapters"), ids=lambda path: str(path.relative_to(ROOT)))
def test_an_adapter_sees_only_values_errors_and_the_protocols(path: Path) -> None:
    for module in _imports(path):
        if module.startswith("persona."):
            assert _room(module) in ADAPTER_MAY, f"{path.name} must not import {module}"
