import subprocess
import sys
from pathlib import Path

import pytest

from persona.errors import SettingsError
from persona.settings import Settings, load
from persona.store.engine import Database
from persona.store.schema import prepare


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "persona.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path: Path | None, env: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(path, env or {})
    return str(caught.value)


def test_without_a_file_there_are_the_defaults_and_no_file_is_looked_for(written, monkeypatch):
    monkeypatch.chdir(written("this is no TOML").parent)
    assert load(env={}) == Settings()


def test_relative_paths_start_at_the_folder_of_the_file(written):
    path = written('[store]\nurl = "sqlite:///a.db"\n')
    settings = load(path, {})
    assert settings.folder == path.parent
    assert settings.database_url == f"sqlite:///{path.parent / 'a.db'}"


def test_the_environment_of_the_process_is_read_when_none_is_given(monkeypatch):
    monkeypatch.setenv("PERSONA_TURN__RETRIES", "7")
    assert load().turn.retries == 7


def test_a_missing_file_says_how_to_write_one(tmp_path):
    assert "run `persona init`" in refusal(tmp_path / "persona.toml")


def test_a_folder_instead_of_a_file_is_a_settings_error(tmp_path):
    assert "cannot read the settings file" in refusal(tmp_path)


def test_a_syntax_error_names_the_file_and_the_line(written):
    path = written("[store]\nurl = \n")
    said = refusal(path)
    assert str(path) in said
    assert "line 2" in said


def test_a_byte_order_mark_is_no_error(tmp_path):
    path = tmp_path / "persona.toml"
    path.write_bytes(b"\xef\xbb\xbf[turn]\nretries = 1\n")
    assert load(path, {}).turn.retries == 1


def test_a_file_in_another_encoding_is_a_settings_error(tmp_path):
    path = tmp_path / "persona.toml"
    path.write_bytes('[routes.default]\ninstructions = "réponds"\n'.encode("latin-1"))
    assert "is not UTF-8 text" in refusal(path)


def test_an_unknown_key_names_the_nearest(written):
    path = written('[routes.suport]\ninstrctions = "x"\n')
    assert refusal(path) == f"{path}: unknown key 'routes.suport.instrctions'; did you mean 'instructions'?"


def test_a_key_in_the_wrong_table_names_the_right_one(written):
    assert "did you mean 'window.budget'?" in refusal(written("[routes.support]\nbudget = 4096\n"))


def test_a_key_like_no_other_lists_the_known_ones(written):
    assert "there is 'drain_s', 'run'" in refusal(written("[tasks]\nzzz = 1\n"))


def test_all_problems_are_named_at_once(written):
    path = written(
        """
        [store]
        durability = "high"
        [turn]
        retries = "x"
        timeout_s = -1
        on_disconect = "cancel"
        [routes.support]
        knowledge = ["dcos"]
        summarise = "sumary"
        serve = "bse"
        temperature = "hot"
        arms.base.targt = "a:b"
        fallback = ["a:b", "c"]
        shots.items = [{ user = "x" }]
        window.reserve = 9000
        [routes.summary]
        [knowledge.docs]
        """
    )
    lines = refusal(path, {"PERSONA_STORE_URL": "x"}).split("\n  ")
    assert lines[0] == f"{path}: 14 problems"
    assert sorted(lines[1:]) == sorted(
        [
            "unknown environment variable PERSONA_STORE_URL; did you mean PERSONA_STORE__URL?",
            "'store.durability' must be 'normal' or 'full'",
            "'turn.retries' must be an integer",
            "'turn.timeout_s' must be greater than 0",
            "unknown key 'turn.on_disconect'; did you mean 'on_disconnect'?",
            "'routes.support.knowledge' names an unknown knowledge 'dcos'; did you mean 'docs'?",
            "'routes.support.summarise' names an unknown route 'sumary'; did you mean 'summary'?",
            "'routes.support.serve' names an unknown arm 'bse'; did you mean 'base'?",
            "'routes.support.temperature' must be a number",
            "'routes.support.arms.base.target' is required",
            "unknown key 'routes.support.arms.base.targt'; did you mean 'target'?",
            "'routes.support.fallback.1' must be written \"provider:model\"",
            "'routes.support.shots.items.0.assistant' is required",
            "'routes.support.window.reserve' is 9000, which leaves nothing of the budget (8192) for the input: "
            "raise budget, or lower reserve",
        ]
    )


@pytest.mark.parametrize("table", ["store = 3", "routes = 3", "routes.a = 3", "routes.a.arms = 3", "providers = []"])
def test_a_value_where_a_table_belongs_is_named(written, table):
    key = table.split(" ")[0]
    assert f"'{key}' must be a table" in refusal(written(table))


@pytest.mark.parametrize(
    "table",
    [
        '[providers.acme]\nkey_env = "SECRET"',
        '[providers.acme]\nkey = "SECRET"',
        '[providers.acme]\nbase_url = "SECRET"',
        '[store]\nurl = "SECRET"',
        '[routes.a]\ntarget = "SECRET"',
        '[turn]\nretries = "SECRET"',
    ],
)
def test_a_message_never_repeats_what_may_be_a_secret(written, table):
    path = written(table.replace("SECRET", "sk-very-secret-9"))
    with pytest.raises(SettingsError) as caught:
        load(path, {})
    seen = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert "very-secret" not in repr([(str(one), vars(one) if one else "") for one in seen])


@pytest.mark.parametrize("value", ["sk-abc123", "lower_case", "WITH-DASH", "1ST", "SP ACE"])
def test_what_looks_like_a_key_is_no_name_of_a_variable(written, value):
    said = refusal(written(f'[providers.acme]\nkey_env = "{value}"'))
    assert "'providers.acme.key_env' must be the NAME of an environment variable" in said
    assert value not in said


def test_importing_the_settings_imports_nothing_heavy():
    script = (
        "import sys, persona.settings\n"
        "heavy = {'sqlalchemy', 'sqlmodel', 'numpy', 'faiss', 'openai', 'tiktoken', 'typer', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_folder_whose_name_means_something_in_a_url_still_holds_its_database(tmp_path: Path) -> None:
    folder = tmp_path / "a%20b?c"
    folder.mkdir()
    (folder / "persona.toml").write_text('[store]\nurl = "sqlite:///data.db"\n')
    database = Database(load(folder / "persona.toml", {}).database_url)
    prepare(database)
    database.close()
    assert (folder / "data.db").exists()
