"""Which offered tool a question is for, and what to call it with: by the words they share, nothing more."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from persona.values.request import Tool
from persona.values.words import fold, term, terms, tokens
from persona_embedded.match import Asked, likeness

Value = str | int | float

_ENOUGH = 0.3
_SAME_WORD = 0.6
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_NUMBER = re.compile(r"-?\d{1,15}(?:[.,]\d{1,15})?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DAY_PARAMETER = re.compile(r"\b(?:day|weekday|date|jour|when|quand)\b")
_DAY = re.compile(
    r"\b(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|aujourd'hui|demain|hier|today|tomorrow|yesterday|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|\d{4}-\d\d-\d\d)\b",
    re.IGNORECASE,
)


def choose(question: str, asked: Asked, tools: Sequence[Tool], beat: float) -> tuple[str, str] | None:
    """The name and the JSON arguments of the tool that fits the question better than `beat`, or None."""
    plain = question.replace("’", "'")
    best, chosen = max(beat, _ENOUGH), None
    for tool in tools:
        arguments = _arguments(plain, asked, tool)
        if arguments is not None and (fit := _fit(asked, tool, arguments)) > best:
            best, chosen = fit, (tool.name, json.dumps(arguments, ensure_ascii=False))
    return chosen


def _fit(asked: Asked, tool: Tool, arguments: Mapping[str, Value]) -> float:
    """The share of the question's words that the tool's own words hold; arguments and days are no subject."""
    given = f"{' '.join(map(str, arguments.values()))} {' '.join(_DAY.findall(asked.question))}"
    aside = set(terms(given, asked.lang))
    subject = [word for word in asked.terms if word not in aside]
    held = asked.held(_vocabulary(asked.lang, tool))
    return sum(held.get(word, 0.0) for word in subject) / max(1, len(subject))


def _vocabulary(lang: str, tool: Tool) -> list[str]:
    properties = tool.parameters.get("properties")
    schemas = properties.values() if isinstance(properties, Mapping) else ()
    choices = [str(one) for schema in schemas if isinstance(schema, Mapping) for one in schema.get("enum") or ()]
    return terms(f"{_CAMEL.sub(' ', tool.name).replace('_', ' ')} {tool.description} {' '.join(choices)}", lang)


def _arguments(question: str, asked: Asked, tool: Tool) -> dict[str, Value] | None:
    """A value for every required parameter, or None when one cannot be had from the question."""
    properties, required = tool.parameters.get("properties"), tool.parameters.get("required")
    filled: dict[str, Value] = {}
    for name in required if isinstance(required, Sequence) else ():
        schema = properties.get(name) if isinstance(properties, Mapping) else None
        value = _value(question, asked, tool, str(name), schema if isinstance(schema, Mapping) else {})
        if value is None:
            return None
        filled[str(name)] = value
    return filled


def _value(question: str, asked: Asked, tool: Tool, name: str, schema: Mapping[str, Any]) -> Value | None:
    if isinstance(schema.get("enum"), Sequence):
        return _choice(question, asked.lang, [one for one in schema["enum"] if isinstance(one, str)])
    if schema.get("type") in ("integer", "number"):
        return _number(question, whole=schema["type"] == "integer")
    if schema.get("type", "string") != "string":
        return None
    if _DAY_PARAMETER.search(f"{name.replace('_', ' ')} {schema.get('description', '')}".casefold()):
        day = _DAY.search(question)
        return day[0] if day else None
    return _last_content_word(question, asked, tool)


def _choice(question: str, lang: str, choices: Sequence[str]) -> str | None:
    """The allowed value that the question names, or the one written most like a word of it."""
    asked = {fold(word) for word in tokens(question)} | set(terms(question, lang))
    alike = [
        (max((likeness(fold(choice.casefold()), word) for word in asked), default=0.0), choice) for choice in choices
    ]
    best, choice = max(alike, key=lambda pair: pair[0], default=(0.0, ""))
    return choice if best >= _SAME_WORD else None


def _number(question: str, *, whole: bool) -> Value | None:
    found = _NUMBER.search(question)
    if found is None:
        return None
    number = float(found[0].replace(",", "."))
    return int(number) if whole else number


def _last_content_word(question: str, asked: Asked, tool: Tool) -> str | None:
    """The question's last name, else its last word that the tool does not say itself."""
    said = set(_vocabulary(asked.lang, tool))
    words = [
        word
        for word in _WORD.findall(_DAY.sub(" ", question))
        if any((found := term(piece, asked.lang)).isalpha() and found not in said for piece in tokens(word))
    ]
    names = [word for word in words if word[0].isupper() and not question.lstrip().startswith(word)]
    last: str | None = (names or words or [None])[-1]
    return last
