import re

import pytest

from persona.errors import SettingsError
from persona.settings import Settings, load
from persona.settings.describe import commented_toml, markdown
from persona.settings.retention import RetentionRule


def refusal(*rules: object, **tables: object) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.model_validate({"retention": rules, **tables})
    return str(caught.value)


def test_without_rules_there_are_none():
    assert Settings().retention == ()


def test_rules_are_read_in_their_order(tmp_path):
    path = tmp_path / "persona.toml"
    path.write_text('[[retention]]\ntenant = "acme"\ndays = 30\n[[retention]]\ndays = 365\narchived_days = 7\n')
    assert load(path, {}).retention == (
        RetentionRule(tenant="acme", days=30),
        RetentionRule(days=365, archived_days=7),
    )


def test_rules_come_from_the_environment_as_json():
    assert load(env={"PERSONA_RETENTION": '[{"days": 30}]'}).retention == (RetentionRule(days=30),)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({}, "'retention.0.days' is required"),
        ({"days": 0}, "'retention.0.days' must be greater than or equal to 1"),
        ({"days": 1e9}, "'retention.0.days' must be less than or equal to 36500"),
        ({"days": 1, "archived_days": 0}, "'retention.0.archived_days' must be greater than or equal to 1"),
        ({"dayz": 1}, "did you mean 'days'"),
        (
            {"days": 1, "route": "suport"},
            "'retention.0.route' names an unknown route 'suport'; did you mean 'support'?",
        ),
    ],
)
def test_a_rule_that_could_delete_too_much_or_nothing_is_refused(rule, says):
    assert says in refusal(rule, routes={"support": {}})


def test_a_rule_is_written_under_a_header_of_its_own():
    assert re.search(r"(?m)^#\[\[retention\]\]$", commented_toml())
    assert "## `[[retention]]`" in markdown()
    for name, field in RetentionRule.model_fields.items():
        assert f"| `{name}` |" in markdown()
        assert f"# {field.description}" in commented_toml()
