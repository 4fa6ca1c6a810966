import pytest

from persona.errors import SettingsError
from persona.settings import Settings, load


def refusal(**tables: object) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.model_validate(tables)
    return str(caught.value)


def test_without_any_there_are_no_slots_and_nothing_is_learnt():
    assert Settings().profile == {}
    assert Settings().memory.learn == ""


def test_slots_are_read_in_their_order(tmp_path):
    path = tmp_path / "persona.toml"
    path.write_text('[profile.city]\n[profile.plan]\ntype = "choice"\nchoices = ["free", "paid"]\nlearn = false\n')
    city, plan = load(path, {}).profile.items()
    assert (city[0], city[1].type, city[1].many, city[1].learn) == ("city", "text", False, True)
    assert (plan[0], plan[1].choices, plan[1].learn) == ("plan", ("free", "paid"), False)


@pytest.mark.parametrize(
    ("slot", "says"),
    [
        ({"type": "choice"}, "'profile.plan.choices' must list the values"),
        ({"choices": ["a"]}, "'profile.plan.choices' is for the type \"choice\" only"),
        ({"type": "time"}, "'profile.plan.type' must be 'text', 'number'"),
        ({"kind": "text"}, "unknown key 'profile.plan.kind'"),
    ],
)
def test_a_slot_that_could_hold_nothing_is_refused(slot, says):
    assert says in refusal(profile={"plan": slot})


def test_the_route_that_learns_must_be_there():
    assert "'memory.learn' names an unknown route 'note'; did you mean 'notes'?" in refusal(
        memory={"learn": "note"}, routes={"notes": {}}
    )
    assert Settings.model_validate({"memory": {"learn": "default"}}).memory.learn == "default"
