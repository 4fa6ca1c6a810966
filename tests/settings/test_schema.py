from pathlib import Path

import pytest
from pydantic import ValidationError

from persona.errors import SettingsError
from persona.settings import Settings
from persona.settings.fields import parse_target
from persona.settings.window import Sections
from persona.values.request import Target


def route_of(**table: object):
    return Settings.model_validate({"routes": {"support": table}}).routes["support"]


def test_without_any_settings_one_route_is_served_by_the_embedded_model():
    routes = Settings().routes
    assert list(routes) == ["default"]
    assert routes["default"].arms["base"].target == "embedded:extractive-1"
    assert routes["default"].serve == {"base": 1.0}


def test_an_empty_table_of_routes_means_the_default_route():
    assert Settings.model_validate({"routes": {}}) == Settings()


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().turn.retries = 3


def test_settings_can_be_made_in_code():
    settings = Settings(routes={"support": {"target": "acme:large"}})
    assert settings.routes["support"].arms["base"].target == "acme:large"


def test_a_mistake_in_code_is_a_settings_error():
    with pytest.raises(SettingsError, match=r"unknown key 'turn\.retrys'; did you mean 'retries'\?"):
        Settings(turn={"retrys": 1})


def test_a_target_on_the_route_becomes_its_arm_base():
    route = route_of(target="acme:large", arms={"tuned": {"target": "acme:ft:x/y"}})
    assert {name: arm.target for name, arm in route.arms.items()} == {
        "base": "acme:large",
        "tuned": "acme:ft:x/y",
    }
    assert route.target is None


def test_a_target_on_the_route_and_an_arm_base_are_refused():
    with pytest.raises(SettingsError, match="keep one of them"):
        route_of(target="acme:large", arms={"base": {"target": "acme:small"}})


def test_a_model_may_hold_colons_and_slashes():
    assert parse_target("acme:ft:org/model:7") == Target("acme", "ft:org/model:7")


@pytest.mark.parametrize("text", ["large", ":large", "acme:", "acme:two words", "a__b:large", ""])
def test_what_is_not_provider_and_model_is_refused(text):
    with pytest.raises(SettingsError, match=r"'routes\.support\.target' must be written \"provider:model\""):
        route_of(target=text)


def test_one_text_of_instructions_is_a_list_of_one():
    assert route_of(instructions="Be brief.").instructions == ("Be brief.",)


def test_an_arm_may_have_its_own_instructions_and_budget():
    route = route_of(
        instructions="Be brief.",
        arms={
            "base": {"target": "acme:large"},
            "tuned": {"target": "acme:small", "instructions": [], "window": {"budget": 2048, "shots": False}},
        },
    )
    assert (route.instructions_of("base"), route.instructions_of("tuned")) == (("Be brief.",), ())
    assert (route.window_of("base").budget, route.window_of("tuned").budget) == (8192, 2048)
    assert route.window_of("tuned").reserve == 1024


def test_an_arm_without_room_for_the_input_is_refused():
    with pytest.raises(SettingsError, match="'tuned' a reserve of 1024, which leaves nothing"):
        route_of(arms={"base": {"target": "a:b"}, "tuned": {"target": "a:b", "window": {"budget": 1000}}})


def test_shares_that_sum_to_one_are_served():
    arms = {name: {"target": "a:b"} for name in ("base", "v2", "v3")}
    assert route_of(arms=arms, serve={"base": 0.7, "v2": 0.2, "v3": 0.1}).serve["v2"] == 0.2


@pytest.mark.parametrize(
    ("serve", "said"),
    [
        ("bse", "names an unknown arm 'bse'; did you mean 'base'?"),
        ({"base": 0.5, "v2": 0.4}, "sum to 0.9; they must sum to 1"),
        ({"base": 1.0, "v2": 0.0}, "gives 'v2' a share of 0.0"),
        ({}, "sum to 0;"),
    ],
)
def test_shares_that_cannot_be_served_are_refused(serve, said):
    with pytest.raises(SettingsError) as caught:
        route_of(arms={"base": {"target": "a:b"}, "v2": {"target": "a:b"}}, serve=serve)
    assert said in str(caught.value)


def test_the_arm_base_must_exist_when_nothing_says_what_serves():
    with pytest.raises(SettingsError, match=r"'routes\.support\.serve' names an unknown arm 'base'"):
        route_of(arms={"tuned": {"target": "a:b"}})


