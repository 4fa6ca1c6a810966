"""Examples are rendered as the arm that will serve would be asked: with its prompts, and what is remembered or not."""

from pathlib import Path
from typing import Any

import pytest
from harvest.harvested import examples_of, harvested, rows_of, settings_of, taken
from harvest.talked import Talk, made_of

from persona import Assistant
from persona.harvest.mending import known_of, regions_of
from persona.settings import Settings
from persona.values.memory import Fact
from persona.values.owner import Traits

ROUTE = {
    "target": "embedded:extractive-1",
    "instructions": "You answer for the shop.",
    "shots": {"items": [{"user": "Do you sell lamps of blown glass?", "assistant": "Yes, on the second floor."}]},
    "arms": {"tuned": {"target": "embedded:extractive-1", "instructions": "Shop."}},
}


def settings(folder: Path, **harvest: Any) -> Settings:
    route = {**ROUTE, "arms": {"base": {"target": ROUTE["target"]}, **ROUTE["arms"]}}  # type: ignore[dict-item]
    del route["target"]
    return settings_of(f"sqlite:///{folder / 'persona.db'}", routes={"default": route}, harvest=harvest)


@pytest.fixture(autouse=True)
def _chats(tmp_path: Path) -> None:
    with Assistant.open(settings(tmp_path)) as assistant:
        ada = assistant.user("ada")
        ada.consent(training=True)
        ada.remember("prefers the tram over the bus on rainy mornings", kind="preference")
        ada.conversation().send("Do I like the tram or the bus on rainy mornings?")
        ada.conversation().send("Do you sell lamps of blown glass?")


def test_an_example_has_the_arms_prompts_and_memory_and_no_shots(tmp_path: Path) -> None:
    outcome = harvested(settings(tmp_path), tmp_path / "out", raw=False)
    assert taken(outcome)["held out"] == 1, "what a shot asks"
    (one,) = examples_of(outcome)
    assert [message["role"] for message in one["messages"]] == ["system", "system", "user", "assistant"]
    assert one["messages"][0]["content"] == "You answer for the shop."
    assert "prefers the tram over the bus" in one["messages"][1]["content"]
    assert "blown glass" not in str(one)


def test_another_arm_brings_its_own_prompts(tmp_path: Path) -> None:
    from persona.harvest.recipe import Selection
    from persona.harvest.run import Asked, harvest
    from persona.store.engine import Database

    chosen = settings(tmp_path)
    database = Database(chosen.database_url)
    try:
        asked = Asked(Selection("default"), ("trl",), tmp_path / "out", arm="tuned")
        outcome = harvest(chosen, asked, database, 2 * 10**15, lambda one: None)
    finally:
        database.close()
    assert examples_of(outcome)[0]["messages"][0]["content"] == "Shop."


@pytest.mark.parametrize(("system", "shown"), [("short", ["Be brief."]), ("drop", [])])
def test_the_system_prompts_are_replaced_or_dropped(tmp_path: Path, system: str, shown: list[str]) -> None:
    chosen = settings(tmp_path, system=system, short_system="Be brief.")
    (one,) = examples_of(harvested(chosen, tmp_path / "out", raw=False))
    prompts = [message["content"] for message in one["messages"] if message["role"] == "system"]
    assert [text for text in prompts if "<profile>" not in text] == shown


@pytest.mark.parametrize("raw", [False, True])
def test_a_reply_that_used_memory_is_dropped_where_memory_is_not_shown(tmp_path: Path, raw: bool) -> None:
    chosen = settings(tmp_path, memory="strip", exclude=["none.txt"])
    (tmp_path / "none.txt").write_text("nothing\n")
    chosen._folder = tmp_path
    with Assistant.open(chosen) as assistant:
        assistant.user("ada").conversation().send("Which paint dries fastest on an oak table, please?")
    outcome = harvested(chosen, tmp_path / "out", raw=raw)
    dropped = [row["dropped"] for row in rows_of(outcome) if "dropped" in row]
    assert "memory" in dropped
    assert all("tram" not in str(one) for one in examples_of(outcome))


