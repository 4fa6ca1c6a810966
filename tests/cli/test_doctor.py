"""What the doctor finds, and that looking changes nothing."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from persona.assistant import serving
from persona.assistant.doctor.examine import examine
from persona.assistant.doctor.findings import Finding
from persona.assistant.synchronous import Assistant
from persona.cli.app import app
from persona.settings import Settings
from persona.store import calibrations, tasks
from persona.store.engine import Database

TODAY = date(2026, 11, 1)
KEY = "sk-secret-of-the-test"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def findings(toml: str = "", **environment: str) -> dict[str, Finding]:
    Path("persona.toml").write_text(toml, encoding="utf-8")
    return {one.topic: one for one in examine(Path("persona.toml"), environment, TODAY)}


def used_database() -> Database:
    with Assistant.open(Settings.model_validate({"tasks": {"run": False}})) as assistant:
        assistant.user("ada").remember("vegetarian")
    return Database("sqlite:///persona.db")


def target(name: str) -> str:
    return f'[routes.default]\ntarget = "{name}"\n'


def test_all_is_well_with_the_embedded_defaults() -> None:
    result = CliRunner().invoke(app, ["doctor"], catch_exceptions=False)
    assert result.exit_code == 0
    assert all(line.startswith("ok ") for line in result.stdout.splitlines())
    assert not list(Path().iterdir()), "looking made a file"


def test_machines_get_every_finding() -> None:
    report = json.loads(CliRunner().invoke(app, ["doctor", "--json"], catch_exceptions=False).stdout)
    assert report["failed"] == 0
    topics = {one["topic"] for one in report["findings"]}
    assert {"python", "packages", "settings", "database", "background", "embedder"} <= topics


def test_a_failure_is_an_exit_code() -> None:
    result = CliRunner().invoke(app, ["doctor", "--config", "absent.toml"])
    assert result.exit_code == 1
    assert "fail  settings: there is no settings file" in result.stdout


def test_wrong_settings_are_a_finding() -> None:
    assert "did you mean 'store'" in findings("[stor]\n")["settings"].found


def test_a_used_database_is_described() -> None:
    used_database().close()
    found = findings()
    assert "kB" in found["database"].found
    assert found["tables"].state == "ok"
    assert found["outbox"].found == "1 waiting"


def test_dead_tasks_are_a_warning() -> None:
    database = used_database()
    (task,) = database.run_now(lambda tx: tasks.claim(tx, 2**60, 1, 9))
    database.run_now(lambda tx: tasks.again(tx, task, 0, "Refused", dead=True))
    database.close()
    found = findings()["outbox"]
    assert (found.state, found.found) == ("warn", "1 dead")
    assert "persona tasks" in found.advice


def test_a_held_route_is_a_warning_that_says_how_to_release_it() -> None:
    serving.hold(Settings(), "default", "base", "grace", "tuned invents prices")
    found = findings()["hold default"]
    assert (found.state, found.found.startswith("held on the arm base by grace")) == ("warn", True)
    assert "persona routes release default" in found.advice
    elsewhere = findings('[routes.default]\nserve = "v2"\n[routes.default.arms.v2]\ntarget = "embedded:a"\n')
    assert "the hold does nothing" in elsewhere["hold default"].found


def test_a_limit_in_dollars_on_a_model_of_unknown_price_is_a_warning() -> None:
    limit = '[[limits]]\nby = "all"\nper = "day"\n'
    unknown = target("embedded:extractive-1") + '[routes.other]\ntarget = "openai:my-own-model"\n'
    assert findings(f"{limit}usd = 5\n{target('embedded:extractive-1')}")["limit 0"].state == "ok"
    found = findings(f"{limit}usd = 5\n{unknown}")["limit 0"]
    assert (found.state, found.advice) == ("warn", "limit its tokens too")
    assert found.found == "5 dollars a day cannot hold: the price of openai:my-own-model is unknown"
    assert "limit 0" not in findings(f"{limit}tokens = 5\n{unknown}")


def test_a_damaged_file_is_a_failure() -> None:
    Path("persona.db").write_bytes(b"this is no database" * 500)
    found = findings()["database"]
    assert found.state == "fail"
    assert found.advice


def test_damaged_pages_are_a_failure() -> None:
    used_database().close()
    raw = bytearray(Path("persona.db").read_bytes())
    raw[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    Path("persona.db").write_bytes(raw)
    assert findings()["database"].state == "fail"


def test_a_folder_that_is_not_there_is_a_failure() -> None:
    found = findings('[store]\nurl = "sqlite:///absent/persona.db"\n')["database"]
    assert (found.state, "no folder" in found.found) == ("fail", True)


def test_a_newer_database_asks_for_a_newer_persona() -> None:
    database = used_database()
    with database.connection() as connection:
        connection.exec_driver_sql("UPDATE persona_alembic_version SET version_num = '9999'")
    database.close()
    assert (findings()["tables"].state, findings()["tables"].advice) == ("fail", "upgrade pypersona")


def test_a_password_in_the_database_url_is_never_shown() -> None:
    toml = '[store]\nurl = "postgresql+psycopg://ada:s3cret@127.0.0.1:1/none"\n'
    found = findings(toml)
    assert found["database"].state == "fail"
    assert "s3cret" not in str(found)


def test_a_key_that_is_missing_is_named_by_its_variable() -> None:
    found = findings(target("openai:gpt-4.1"))["provider openai"]
    assert (found.state, "OPENAI_API_KEY is not set" in found.found) == ("fail", True)


def test_a_key_that_is_there_is_never_shown() -> None:
    found = findings(target("openai:gpt-4.1"), OPENAI_API_KEY=KEY)
    assert found["provider openai"].state == "ok"
    assert KEY not in str(found)


def test_a_server_of_ones_own_needs_no_key() -> None:
    toml = f'[providers.local]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n{target("local:m")}'
    assert findings(toml)["provider local"].state == "ok"


def test_an_adapter_that_is_not_installed_fails_its_route() -> None:
    found = findings(target("acme:large"))
    assert (found["provider acme"].state, found["route default"].state) == ("fail", "fail")
    assert "no adapter named 'acme'" in found["route default"].found


def test_an_undeclared_variable_fails_the_routes() -> None:
    assert findings('[routes.default]\ninstructions = ["Serve {{ shop }}."]\n')["routes"].state == "fail"


@pytest.mark.parametrize(
    ("today", "state"),
    [(date(2026, 9, 1), "ok"), (date(2026, 11, 1), "warn"), (date(2026, 12, 12), "warn")],
)
def test_a_model_that_retires_soon_or_has_is_a_warning(today: date, state: str) -> None:
    Path("persona.toml").write_text(target("openai:gpt-5"))
    found = examine(Path("persona.toml"), {"OPENAI_API_KEY": KEY}, today)
    (model,) = (one for one in found if one.topic == "model openai:gpt-5")
    assert model.state == state
    assert "2026-12-11" in model.found


def test_a_calibration_is_told() -> None:
    database = used_database()
    database.run_now(lambda tx: calibrations.save(tx, "embedded:extractive-1", "estimate-1", 1.05, 0.01, 7, 0))
    database.close()
    found = findings()["counter embedded:extractive-1"]
    assert found.found.startswith("calibrated (estimate-1, its adapter brings no vocabulary); ")
    assert found.found.endswith("; its provider counts 1.050 ± 0.010 for each, after 7 requests")
    report = json.loads(CliRunner().invoke(app, ["doctor", "--json"], catch_exceptions=False).stdout)
    (counted,) = (one["counted"] for one in report["findings"] if one["counted"])
    assert counted == {
        "target": "embedded:extractive-1",
        "counter": "estimate-1",
        "label": "calibrated",
        "ratio": 1.05,
        "error": 0.01,
        "samples": 7,
        "scale": 1.07,
    }


def test_a_counter_that_nobody_compared_yet_says_so() -> None:
    found = findings()["counter embedded:extractive-1"]
    assert found.found.endswith("; margin 5% until its provider reports")
    assert found.counted
    told = (found.counted.label, found.counted.ratio, found.counted.error, found.counted.samples, found.counted.scale)
    assert told == ("estimate", None, None, 0, 1.05)


def test_knowledge_is_read() -> None:
    Path("docs").mkdir()
    Path("docs/a.md").write_text("# Opening\n\nAt nine.\n")
    toml = '[knowledge.docs]\nfiles = ["docs/*.md"]\n'
    assert findings(toml)["knowledge docs"].found == "1 file, 15 characters"
    Path("docs/a.md").unlink()
    assert findings(toml)["knowledge docs"].state == "fail"


def test_background_work_that_runs_nowhere_is_a_warning() -> None:
    assert findings("[tasks]\nrun = false\n")["background"].state == "warn"


def test_it_says_to_whom_what_users_say_is_sent() -> None:
    said = findings('[routes.default]\ntarget = "openai:gpt-6-luna"\n', OPENAI_API_KEY=KEY)
    assert said["provider openai"].found.endswith("it is sent what users say")
    assert said["provider embedded"].found.endswith("nothing leaves this machine")


def test_learning_is_off_or_named_or_warned_about() -> None:
    assert findings()["learning"].found.startswith("off")
    routes = '[memory]\nlearn = "notes"\n[routes.default]\n[routes.notes]\n'
    warned = findings(routes)["learning"]
    assert (warned.state, "nothing is learnt" in warned.found) == ("warn", True)
    able = findings(f'{routes}target = "openai:gpt-5-mini"\n', OPENAI_API_KEY=KEY)["learning"]
    assert (able.state, able.found) == ("ok", "by the route notes, one call for each message of a user")


@pytest.mark.parametrize(
    ("kind", "options", "needed"),
    [
        ("google", "", True),
        ("google", 'options = { project = "p" }', False),
        ("anthropic", "", True),
        ("anthropic", 'options = { client = "bedrock", region = "eu-west-3" }', False),
    ],
)
def test_a_provider_that_signs_with_the_machines_credentials_needs_no_key(
    kind: str, options: str, needed: bool
) -> None:
    found = findings(f'[providers.cloud]\nkind = "{kind}"\n{options}\n{target("cloud:model")}')
    assert found["provider cloud"].state == ("fail" if needed else "ok")
