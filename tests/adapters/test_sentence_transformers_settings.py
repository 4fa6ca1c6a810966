"""What the sentence-transformers adapter says before its library is loaded, or where that is not installed."""

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from persona_sentence_transformers import adapter
from persona_sentence_transformers.folder import dimension
from persona_sentence_transformers.options import options_of

from persona import Assistant
from persona.adapter import COSINE_FLOOR, ENTRY_POINTS, Provider
from persona.errors import AdapterMissing, SettingsError

POOLING = {"embedding_dimension": 8, "pooling_mode": "mean"}
OLDER = {"word_embedding_dimension": 8, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}


def model_of(folder: Path, **modules: dict[str, Any]) -> Path:
    """A model's folder with the modules' settings, and no weights."""
    listed = [{"idx": at, "path": f"{at}_{kind}", "type": f"library.models.{kind}"} for at, kind in enumerate(modules)]
    (folder / "modules.json").write_text(json.dumps(listed), encoding="utf-8")
    for module, config in zip(listed, modules.values(), strict=True):
        (folder / str(module["path"])).mkdir()
        (folder / str(module["path"]) / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_the_entry_point_loads_the_adapter_which_only_embeds() -> None:
    (entry,) = entry_points(group=ENTRY_POINTS, name="sentence-transformers")
    assert entry.load() is adapter
    assert (adapter.chat, adapter.needs_key, adapter.sends_outside) == (None, False, False)


def test_without_the_library_an_assistant_does_not_open_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    config = tmp_path / "persona.toml"
    config.write_text('[memory]\nembedder = "sentence-transformers:some/model"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AdapterMissing) as caught, Assistant.open(config) as assistant:
        assistant.user("ada").remember("vegetarian")
    assert caught.value.hint == "run pip install 'pypersona[sentence-transformers]'"


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ({"Transformer": {}, "Pooling": POOLING, "Normalize": {}}, 8),
        ({"Transformer": {}, "Pooling": POOLING | {"pooling_mode": ["mean", "cls"]}}, 16),
        ({"Transformer": {}, "Pooling": OLDER, "Normalize": {}}, 8),
        ({"Transformer": {}, "Pooling": OLDER | {"pooling_mode_cls_token": True}}, 16),
        ({"Transformer": {}, "Pooling": POOLING, "Dense": {"in_features": 8, "out_features": 3}}, 3),
        ({"StaticEmbedding": {}}, None),
        ({"Transformer": {}, "Pooling": {}}, None),
    ],
)
def test_the_dimension_is_what_the_last_step_that_changes_it_says(
    modules: dict[str, dict[str, Any]], said: int | None, tmp_path: Path
) -> None:
    assert dimension(model_of(tmp_path, **modules)) == said


@pytest.mark.parametrize("written", ["", "{", "{}", "[1]", '[{"type": "x.Pooling", "path": "gone"}]'])
def test_files_that_are_none_say_no_dimension(written: str, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text(written, encoding="utf-8")
    assert dimension(tmp_path) is None


def test_options_are_off_when_they_are_left_out() -> None:
    options = options_of(Provider("local", "sentence-transformers"))
    assert (options.download, options.cosine_floor) == (False, COSINE_FLOOR)
    chosen = {"download": "yes", "cosine_floor": "0.7"}
    options = options_of(Provider("local", "sentence-transformers", options=chosen))
    assert (options.download, options.cosine_floor) == (True, 0.7)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dowload": "yes"}, "'dowload', which its adapter does not take"),
        ({"download": "true"}, "'download', 'true'"),
        ({"cosine_floor": "high"}, "'cosine_floor', 'high'"),
        ({"cosine_floor": "nan"}, "'cosine_floor', 'nan'"),
        ({"cosine_floor": "1.5"}, "'cosine_floor', '1.5'"),
    ],
)
def test_an_option_that_is_wrong_is_a_settings_error(options: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        options_of(Provider("local", "sentence-transformers", options=options))