@pytest.mark.parametrize("raw", [False, True])
def test_what_was_said_without_consent_is_not_shown_as_a_memory_and_no_reply_that_used_it_is_learnt(
    tmp_path: Path, raw: bool
) -> None:
    chosen = settings(tmp_path)
    with Assistant.open(chosen) as assistant:
        bob = assistant.user("bob")
        bob.conversation().send("My violin teacher Marguerite lives above the chocolate factory.")
        assistant.drain()
        bob.consent(training=True)
        chat = bob.conversation()
        chat.send("Where does my violin teacher live?")
        chat.send("Which paint dries fastest on an oak table, please?")
    outcome = harvested(chosen, tmp_path / "out", raw=raw)
    assert "chocolate" not in str(examples_of(outcome))
    bobs = [row for row in rows_of(outcome) if row["owner"] == 2]
    assert [row.get("dropped") for row in bobs] == [None, "consent", "consent"]
    assert "Marguerite" not in Path(outcome.path, "manifest.json").read_text()


def test_an_earlier_reply_of_a_conversation_that_used_memory_carries_no_loss(tmp_path: Path) -> None:
    chosen = settings(tmp_path, rows="conversation", system="drop")
    with Assistant.open(chosen) as assistant:
        bob = assistant.user("bob")
        bob.consent(training=True)
        bob.conversation().send("My violin teacher Marguerite lives above the chocolate factory.")
        assistant.drain()
        chat = bob.conversation()
        chat.send("Where does my violin teacher live?")
        chat.send("Which paint dries fastest on an oak table, please?")
    outcome = harvested(chosen, tmp_path / "out", "openai", raw=False)
    (one,) = [one for one in examples_of(outcome, "openai") if "paint" in str(one)]
    replies = [message for message in one["messages"] if message["role"] == "assistant"]
    assert "Marguerite" in replies[0]["content"]
    assert [message.get("weight") for message in replies] == [0, None]
    assert "memory" in [row.get("dropped") for row in rows_of(outcome)]


def test_a_file_of_held_out_examples_keeps_its_questions_out(tmp_path: Path) -> None:
    (tmp_path / "held.txt").write_text("do I like the tram, or the bus, on rainy mornings\n")
    chosen = settings(tmp_path, exclude=["held.txt"])
    chosen._folder = tmp_path
    with Assistant.open(chosen) as assistant:
        assistant.user("ada").conversation().send("Which paint dries fastest on an oak table, please?")
    outcome = harvested(chosen, tmp_path / "out", raw=False)
    assert taken(outcome)["held out"] == 2
    assert outcome.funnel.kept == 1


def test_what_the_profile_holds_tells_who_somebody_is() -> None:
    facts = tuple(
        Fact(f"fct_{at}", f"{slot}: {value}", slot=slot, value=value)
        for at, (slot, value) in enumerate(
            [("city", "Lyon"), ("employer", "Acme"), ("first_name", "Zoé"), ("contract", "K-4471"), ("diet", "vegan"),
             ("children", ["Ana", "7 years"])]
        )
    )  # fmt: skip
    logged = Talk().logged(facts=facts, traits=Traits("Zoé Martin", "fr-FR"))
    assert [(one.kind, one.text) for one in known_of(logged)] == [
        ("name", "Zoé Martin"),
        ("place", "Lyon"),
        ("organisation", "Acme"),
        ("name", "Zoé"),
        ("value", "K-4471"),
        ("value", "7 years"),
    ]


@pytest.mark.parametrize(
    ("locale", "regions"), [("fr-CA", ("CA",)), ("fr", ("FR",)), ("en", ("US", "GB")), ("de_AT", ("AT",)), ("", ())]
)
def test_a_locale_tells_where_somebody_is(locale: str, regions: tuple[str, ...]) -> None:
    assert regions_of(locale) == regions


def test_an_example_knows_the_results_of_tools_as_what_it_rests_on() -> None:
    talk = Talk()
    talk.say("what is it?", "42", rounds=True)
    (one,) = made_of(talk).examples
    assert one.sources == ("it is 42",)
