"""An arm on its way to serve, through the settings file, and back again."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from persona import InvalidInput, NotFound, NotPromoted, SettingsError
from persona.assistant import promoting, serving
from persona.cli.app import app
from persona.settings import load

from .conftest import TEXT, Shop


def promote(shop: Shop, **how: object) -> list[str]:
    made = promoting.promote(shop.path, "support", "tuned", "grace", **how)  # type: ignore[arg-type]
    return [one.step for one in made]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_each_step_changes_the_file_and_keeps_its_comments(shop: Shop) -> None:
    shop.compared()
    assert promote(shop) == ["shadow"]
    assert shop.text == TEXT.replace("users = 2 }\n", 'users = 2 }\nshadow = "tuned"\n\n')
    assert promote(shop) == ["canary"]
    assert "serve = { base = 0.5, tuned = 0.5 }                # since 2026" in shop.text
    assert load(shop.path).routes["support"].shadow == ""
    with pytest.raises(NotPromoted, match="served 0 users, and 2 are needed"):
        promote(shop)


def test_a_share_of_the_users_goes_to_the_arm_and_it_serves_all_once_it_was_tried(shop: Shop) -> None:
    shop.compared()
    shop.desk.model.then(*["fine"] * 9)
    before = shop.open().user("ada").conversation().send("one").target
    assert promote(shop, to="canary") == ["shadow", "canary"]
    after = shop.open()  # or the test would wait for the second after which a file is looked at again
    seen = {after.user(f"user {n}").conversation().send("two").target for n in range(8)}
    assert (before, seen) == ("scripted:base", {"scripted:base", "scripted:tuned"})
    assert promote(shop) == ["promoted"]
    assert load(shop.path).routes["support"].serve == {"tuned": 1.0}
    states = {one.arm: one.state for one in promoting.standing(load(shop.path), "support")}
    assert states == {"base": "retired", "tuned": "promoted"}


def test_a_step_is_recorded_with_what_speaks_for_it(shop: Shop) -> None:
    shop.compared()
    promote(shop, why="wins on format", job="job_7")
    (step,) = promoting.steps(load(shop.path))
    assert (step.who, step.why, step.evaluation, step.dataset, step.job, step.target) == (
        *("grace", "wins on format", "evl_1", "datasets/dst_1", "job_7"),
        "scripted:tuned",
    )
    (change,) = serving.history(load(shop.path), 9)
    assert (change.key, change.after, change.why) == ("routes.support.shadow", '"tuned"', "wins on format")


def test_an_arm_that_is_worse_is_refused_with_the_file_as_it_was(shop: Shop) -> None:
    shop.compared("worse", "tuned is worse than base: format 0.9 -> 0.4")
    with pytest.raises(NotPromoted, match=r"format 0\.9 -> 0\.4") as refused:
        promote(shop, to="promoted")
    assert refused.value.reasons == ("evl_1: tuned is worse than base: format 0.9 -> 0.4",)
    assert shop.text == TEXT
    assert promoting.steps(load(shop.path)) == []


def test_force_goes_over_the_reasons_and_records_them(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="--why"):
        promote(shop, force=True)
    assert promote(shop, force=True, why="the old model is shut down tonight", to="promoted") == [
        *("shadow", "canary", "promoted")
    ]
    newest = next(one for one in promoting.steps(load(shop.path)) if one.arm == "tuned")
    assert [reason.split(":")[0] for reason in newest.refused] == [
        "'tuned' was not compared with 'base', which serves now",
        "as a canary it served 0 users, and 2 are needed",
    ]


def test_a_rollback_brings_back_what_served_before_at_once_and_in_running_conversations(shop: Shop) -> None:
    shop.compared()
    shop.desk.model.then("from tuned", "from base")
    promote(shop, to="promoted", force=True, why="it is small")
    chat = shop.open().user("ada").conversation()
    assert chat.send("one").target == "scripted:tuned"
    made, hold = promoting.rollback(shop.path, "support", "grace", "it invents prices")
    assert chat.send("two").target == "scripted:base"
    assert (made.arm, hold.arm, hold.why) == ("tuned", "base", "it invents prices")
    assert load(shop.path).routes["support"].serve == {"base": 1.0}
    assert [message.text for message in chat.messages()] == ["one", "from tuned", "two", "from base"]
    with pytest.raises(NotFound, match="nothing was promoted"):
        promoting.rollback(shop.path, "support", "grace")
    with pytest.raises(NotPromoted, match="held on 'base'"):
        promote(shop, to="canary")


def test_a_file_that_cannot_be_changed_does_not_keep_a_rollback_from_serving(shop: Shop) -> None:
    shop.compared()
    promote(shop, to="promoted", force=True, why="it is small")
    shop.path.write_text(shop.text.replace("[routes.support.arms.base]", "[routes.support.arms.old]"))
    with pytest.raises(SettingsError):
        promoting.rollback(shop.path, "support", "grace")
    assert [hold.arm for hold in serving.held(load(shop.path))] == ["base"]


def test_the_commands_say_what_was_done_and_give_machines_the_record(shop: Shop) -> None:
    refused = run("promote", "support", "tuned")
    assert (refused.exit_code, "was not compared with 'base'" in refused.stderr) == (1, True)
    shop.compared()
    assert run("promote", "support", "tuned").stdout == "support: tuned is at 'shadow' now, by evl_1\n"
    (step,) = json.loads(run("promote", "support", "tuned", "--by", "grace", "--json").stdout)
    assert (step["step"], step["who"], step["before"]) == (
        "canary",
        "grace",
        {"shares": {"base": 1.0}, "shadow": "tuned"},
    )
    assert [line.split("\t")[:4] for line in run("promote", "support").stdout.splitlines()] == [
        ["base", "promoted", "50%", ""],
        ["tuned", "canary", "50%", "canary"],
    ]
    assert run("promote", "nowhere").exit_code == 2
    assert run("rollback", "support", "--why", "prices").stdout == "support: tuned was rolled back, base serves\n"
    assert run("promote", "support", "nobody").exit_code == 2
    Path("persona.toml").unlink()
    assert run("promote", "support", "tuned").exit_code == 2
