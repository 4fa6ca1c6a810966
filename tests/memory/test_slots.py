"""Slots: what they take, what they give back, and what they refuse."""

from datetime import date
from enum import Enum
from typing import Annotated, Any, Self

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from persona.errors import InvalidInput, SettingsError
from persona.memory.slots import Slot, slots_of
from persona.settings.profile import SlotSettings

SETTINGS = {
    "home_town": SlotSettings(description="where the user lives"),
    "height": SlotSettings(type="number"),
    "age": SlotSettings(type="integer"),
    "smoker": SlotSettings(type="boolean"),
    "born": SlotSettings(type="date"),
    "plan": SlotSettings(type="choice", choices=("free", "paid")),
}


class Colour(Enum):
    RED = "red"


class Address(BaseModel):
    street: str


class Person(BaseModel):
    city: str | None = Field(None, description="where the user lives", max_length=10)
    languages: list[str] = []
    colour: Colour = Colour.RED
    address: Address | None = None
    age: int = Field(0, ge=0)


def slot(name: str) -> Slot:
    return slots_of(SETTINGS).named(name)


@pytest.mark.parametrize(
    ("name", "given", "kept", "typed", "text"),
    [
        ("home_town", " Brest ", "Brest", "Brest", "home town: Brest"),
        ("height", "1.5", 1.5, 1.5, "height: 1.5"),
        ("age", 42, 42, 42, "age: 42"),
        ("smoker", "yes", True, True, "smoker: true"),
        ("born", "2000-02-29", "2000-02-29", date(2000, 2, 29), "born: 2000-02-29"),
        ("born", date(2000, 2, 29), "2000-02-29", date(2000, 2, 29), "born: 2000-02-29"),
        ("plan", "paid", "paid", "paid", "plan: paid"),
    ],
)
def test_value_is_read_into_json_and_back_into_its_type(
    name: str, given: Any, kept: Any, typed: Any, text: str
) -> None:
    assert slot(name).read(given) == (kept, text)
    assert slot(name).typed(kept) == typed
    assert type(slot(name).typed(kept)) is type(typed)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *(("home_town", " "), ("home_town", 5), ("home_town", ["Brest"]), ("height", float("nan")), ("age", 1.5)),
        *(("age", "secret"), ("smoker", "perhaps"), ("born", "2001-02-29"), ("plan", "secret"), ("plan", None)),
    ],
)
def test_value_of_another_type_is_refused_and_not_repeated(name: str, given: Any) -> None:
    with pytest.raises(InvalidInput, match=f"the value for '{name}' does not fit") as caught:
        slot(name).read(given)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_unknown_slot_names_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'born'"):
        slot("borne")


def test_model_in_code_gives_a_slot_for_each_field() -> None:
    slots = slots_of({}, Person)
    assert [(one.name, one.many) for one in slots.by_name.values()] == [
        *(("city", False), ("languages", True), ("colour", False), ("address", False), ("age", False))
    ]
    assert slots.named("city").description == "where the user lives"
    assert slots.named("city").schema() == {"type": "string", "maxLength": 10}
    assert slots.named("age").schema()["minimum"] == 0
    kept, text = slots.named("address").read({"street": "rue de Siam"})
    assert (kept, text) == ({"street": "rue de Siam"}, 'address: {"street": "rue de Siam"}')
    assert slots.named("address").typed(kept) == Address(street="rue de Siam")
    assert slots.named("colour").typed("red") is Colour.RED
    with pytest.raises(InvalidInput):
        slots.named("age").read(-1)


def test_profile_is_declared_in_one_place() -> None:
    with pytest.raises(SettingsError, match="in the settings and in code"):
        slots_of(SETTINGS, Person)


def test_checks_of_a_model_that_no_slot_would_run_are_refused_and_those_of_its_types_run() -> None:
    class Checked(BaseModel):
        city: str = ""

        @field_validator("city")
        @classmethod
        def known(cls, city: str) -> str:
            return city

    class Whole(BaseModel):
        city: str = ""

        @model_validator(mode="after")
        def known(self) -> Self:
            return self

    class Short(BaseModel):
        languages: list[str] = Field(max_length=2)

    class Few(BaseModel):
        languages: Annotated[list[str], Field(max_length=2)] | None = None

    class Low(BaseModel):
        model_config = ConfigDict(str_to_lower=True)
        city: str = ""

    for model in (Checked, Whole, Short, Few, Low):
        with pytest.raises(SettingsError, match="AfterValidator"):
            slots_of({}, model)

    def upper(city: str) -> str:
        if not city.isupper():
            raise ValueError("in capitals")
        return city

    class Typed(BaseModel):
        city: Annotated[str, AfterValidator(upper)] = ""
        cities: list[Annotated[str, AfterValidator(upper)]] = Field(default_factory=list)

    slots = slots_of({}, Typed)
    for name in ("city", "cities"):
        assert slots.named(name).read("BREST")[0] == "BREST"
        with pytest.raises(InvalidInput, match="in capitals"):
            slots.named(name).read("Brest")
