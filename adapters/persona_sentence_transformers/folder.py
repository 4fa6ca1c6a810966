"""Where the files of a model are, and what they say before anything heavy is loaded."""

import json
import os
from pathlib import Path
from typing import Any

_LIBRARY = "sentence-transformers"
_MARK = "modules.json"  # every model of the library has one
_MODE = "pooling_mode_"  # one key for each, in models that were saved before version 6


def repository(model: str) -> str:
    """The id of a model on the hub; the library's own models may be written without its name."""
    return model if "/" in model else f"{_LIBRARY}/{model}"


def find(model: str) -> Path | None:
    """The folder of a model: the one that is named, or that in the hub's cache on this machine. No network is asked."""
    named = Path(model).expanduser()
    if named.is_dir():
        return named
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(
            repository(model), _MARK, cache_dir=os.environ.get("SENTENCE_TRANSFORMERS_HOME") or None
        )
    except HFValidationError:  # a folder that is not there is no id either
        return None
    return Path(found).parent if isinstance(found, str) else None


def dimension(folder: Path) -> int | None:
    """The length of a model's vectors as its files say; None where they do not."""
    try:
        sizes = [_size(folder, module) for module in json.loads((folder / _MARK).read_text(encoding="utf-8"))]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return next((size for size in reversed(sizes) if size), None)


def _size(folder: Path, module: dict[str, Any]) -> int:
    """What comes out of one step of a model; 0 for a step that leaves the length as it is, or does not say."""
    kind = module["type"].rpartition(".")[2]
    if kind not in ("Pooling", "Dense"):
        return 0
    config = json.loads((folder / module["path"] / "config.json").read_text(encoding="utf-8"))
    if kind == "Dense":
        return int(config["out_features"])
    if "embedding_dimension" in config:
        modes = config["pooling_mode"]
        return int(config["embedding_dimension"]) * (1 if isinstance(modes, str) else len(modes))
    chosen = sum(value is True for name, value in config.items() if name.startswith(_MODE))
    return int(config["word_embedding_dimension"]) * chosen
