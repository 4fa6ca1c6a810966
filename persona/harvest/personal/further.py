"""Personal data that presidio finds: what its recognisers know beside ours, and names, by a model of language.

presidio-analyzer is an extra, loaded on use. What it finds is replaced as everything else is. It may fetch nothing: a
model that is not installed is said so, where presidio itself would download it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, Literal

from persona.errors import SettingsError
from persona.harvest.personal.values import Finder, Known

PATTERNS = "patterns"
_KEY = "harvest.presidio"
_LEAST_SCORE = 0.5  # below, presidio's patterns are guesses that wait for words around them
_LONGEST = 20_000  # characters that are read at a time: models of language refuse a million
_KINDS: Mapping[str, Literal["name", "place", "organisation"]] = {
    "PERSON": "name",
    "LOCATION": "place",
    "ORGANIZATION": "organisation",
}
_WITHOUT = ("EmailRecognizer", "UrlRecognizer")  # they fetch a list of domains; ours find what those find
_NOT_PERSONAL = frozenset({"DATE_TIME", "URL", "NRP"})  # when, where on the web, and of what nation


def finders(wished: Sequence[str]) -> tuple[Finder, ...]:
    """What finds further, by the setting: "patterns", a spaCy model, or MODULE:NAME. Raises SettingsError."""
    return tuple(_finder(_engine(one)) for one in wished)


def versions(wished: Sequence[str]) -> str:
    """The version of what finds further, empty for nothing: another one may find other things."""
    return f"presidio-analyzer {version('presidio-analyzer')}" if wished else ""


def _finder(engine: Any) -> Finder:
    def find(text: str) -> Iterator[Known]:
        for start in range(0, len(text), _LONGEST):
            part = text[start : start + _LONGEST]
            for language in engine.supported_languages:
                for one in engine.analyze(text=part, language=language, score_threshold=_LEAST_SCORE):
                    said = part[one.start : one.end].strip()
                    if said and one.entity_type not in _NOT_PERSONAL:
                        yield Known(_KINDS.get(one.entity_type, "value"), said)

    return find


def _engine(wished: str) -> Any:
    try:
        presidio = import_module("presidio_analyzer")
    except ImportError as error:
        raise SettingsError(
            f"{_KEY} needs presidio-analyzer, which is not installed", hint="run pip install 'pypersona[presidio]'"
        ) from error
    if ":" in wished:
        return _given(wished)
    language, load = ("en", _blank) if wished == PATTERNS else (wished[:2], _model(wished))
    registry = presidio.RecognizerRegistry(supported_languages=[language])
    registry.load_predefined_recognizers(languages=[language])
    for name in _WITHOUT if wished != PATTERNS else (*_WITHOUT, "SpacyRecognizer"):
        registry.remove_recognizer(name)
    words = import_module("presidio_analyzer.nlp_engine").SpacyNlpEngine(
        models=[{"lang_code": language, "model_name": wished}]
    )
    words.nlp = {language: load()}
    return presidio.AnalyzerEngine(registry=registry, nlp_engine=words, supported_languages=[language])


def _blank() -> Any:
    return import_module("spacy").blank("en")


def _model(name: str) -> Callable[[], Any]:
    spacy = import_module("spacy")
    if not spacy.util.is_package(name):
        raise SettingsError(
            f"{_KEY} names {name!r}, which is no spaCy model that is installed",
            hint=f"run python -m spacy download {name}; or take {PATTERNS!r}, or an engine of your own, MODULE:NAME",
        )
    return lambda: spacy.load(name)


def _given(wished: str) -> Any:
    module, _, name = wished.partition(":")
    try:
        engine = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"{_KEY} names {wished!r}, which cannot be imported: {error}",
            hint="it takes MODULE:NAME of an AnalyzerEngine, or of a function that makes one",
        ) from error
    return engine if hasattr(engine, "analyze") else engine()
