"""The model that a run starts from: where its files are, and whether they can be trained. No network is asked."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from persona.errors import BadRequest, ModelNotFound
from persona.values.tuning import TuningCard

CONFIG = "config.json"
_WRITERS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model")


def card(model: str) -> TuningCard | None:
    """What is known of tuning a model here; None for one that is not on this machine."""
    if find(model) is None:
        return None
    return TuningCard(
        base_model=model,
        methods=("sft", "dpo"),
        format="trl-prompt-completion",
        preference_format="trl-preference",
        training_price=0.0,
        idle_price=0.0,
        source="this machine: nobody sends a bill",
        checked="2026-11-21",
    )


def find(model: str) -> Path | None:
    """The folder of a model: the one that is named, or that in the hub's cache on this machine."""
    named = Path(model).expanduser()
    if named.is_dir():
        return named.resolve()
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, CONFIG)
    except HFValidationError:  # a folder that is not there is no id either
        return None
    return Path(found).parent if isinstance(found, str) else None


def trainable(model: str) -> Path:
    """The folder of a model that can be trained.

    Raises ModelNotFound where it is not on this machine, BadRequest where its files cannot be trained.
    """
    folder = find(model)
    if folder is None:
        raise ModelNotFound(
            f"trl:{model}: no folder is called so, and the hub's cache on this machine holds no such model",
            hint=f"name its folder, or run `hf download {model}` where there is a network",
            target=f"trl:{model}",
        )
    for problem, hint in _problems(folder):
        raise BadRequest(f"trl:{model}: {problem}", hint=hint, target=f"trl:{model}")
    return folder


def _problems(folder: Path) -> list[tuple[str, str]]:
    """What stands against training, and what to do about it; the first is the one to tell."""
    if (folder / "adapter_config.json").is_file():
        return [("it is a LoRA adapter and no whole model", "merge it into its base first")]
    config = _json(folder / CONFIG)
    if config is None:
        return [(f"its {CONFIG} is missing or damaged", "name the folder of a model in the form of transformers")]
    found = []
    made = [str(name) for name in config.get("architectures") or ()]
    if config.get("is_encoder_decoder") or not any(name.endswith(_WRITERS) for name in made):
        found.append((f"it writes no text ({', '.join(made) or 'no architecture'})", "choose a chat model"))
    if "quantization_config" in config:
        found.append(("its weights are quantized", "name the model as it was before it was quantized"))
    if not any(any(folder.glob(pattern)) for pattern in _WEIGHTS):
        found.append(("its weights are not there", "fetch its safetensors; GGUF files cannot be trained"))
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        found.append(("its tokenizer is not there", f"fetch its {_TOKENIZERS[0]}"))
    elif not _has_chat_template(folder):
        hint = "use its instruct version, or put a chat_template.jinja into the folder"
        found.append(("it has no chat template: it does not know turns", hint))
    return found


def _has_chat_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file():
        return True
    return bool((_json(folder / "tokenizer_config.json") or {}).get("chat_template"))


def _json(path: Path) -> dict[str, Any] | None:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return read if isinstance(read, dict) else None
