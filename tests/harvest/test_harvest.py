"""A harvest from start to end: chats with the embedded model become files, and what was taken out is told."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import programs
import pytest
from harvest import boundary
from harvest.harvested import LATER, everything, examples_of, harvested, rows_of, settings_of, taken
from harvest.logged import write_log

from persona import Assistant, InvalidInput, NotFound, SettingsError
from persona.errors import DatasetChanged, DatasetError, NothingLeft
from persona.harvest import manifest, shelved
from persona.harvest.run import Progress
from persona.reports.verdict import verdict
from persona.settings import Settings
from persona.store import datasets
from persona.store.engine import Database


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'persona.db'}"


@pytest.fixture
def settings(url: str) -> Settings:
    return settings_of(url)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A log of 400 conversations of 60 users."""
    return settings_of(write_log(tmp_path_factory.mktemp("many") / "persona.db", 400, turns=1, users=60))


def talk(settings: Settings, *names: str, consent: bool | None = True) -> None:
    """Some users say who they are, and ask something."""
    with Assistant.open(settings) as assistant:
        for name in names:
            user = assistant.user(name)
            user.address(name.title(), locale="fr-FR")
            if consent is not None:
                user.consent(training=consent)
            chat = user.conversation()
            chat.send(f"I am {name.title()}, my mail is {name}@mail.fr, and I would like to know about {name} things")
            chat.send(f"When does the shop of {name} street open on days of {name}?")


def registered(settings: Settings) -> list[str]:
    database = Database(settings.database_url)
    try:
        return [f"{one.state} {one.id}" for one in database.run_now(datasets.listing, write=False)]
    finally:
        database.close()


def rewritten(settings: Settings, id: str) -> shelved.Rewritten:
    database = Database(settings.database_url)
    try:
        return shelved.without_erased(database, shelved.found(database, id), LATER)
    finally:
        database.close()