def test_a_partial_section_keeps_its_other_defaults():
    sections = route_of(window={"sections": {"recall": {"max": 0.3}}}).window.sections
    assert (sections.recall.max, sections.recall.priority) == (0.3, 2)
    assert sections.history == Sections().history


def test_what_is_known_of_the_user_is_served_before_the_history():
    served = sorted(Sections(), key=lambda named: named[1].priority)
    assert [name for name, _ in served] == ["profile", "recall", "summary", "shots", "history"]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"max": 1}, "is one token: write 1.0"),
        ({"max": 1.5}, "a share from 0.0 to 1.0"),
        ({"max": -5}, "must not be negative"),
        ({"max": True}, "must be a number"),
        ({"max": "much"}, "must be a number"),
        ({"max": float("nan")}, "a share from 0.0 to 1.0"),
        ({"min": 0.5, "max": 0.2}, "is 0.2, which is below min (0.5)"),
        ({"min": 500, "max": 20}, "is 20, which is below min (500)"),
    ],
)
def test_a_size_that_makes_no_sense_is_refused(section, said):
    with pytest.raises(SettingsError) as caught:
        route_of(window={"sections": {"recall": section}})
    assert said in str(caught.value)


def test_minimums_that_do_not_fit_together_are_refused():
    with pytest.raises(SettingsError, match=r"ask for at least 8434 tokens in all, but .* is 7168"):
        route_of(window={"sections": {"recall": {"min": 7000, "max": 7000}}})


def test_a_language_is_named_by_its_code():
    assert Settings.model_validate({"harvest": {"languages": ["fr", "en", "ceb"]}}).harvest.languages[-1] == "ceb"
    with pytest.raises(SettingsError, match=r"'harvest\.languages\.0' must be the code of a language, such as fr"):
        Settings.model_validate({"harvest": {"languages": ["french"]}})


def test_a_reserve_that_leaves_nothing_is_refused():
    with pytest.raises(SettingsError, match=r"'routes\.support\.window\.reserve' is 8192"):
        route_of(window={"reserve": 8192})


def test_a_budget_below_the_usual_reserve_is_refused():
    said = r"'routes\.support\.window\.reserve' is 1024, which leaves nothing of the budget \(500\).*raise budget, or"
    with pytest.raises(SettingsError, match=said):
        route_of(window={"budget": 500})
    assert route_of(window={"budget": 500, "reserve": 100}).window.budget == 500


def test_a_provider_needs_no_table():
    provider = Settings().provider("my-lab")
    assert (provider.kind, provider.key_env, provider.base_url) == ("my-lab", "MY_LAB_API_KEY", "")


def test_a_declared_provider_keeps_what_it_says():
    settings = Settings(providers={"lab": {"kind": "acme", "key_env": "LAB", "connect_timeout_s": 1}})
    provider = settings.provider("lab")
    assert (provider.kind, provider.key_env, provider.connect_timeout_s) == ("acme", "LAB", 1.0)


def test_a_key_is_not_sent_to_another_address_unless_it_is_named():
    settings = Settings(providers={"acme": {"base_url": "http://127.0.0.1:8000/v1"}})
    assert settings.provider("acme").key_env == ""


@pytest.mark.parametrize("name", ["1st", "a__b", "a.b", "é", "", "-a", "a-", "x" * 70])
def test_a_name_that_no_variable_or_url_could_hold_is_refused(name):
    with pytest.raises(SettingsError, match="is no good name"):
        Settings(knowledge={name: {}})


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("sqlite:///data/p.db", "sqlite:////srv/data/p.db"),
        ("sqlite:///p.db?mode=ro", "sqlite:////srv/p.db?mode=ro"),
        ("sqlite+aiosqlite:///p.db", "sqlite+aiosqlite:////srv/p.db"),
        ("sqlite:////var/p.db", "sqlite:////var/p.db"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql+psycopg://db/persona", "postgresql+psycopg://db/persona"),
    ],
)
def test_a_relative_database_starts_at_the_folder(url, absolute, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = Settings(store={"url": url}).database_url
    assert found.replace(str(Path.cwd()), "/srv") == absolute


def test_the_printed_form_holds_no_address_with_a_password():
    settings = Settings(
        store={"url": "postgresql://u:hunter2@db/p"}, providers={"a": {"base_url": "http://u:hunter2@h"}}
    )
    assert "hunter2" not in repr(settings)
