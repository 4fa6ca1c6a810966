"""The slots of a profile: typed, declared in the settings or by a pydantic model's fields, one value or several."""

import json
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from persona.errors import InvalidInput, SettingsError
from persona.settings.nearest import did_you_mean
from persona.settings.profile import SlotSettings
from persona.window.blocks import seen

_TYPES: Mapping[str, Any] = {
    "text": Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)],
    "number": Annotated[float, Field(allow_inf_nan=False)],
    "integer": int,
    "boolean": bool,
    "date": date,
}
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, white space among them, and halves of surrogate pairs."""

_SEVERAL = (list, tuple, set, frozenset, Sequence)
_IN_THE_TYPE = "write it into the type of one value: Annotated[str, AfterValidator(check)]"
_OF_STRINGS = {"str_max_length", "str_min_length", "str_strip_whitespace", "str_to_lower", "str_to_upper"}
_SHORTENED = 60  # characters of what a value must be, in an error


def visible(text: str) -> str:
    """The text without what nobody sees, which would tell a fact from the same one. Raises InvalidInput."""
    if UNPRINTABLE.search("".join(text.split())):
        raise InvalidInput("the fact holds control characters or half a surrogate pair", hint="remove them first")
    return seen(text)


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot. `many` says that it holds several values, `learnt` that a model may fill it."""

    name: str
    adapter: TypeAdapter[Any]
    many: bool = False
    learnt: bool = True
    description: str = ""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of one value."""
        return self.adapter.json_schema()

    def read(self, value: object) -> tuple[object, str]:
        """One value in JSON types, and the fact's text. Raises InvalidInput, without repeating the value."""
        if isinstance(value, str):
            value = visible(value)
        try:
            kept = self.adapter.dump_python(self.adapter.validate_python(value), mode="json")
        except ValidationError as error:
            why = error.errors(include_url=False, include_input=False, include_context=False)[0]["msg"]
        else:
            said = kept if isinstance(kept, str) else json.dumps(kept, ensure_ascii=False)
            return kept, f"{self.name.replace('_', ' ').replace('-', ' ')}: {said}"
        # raised outside the except, unchained: pydantic's error holds the value
        raise InvalidInput(f"the value for {self.name!r} does not fit: {why[:_SHORTENED]}", hint="see its type")

    def typed(self, kept: object) -> object:
        """The value that was kept in JSON types. Raises ValueError when the slot's type has changed since."""
        return self.adapter.validate_python(kept)


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of every user's profile, by name."""

    by_name: Mapping[str, Slot] = field(default_factory=dict)

    def named(self, name: str) -> Slot:
        """One slot. Raises InvalidInput."""
        if name not in self.by_name:
            meant = did_you_mean(name, self.by_name)
            raise InvalidInput(f"the profile has no slot {name!r}{meant}", hint="declare it in [profile] first")
        return self.by_name[name]

    def many(self) -> tuple[str, ...]:
        """The names of the slots that hold several values."""
        return tuple(slot.name for slot in self.by_name.values() if slot.many)

    def learnt(self) -> tuple[Slot, ...]:
        """The slots that a model may fill."""
        return tuple(slot for slot in self.by_name.values() if slot.learnt)


def slots_of(settings: Mapping[str, SlotSettings], model: type[BaseModel] | None = None) -> Slots:
    """The slots of the settings, or the fields of a model given in code. Raises SettingsError.

    A model's own validators are refused, and what its configuration asks of values: slots are filled one by one, and a
    list by its items, so none could be run.
    """
    if model is None:
        return Slots({name: _from_settings(name, one) for name, one in settings.items()})
    if settings:
        raise SettingsError("the profile is declared in the settings and in code", hint="keep one of them")
    checks = model.__pydantic_decorators__
    if checks.field_validators or checks.model_validators or checks.validators or checks.root_validators:
        raise SettingsError(
            f"the profile {model.__name__!r} has validators, which no slot would run", hint=_IN_THE_TYPE
        )
    if asked := {"strict", *_OF_STRINGS} & model.model_config.keys():
        raise SettingsError(
            f"the profile {model.__name__!r} is configured with {min(asked)!r}, which no slot would follow",
            hint=_IN_THE_TYPE,
        )
    return Slots({name: _from_field(name, one) for name, one in model.model_fields.items()})


def _from_settings(name: str, settings: SlotSettings) -> Slot:
    kind: Any = Literal[settings.choices] if settings.type == "choice" else _TYPES[settings.type]
    return Slot(name, TypeAdapter(kind), settings.many, settings.learn, settings.description)


def _from_field(name: str, declared: FieldInfo) -> Slot:
    """A field's type, of one of its values when it holds several; what is not known is absent, never None."""
    known = FieldInfo.from_annotation(_without_none(declared.annotation))  # beside None, a type may have limits, too
    annotation, limits = known.annotation, (*known.metadata, *declared.metadata)
    if get_origin(annotation) in _SEVERAL:
        if limits:
            raise SettingsError(f"the list {name!r} of the profile has a limit, which no item tells", hint=_IN_THE_TYPE)
        one = get_args(annotation)[0]
        return Slot(name, TypeAdapter(one), many=True, description=declared.description or "")
    kind: Any = Annotated[(annotation, *limits)] if limits else annotation
    return Slot(name, TypeAdapter(kind), description=declared.description or "")


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        left = tuple(one for one in get_args(annotation) if one is not type(None))
        return Union[left]  # noqa: UP007 - made from a tuple
    return annotation
