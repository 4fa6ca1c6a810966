"""What the tables of the settings are made of: the frozen table, names, targets and links."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from persona.values.request import Target

_NAME = re.compile(r"[A-Za-z](?:[_-]?[A-Za-z0-9]){0,63}")  # no "__": it parts the names of the environment
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_TARGET = re.compile(rf"({_NAME.pattern}):(\S+)")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class Table(BaseModel):
    """One table of the settings: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


def parse_target(text: str) -> Target:
    """The target that `provider:model` names; the model may hold colons and slashes. Raises ValueError."""
    match = _TARGET.fullmatch(text)
    if match is None:
        raise ValueError('must be written "provider:model"')
    return Target(match[1], match[2])


def is_target(value: object) -> bool:
    """Whether the value is a text of the form `provider:model`."""
    return isinstance(value, str) and _TARGET.fullmatch(value) is not None


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("is no good name: begin with a letter, then letters and digits, with single - or _ between")
    return text


def _target(text: str) -> str:
    return str(parse_target(text))


def _variable(text: str) -> str:
    if text and not _VARIABLE.fullmatch(text):
        raise ValueError(
            "must be the NAME of an environment variable (capitals, digits, _) that holds the key; "
            "the key itself does not belong here"
        )
    return text


def is_language(text: str) -> bool:
    """Whether a text is the code of a language, by its form: ISO 639-1, or 639-3 where that has none."""
    return bool(_LANGUAGE.fullmatch(text))


def _language(text: str) -> str:
    if not is_language(text):
        raise ValueError("must be the code of a language, such as fr or en")
    return text


def _link(text: str) -> str:
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return text


def _database(text: str) -> str:
    if "://" not in text:
        raise ValueError('must be an SQLAlchemy URL, for example "sqlite:///persona.db"')
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, AfterValidator(_name)]
TargetText = Annotated[str, AfterValidator(_target)]
VariableName = Annotated[str, AfterValidator(_variable)]
Language = Annotated[str, AfterValidator(_language)]
Link = Annotated[str, AfterValidator(_link)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])]
"""A list of texts; a single text is taken as a list of one."""
