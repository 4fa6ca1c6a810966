"""Personal data that presidio finds, by the real one: its patterns, an engine of the app, and what is missing."""

from pathlib import Path

import pytest
from harvest.harvested import examples_of, harvested, settings_of

from persona import Assistant, SettingsError
from persona.harvest.personal.further import finders
from persona.harvest.personal.mend import Mender
from persona.harvest.personal.values import Known
from persona.values.message import say

pytest.importorskip("presidio_analyzer", reason="pip install 'pypersona[presidio]'")
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.filterwarnings("default"),  # theirs
]
HEALTH = "943 476 5919"  # a number of the British health service, by its check digit


def test_what_its_patterns_find_is_replaced_in_question_and_reply(tmp_path: Path) -> None:
    settings = settings_of(f"sqlite:///{tmp_path / 'persona.db'}", harvest={"presidio": ["patterns"]})
    with Assistant.open(settings) as assistant:
        ada = assistant.user("ada")
        ada.consent(training=True)
        ada.conversation().send(f"What does the hospital do with my health number, {HEALTH}, when I move house?")
    outcome = harvested(settings, tmp_path / "out")
    assert outcome.settings["further"].startswith("presidio-analyzer 2")  # type: ignore[attr-defined]
    (told,) = [one["messages"] for one in examples_of(outcome)]
    asked, reply = (one["content"] for one in told[-2:])
    stand_in = asked.split("number, ")[1].split(", when")[0]
    assert HEALTH not in asked + reply
    assert [len(part) for part in stand_in.split()] == [3, 3, 4]


def test_an_engine_of_the_app_names_who_is_in_no_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app_engine.py").write_text(
        "from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult\n"
        "from presidio_analyzer.nlp_engine import SpacyNlpEngine\n"
        "import spacy\n"
        "class Hopper(EntityRecognizer):\n"
        "    def load(self): pass\n"
        "    def analyze(self, text, entities, nlp_artifacts=None):\n"
        "        at = text.find('Grace Hopper')\n"
        "        return [RecognizerResult('PERSON', at, at + 12, .9)] if at >= 0 else []\n"
        "def made():\n"
        "    words = SpacyNlpEngine(models=[{'lang_code': 'en', 'model_name': 'blank'}])\n"
        "    words.nlp = {'en': spacy.blank('en')}\n"
        "    known = RecognizerRegistry([Hopper(supported_entities=['PERSON'])], supported_languages=['en'])\n"
        "    return AnalyzerEngine(registry=known, nlp_engine=words)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (find,) = finders(["app_engine:made"])
    assert list(find("Has Grace Hopper called?")) == [Known("name", "Grace Hopper")]
    messages = [say("user", "Has Grace Hopper called?"), say("assistant", "Yes, Grace Hopper called at 5.")]
    asked, told = (one.text for one in Mender(further=[find]).mend(messages, [False, True], (), ("US",)).messages)
    assert asked.removeprefix("Has ").removesuffix(" called?") == told.removeprefix("Yes, ").removesuffix(
        " called at 5."
    )
    assert "Hopper" not in asked


def test_a_model_that_is_not_installed_is_said_so_and_not_fetched() -> None:
    with pytest.raises(SettingsError, match="spacy download xx_no_such_model"):
        finders(["xx_no_such_model"])


@pytest.mark.parametrize("wished", ["no_such_module:engine", "json:engine"])
def test_an_engine_that_cannot_be_imported_is_said_so(wished: str) -> None:
    with pytest.raises(SettingsError, match="MODULE:NAME"):
        finders([wished])