def test_chats_become_files_with_a_manifest_and_a_card(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", "bob")
    outcome = harvested(settings, tmp_path / "out", raw=False)
    folder = tmp_path / "out" / outcome.id
    told = json.loads((folder / "manifest.json").read_text())
    assert outcome.path == str(folder)
    assert (told["id"], told["funnel"]["kept"], outcome.funnel.exchanges) == (outcome.id, outcome.funnel.kept, 4)
    assert outcome.funnel.kept == len(examples_of(outcome)) > 0
    for path, one in told["files"].items():
        data = (folder / path).read_bytes()
        assert one == {"sha256": sha256(data).hexdigest(), "bytes": len(data), "examples": data.count(b"\n")}
    assert outcome.id in (folder / "card.md").read_text()
    assert registered(settings) == [f"ready {outcome.id}"]
    assert not (tmp_path / "out" / ".work").exists()


def test_personal_data_is_nowhere_in_the_files(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", "zebulon")
    outcome = harvested(settings, tmp_path / "out", raw=False)
    assert outcome.funnel.kept
    mended = {one.name: one.mended for one in outcome.funnel.checks if one.mended}
    assert mended["personal: email"] >= 2
    for path in Path(outcome.path).rglob("*.*"):
        text = path.read_text()
        assert "ada@mail.fr" not in text
        assert "Zebulon" not in text


def test_only_users_who_agreed_are_taken(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada")
    talk(settings, "bob", consent=None)
    talk(settings, "carl", consent=False)
    outcome = harvested(settings, tmp_path / "out")
    assert taken(outcome)["consent"] == 4
    assert {row["owner"] for row in rows_of(outcome) if "side" in row} == {1}
    assert "agreed to training" in (Path(outcome.path) / "card.md").read_text()


def test_whoever_withdraws_is_left_out_of_the_next_one(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", "bob")
    with Assistant.open(settings) as assistant:
        assistant.user("ada").consent(training=False)
    outcome = harvested(settings, tmp_path / "out")
    assert {row["owner"] for row in rows_of(outcome) if "side" in row} == {2}


def test_without_required_consent_the_manifest_and_the_card_say_so(url: str, tmp_path: Path) -> None:
    settings = settings_of(url, harvest={"consent": "not_required"})
    talk(settings, "bob", consent=None)
    outcome = harvested(settings, tmp_path / "out")
    assert outcome.funnel.kept
    assert "another legal ground" in manifest.read(Path(outcome.path))["consent"]
    assert "another legal ground" in (Path(outcome.path) / "card.md").read_text()


def test_no_user_and_no_like_examples_lie_on_two_sides(many: Settings, tmp_path: Path) -> None:
    outcome = harvested(many, tmp_path / "out")
    assert all(side.examples for side in outcome.sides)
    assert boundary.crossing_users(Path(outcome.path)) == []
    assert boundary.crossing_examples(Path(outcome.path), "trl") == []
    done = programs.run([boundary.__file__, str(outcome.path)])
    assert done.stdout.startswith("0 users and 0 pairs")


def test_the_look_at_the_boundary_finds_what_was_planted(many: Settings, tmp_path: Path) -> None:
    outcome = harvested(many, tmp_path / "out")
    folder = Path(outcome.path)
    train, test = folder / "trl" / "train.jsonl", folder / "trl" / "test.jsonl"
    test.write_text(test.read_text() + train.read_text().splitlines()[5] + "\n")
    rows = (folder / "rows.jsonl").read_text()
    (folder / "rows.jsonl").write_text(rows + rows.splitlines()[0].replace('"side":"', '"side":"x'))
    assert len(boundary.crossing_examples(folder, "trl")) == 1
    assert len(boundary.crossing_users(folder)) == 1


def test_growth_moves_no_example_to_another_side(tmp_path: Path) -> None:
    sides = []
    for number, conversations in enumerate((60, 120)):
        url = write_log(tmp_path / f"{number}.db", conversations, turns=1, users=30)
        outcome = harvested(settings_of(url), tmp_path / f"out{number}")
        sides.append({row["example"]: row["side"] for row in rows_of(outcome) if "side" in row})
    small, large = sides
    both = small.keys() & large.keys()
    assert len(both) > 30
    assert all(small[one] == large[one] for one in both)


def test_a_holdout_by_time_tests_on_what_came_later_and_on_nobody_else(many: Settings, tmp_path: Path) -> None:
    moment = 1_760_000_000_000_000 + 300 * 60 * 1_000_000
    outcome = harvested(many, tmp_path / "out", holdout_us=moment)
    rows = [row for row in rows_of(outcome) if "side" in row]
    late = {row["conversation"] > 299 for row in rows if row["side"] == "test"}
    assert late == {True}
    assert {row["conversation"] > 299 for row in rows if row["side"] != "test"} == {False}
    assert boundary.crossing_users(Path(outcome.path)) == []
    assert taken(outcome)["holdout"] > 0


def test_files_are_cut_into_shards_that_hold_everything_once(many: Settings, tmp_path: Path) -> None:
    whole = harvested(many, tmp_path / "one")
    cut = many.model_copy(update={"harvest": many.harvest.model_copy(update={"shard_examples": 50})})
    outcome = harvested(cut, tmp_path / "many")
    names = sorted(path.name for path in (Path(outcome.path) / "trl").glob("train*"))
    assert names[0] == f"train-00001-of-{len(names):05d}.jsonl"
    assert len(names) > 3
    assert (
        b"".join((Path(outcome.path) / "trl" / name).read_bytes() for name in names)
        == (Path(whole.path) / "trl" / "train.jsonl").read_bytes()
    )


def test_every_exchange_is_told_of_once(many: Settings, tmp_path: Path) -> None:
    outcome = harvested(many, tmp_path / "out")
    rows = rows_of(outcome)
    assert Counter(row.get("example") or row["exchange"] for row in rows).most_common(1)[0][1] == 1
    assert len(rows) == 400
    assert sum("side" in row for row in rows) == outcome.funnel.kept == sum(side.examples for side in outcome.sides)
    assert not {"text", "user", "name", "question"} & {key for row in rows for key in row}


def test_a_run_that_finds_its_place_taken_says_so(many: Settings, tmp_path: Path) -> None:
    outcome = harvested(many, tmp_path / "out")
    path = Path(outcome.path) / "trl" / "train.jsonl"
    path.write_text("something else")
    with pytest.raises(DatasetError, match="is not what it was"):
        harvested(many, tmp_path / "out")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInput, match="is a file"):
        harvested(many, tmp_path / "file")


def test_what_a_consumer_would_refuse_the_files_for_is_told(many: Settings, settings: Settings, tmp_path: Path) -> None:
    outcome = harvested(many, tmp_path / "many", "trl", "mistral")
    trl, mistral = outcome.formats
    (problem,) = mistral.problems
    assert not trl.problems
    assert problem.startswith("the validation file is too large (")
    assert any(one.what.startswith("mistral would be refused: the validation file") for one in verdict(outcome).advice)
    talk(settings, "ada")
    (few,) = harvested(settings, tmp_path / "few", "openai").formats
    assert few.problems == ("the file has too few good rows (2 rows): at least 10 are wanted",)


def test_a_full_disk_is_named_and_what_is_done_stays(many: Settings, tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from harvest.harvested import harvested, settings_of\n"
        "from persona.assistant.harvesting import Wish, try_out\n"
        "settings = settings_of(sys.argv[1], harvest={'processes': 1})\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "sys.dont_write_bytecode = True\n"  # the limit would cut compiled modules too, for everybody after it
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "try:\n"
        "    harvested(settings, Path(sys.argv[2]), chunk_keys=100)\n"
        "finally:\n"
        "    try_out(settings, Wish())\n"
    )
    done = programs.run(["-c", code, many.store.url, str(tmp_path / "out")])
    assert "NoRoom: there is no room left on the disk; what is done stays" in done.stderr
    assert "where a dry run has its files" in done.stderr.splitlines()[-1]
    assert harvested(many, tmp_path / "out", chunk_keys=100).funnel.kept


def test_a_route_or_format_or_arm_that_is_not_there_is_refused(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada")
    with pytest.raises(NotFound, match="no route named 'support'"):
        harvested(settings, tmp_path, route="support")
    with pytest.raises(InvalidInput, match="no format 'trk'"):
        harvested(settings, tmp_path, "trk")
    with pytest.raises(SettingsError, match=r"harvest\.liked_from"):
        harvested(settings, tmp_path, "trl-unpaired")


def test_nothing_left_names_the_checks(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", consent=None)
    with pytest.raises(NothingLeft, match="no example is left of 2 exchanges; taken out: 2 by 'consent'"):
        harvested(settings, tmp_path / "out")


def test_what_was_erased_since_an_interrupted_run_is_not_gone_on_with(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", "bob")
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        _interrupted(settings, out)
    assert list(out.glob(".work/*/chunks/0*"))
    with Assistant.open(settings) as assistant:
        assistant.user("ada").erase()
    outcome = harvested(settings, out)
    assert {row["owner"] for row in rows_of(outcome)} == {2}


@pytest.mark.parametrize("withdraws", [False, True])
def test_whoever_is_erased_or_withdraws_while_it_runs_is_left_out(
    settings: Settings, tmp_path: Path, withdraws: bool
) -> None:
    talk(settings, "ada", "bob")

    def leave() -> None:
        with Assistant.open(settings) as assistant:
            if withdraws:
                assistant.user("ada").consent(training=False)
            else:
                assistant.user("ada").erase()

    outcome = harvested(settings, tmp_path / "out", seen=WhenRead(leave))
    assert {row["owner"] for row in rows_of(outcome) if "side" in row} == {2}
    assert taken(outcome)["erased meanwhile"] > 0
    assert not next(one for one in outcome.funnel.checks if one.name == "erased meanwhile").samples
    assert registered(settings) == [f"ready {outcome.id}"]


def _interrupted(settings: Settings, out: Path) -> None:
    def leave() -> None:
        raise KeyboardInterrupt

    harvested(settings, out, seen=WhenRead(leave))


class WhenRead(list[Progress]):
    """Follows a run, and does something once everything is read."""

    def __init__(self, do: Callable[[], None]) -> None:
        super().__init__()
        self._do = do

    def append(self, one: Progress) -> None:
        if (one.step, one.done) == ("comparing", 0):
            self._do()


def test_erasing_a_user_names_the_dataset_and_rewriting_takes_them_out(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", "bob")
    outcome = harvested(settings, tmp_path / "out", "trl", "autotrain", "text")
    with Assistant.open(settings) as assistant:
        receipt = assistant.user("ada").erase()
    assert receipt.datasets == (outcome.id,)
    assert any(f"persona datasets rewrite {outcome.id} --without-erased" in one for one in receipt.remains)
    before = examples_of(outcome)
    made = rewritten(settings, outcome.id)
    assert (made.kept, made.taken) == (2, outcome.funnel.kept - 2)
    after = replace(outcome, id=made.id, path=made.path)
    assert {row["owner"] for row in rows_of(after)} == {2}
    assert [one for one in before if one in examples_of(after)] == examples_of(after)
    assert len(examples_of(after)) == 2
    manifest.check(Path(made.path), manifest.read(Path(made.path)))
    assert [path.name for path in Path(outcome.path).iterdir()] == ["manifest.json"]
    assert manifest.read(Path(outcome.path))["replaced_by"] == made.id
    assert set(registered(settings)) == {f"replaced {outcome.id}", f"ready {made.id}"}
    with Assistant.open(settings) as assistant:
        assert assistant.user("bob").erase().datasets == (made.id,)


def test_a_rewritten_dataset_has_a_report_and_a_card_that_know_nothing_of_whoever_was_erased(
    settings: Settings, tmp_path: Path
) -> None:
    talk(settings, "ada", "bob")
    with Assistant.open(settings) as assistant:
        for name, hour in (("ada", 7), ("bob", 9)):
            chat = assistant.user(name).conversation()
            reply = chat.send("When does the swimming pool at the harbour open on Sundays?")
            chat.correct(reply.id, f"The pool opens at {hour} on Sundays.")
    outcome = harvested(settings, tmp_path / "out", users=("ada", "bob"))
    assert taken(outcome)["contradiction"] == 1
    assert "pool opens at 7" in (Path(outcome.path) / "report.html").read_text()
    with Assistant.open(settings) as assistant:
        assistant.user("ada").erase()
    made = Path(rewritten(settings, outcome.id).path)
    told = manifest.read(made)
    manifest.check(made, told)
    texts = {path.name: path.read_text(encoding="utf-8") for path in made.rglob("*") if path.is_file()}
    assert {"manifest.json", "card.md", "report.html", "rows.jsonl"} < texts.keys()
    assert "contradictions.jsonl" not in "".join(texts)
    for name, text in texts.items():
        assert not [word for word in ("ada", "Ada", "opens at 7", "07:00") if word in text], name
    assert "swimming pool" in texts["report.html"]
    assert "written again without what was erased" in texts["report.html"]
    assert f"# Dataset {made.name}" in texts["card.md"]
    assert told["rewritten_from"] == outcome.id
    assert sum(one["examples"] for one in told["sides"]) == told["funnel"]["kept"] == 3
    assert [(one["name"], one["number"]) for one in told["funnel"]["checks"]][-1][0] == "erased since"
    assert '"ada"' not in (Path(outcome.path) / "manifest.json").read_text(encoding="utf-8")


def test_rewriting_after_an_erased_conversation_takes_its_examples_alone(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", "bob")
    talk(settings, "ada")
    outcome = harvested(settings, tmp_path / "out")
    kept = outcome.funnel.kept
    with Assistant.open(settings) as assistant:
        first = assistant.user("ada").conversations().conversations[-1].id
        assert assistant.user("ada").conversation(first).erase().datasets == (outcome.id,)
    made = rewritten(settings, outcome.id)
    assert 0 < made.taken <= 2
    assert made.kept == kept - made.taken


def test_rewriting_takes_out_whoever_has_withdrawn_and_follows_a_merge(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", "bob", "visitor")
    outcome = harvested(settings, tmp_path / "out")
    with Assistant.open(settings) as assistant:
        assistant.user("visitor").merge_into("carl")
        assistant.user("ada").consent(training=False)
    owned = Counter(row["owner"] for row in rows_of(outcome) if "side" in row)
    made = rewritten(settings, outcome.id)
    assert (made.taken, made.kept) == (owned[1], owned[2] + owned[3])
    with Assistant.open(settings) as assistant:
        assert assistant.user("carl").erase().datasets == (made.id,)
    assert rewritten(settings, made.id).kept == owned[2] > 0


def test_rewriting_changes_nothing_when_nothing_was_erased(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", "bob")
    outcome = harvested(settings, tmp_path / "out")
    before = everything(tmp_path / "out")
    assert rewritten(settings, outcome.id).id == outcome.id
    assert everything(tmp_path / "out") == before


def test_nothing_stays_when_everybody_is_erased(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada")
    outcome = harvested(settings, tmp_path / "out")
    with Assistant.open(settings) as assistant:
        assistant.user("ada").erase()
    assert rewritten(settings, outcome.id) == shelved.Rewritten("", "", 0, outcome.funnel.kept)
    assert everything(tmp_path / "out").keys() == {f"{outcome.id}/manifest.json"}


def test_two_datasets_are_compared(many: Settings, tmp_path: Path) -> None:
    one = harvested(many, tmp_path / "out")
    moved = {"split": {"train": 0.9, "validation": 0.05, "test": 0.05, "seed": 5}, "min_reply_chars": 100}
    other = harvested(settings_of(many.store.url, harvest=moved), tmp_path / "out", until_us=_at(300))
    found = shelved.difference(Path(one.path), Path(other.path))
    assert found.settings["settings.split.seed"] == (0, 5)
    assert found.both + found.only_first == one.funnel.kept
    assert found.both + found.only_second == other.funnel.kept
    assert found.moved > 0
    assert found.only_first == 101


def test_a_dataset_that_was_taken_away_is_not_compared(settings: Settings, tmp_path: Path) -> None:
    talk(settings, "ada", "bob")
    outcome = harvested(settings, tmp_path / "out")
    with Assistant.open(settings) as assistant:
        assistant.user("ada").erase()
    new = rewritten(settings, outcome.id)
    with pytest.raises(DatasetChanged) as told:
        shelved.difference(Path(outcome.path), Path(new.path))
    assert told.value.hint == f"compare {new.id}, which stands for it"


def _at(conversation: int) -> int:
    return int(datetime.fromtimestamp(1_760_000_000 + 60 * conversation, UTC).timestamp()) * 1_000_000
