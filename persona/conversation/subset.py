"""A JSON Schema in the subset that every provider enforces while its model writes.

Their guides on structured output have this in common (2026-11): closed objects with all fields required, `anyOf`,
`enum`, lists, and references that stand alone. What is asked of a value beside that goes into its description, for the
model to read; the answer is validated all the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]  # JSON Schema is open-ended by its own specification

_PLAIN = ("string", "integer", "number", "boolean", "null")
_SAID_ELSEWHERE = ("title", "description", "discriminator", "additionalProperties", "required")


def narrowed(schema: Mapping[str, Any]) -> tuple[Json, bool]:
    """The schema in the subset, and whether all of it could be said so; what could not stays as it is."""
    narrowing = _Narrowing()
    definitions = {name: narrowing.of(one) for name, one in schema.get("$defs", {}).items()}
    root = {key: value for key, value in schema.items() if key != "$defs"}
    if "$ref" in root:  # a model that holds its own kind; a root must be an object
        root = schema["$defs"][str(root["$ref"]).rpartition("/")[2]]
    whole = narrowing.of(root)
    return (whole | {"$defs": definitions} if definitions else whole), narrowing.strict


@dataclass(slots=True)
class _Narrowing:
    strict: bool = True

    def of(self, node: Any) -> Json:
        """One part of a schema."""
        if not isinstance(node, dict):  # true: anything at all
            return self._open({})
        rest = {key: value for key, value in node.items() if key not in _SAID_ELSEWHERE}
        shape = self._shape(node, rest)
        said = _described(node.get("description", ""), rest)
        if said and "$ref" in shape:
            shape = {"anyOf": [shape]}  # nothing may stand beside a reference
        return {"description": said} | shape if said else shape

    def _shape(self, node: Json, rest: Json) -> Json:
        """What the part may be; the keys that say so are taken out of `rest`."""
        if "$ref" in rest:
            return {"$ref": rest.pop("$ref")}
        for key in ("anyOf", "oneOf"):
            if key in rest:
                return {"anyOf": [self.of(one) for one in rest.pop(key)]}
        kind = rest.pop("type", None)
        if "const" in rest:
            return {**({"type": kind} if kind else {}), "enum": [rest.pop("const")]}
        if "enum" in rest:
            return {**({"type": kind} if kind else {}), "enum": rest.pop("enum")}
        if kind == "object" and "properties" in rest:
            fields = {name: self.of(one) for name, one in rest.pop("properties").items()}
            return {"type": kind, "properties": fields, "required": [*fields], "additionalProperties": False}
        if kind == "array" and "items" in rest and "prefixItems" not in rest:
            return {"type": kind, "items": self.of(rest.pop("items"))}
        if kind in _PLAIN:
            return {"type": kind}
        return self._open({key: node[key] for key in node if key not in ("title", "description")}, rest)

    def _open(self, as_it_is: Json, rest: Json | None = None) -> Json:
        self.strict = False
        if rest is not None:
            rest.clear()
        return as_it_is


def _described(description: str, rest: Json) -> str:
    """The description, with what the subset has no word for."""
    asked = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in rest.items() if value is not None]
    return " ".join(filter(None, (description, f"({', '.join(asked)})" if asked else "")))
