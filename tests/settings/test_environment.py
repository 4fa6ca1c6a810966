import pytest

from persona.errors import SettingsError
from persona.settings import Settings, load


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "persona.toml"
    file.write_text(
        """
        [turn]
        retries = 1
        wait_s = 3
        [routes.Help-Desk]
        target = "acme:large"
        temperature = 0.1
        """
    )
    return file


def refusal(**env: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(env=env)
    return str(caught.value)


def test_a_variable_goes_over_the_file_and_leaves_the_rest(path):
    turn = load(path, {"PERSONA_TURN__RETRIES": "5"}).turn
    assert (turn.retries, turn.wait_s) == (5, 3)


def test_variables_know_neither_case_nor_hyphens(path):
    settings = load(path, {"persona_routes__HELP_desk__temperature": "0.9"})
    assert list(settings.routes) == ["Help-Desk"]
    assert settings.routes["Help-Desk"].temperature == 0.9


def test_a_route_can_come_from_the_environment_alone():
    env = {"PERSONA_ROUTES__SUPPORT__TARGET": "acme:large"}
    assert load(env=env).routes["support"].arms["base"].target == "acme:large"


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("INSTRUCTIONS", '["a", "b"]', ("a", "b")),
        ("INSTRUCTIONS", "Be brief.", ("Be brief.",)),
        ("INSTRUCTIONS", "{{ company }} answers.", ("{{ company }} answers.",)),
        ("VARIABLES", '{"company": "Acme"}', {"company": "Acme"}),
        ("VARIABLES__COMPANY", "[Acme]", {"company": "[Acme]"}),
        ("SERVE", "base", {"base": 1.0}),
        ("FALLBACK", '["acme:small"]', ("acme:small",)),
    ],
)
def test_lists_and_tables_are_json_and_texts_are_texts(name, text, read):
    route = load(env={f"PERSONA_ROUTES__SUPPORT__{name}": text}).routes["support"]
    assert getattr(route, name.split("__")[0].lower()) == read


@pytest.mark.parametrize(("text", "read"), [("0.3", 0.3), ("1.0", 1.0), ("300", 300)])
def test_a_size_keeps_its_kind(text, read):
    env = {"PERSONA_ROUTES__A__WINDOW__SECTIONS__RECALL__MAX": text}
    size = load(env=env).routes["a"].window.sections.recall.max
    assert (size, type(size)) == (read, type(read))


@pytest.mark.parametrize(("text", "read"), [("0", False), ("false", False), ("on", True)])
def test_yes_and_no_are_read_as_people_write_them(text, read):
    assert load(env={"PERSONA_TASKS__RUN": text}).tasks.run is read


def test_an_empty_variable_counts_as_unset():
    assert load(env={"PERSONA_STORE__URL": ""}) == Settings()


def test_a_whole_table_and_one_of_its_keys_can_both_be_set():
    env = {"PERSONA_TURN": '{"retries": 1, "wait_s": 2}', "PERSONA_TURN__RETRIES": "4"}
    turn = load(env=env).turn
    assert (turn.retries, turn.wait_s) == (4, 2)


def test_a_wrong_value_names_its_variable_and_its_key():
    said = refusal(PERSONA_TURN__RETRIES="sk-secret")
    assert said == "environment: PERSONA_TURN__RETRIES ('turn.retries') must be an integer"


def test_a_list_that_is_no_json_is_refused():
    assert "must be a list (JSON when" in refusal(PERSONA_ROUTES__A__FALLBACK="[acme:small")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PERSONA_STORE_URL", "PERSONA_STORE__URL"),
        ("PERSONA_TURN__RETRYS", "PERSONA_TURN__RETRIES"),
        ("PERSONA_ROUTE__A__TARGET", "PERSONA_ROUTES__A__TARGET"),
        ("PERSONA_ROUTES__A__WINDOW_BUDGET", "PERSONA_ROUTES__A__WINDOW__BUDGET"),
        ("PERSONA_STORE__URL__X", "PERSONA_STORE__URL"),
    ],
)
def test_a_variable_that_sets_nothing_names_the_nearest(name, meant):
    assert f"unknown environment variable {name}; did you mean {meant}?" in refusal(**{name: "x"})


def test_a_variable_like_no_other_is_refused_too():
    assert refusal(PERSONA_ZZZZ="x") == "environment: unknown environment variable PERSONA_ZZZZ"


@pytest.mark.parametrize(
    "name", ["PERSONA_PORT", "PERSONA_SERVICE_HOST", "PERSONA_WEB_PORT_80_TCP_ADDR", "PERSONA_LAB_API_KEY"]
)
def test_variables_of_an_orchestrator_and_keys_are_left_alone(name):
    assert load(env={name: "x"}) == Settings()


def test_a_variable_that_a_provider_names_for_its_key_is_left_alone():
    env = {"PERSONA_PROVIDERS__ACME__KEY_ENV": "PERSONA_SECRET", "PERSONA_SECRET": "x"}
    assert load(env=env).provider("acme").key_env == "PERSONA_SECRET"
