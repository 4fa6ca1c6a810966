"""What each tool is given: pure functions from a run to the text of its config."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from persona.values.tuning import Training
from persona_recipes.cells import notebook
from persona_recipes.options import Options


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be trained, and how."""

    training: Training
    options: Options
    epochs: int

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.options.rate(self.training.method)

    @property
    def evaluates(self) -> bool:
        """Whether there is a file for validation."""
        return self.training.validation is not None


@dataclass(frozen=True, slots=True)
class Recipe:
    """The name of a tool's config, how the files of its dataset are called, and its text.

    `command` reads the config; `todo` is what a person does in the job's folder.
    """

    config: str
    sides: tuple[str, str]
    text: Callable[[Run], str]
    command: Callable[[Run], str] | None = None
    todo: str = "sh run.sh"


def _axolotl(run: Run) -> str:
    """Axolotl 0.19.0: `axolotl train`. Loss on every reply, with the end of its turn."""
    options, preferences = run.options, run.training.method == "dpo"
    chat = {"type": "chat_template", "field_messages": "messages", "roles_to_train": ["assistant"]}
    pairs = {"type": "chat_template.default", "field_messages": "prompt"}  # beside it: chosen, rejected
    kind: Json = pairs if preferences else chat
    config = {
        "base_model": run.training.base_model,
        "chat_template": "tokenizer_default",
        **({"rl": "dpo", "rl_beta": options.beta} if preferences else {}),
        "datasets": [{"path": "data/train.jsonl", "ds_type": "json", "split": "train", **kind}],
        **(
            {
                "test_datasets": [{"path": "data/validation.jsonl", "ds_type": "json", "split": "train", **kind}],
                "evals_per_epoch": 4,
            }
            if run.evaluates
            else {}
        ),
        "output_dir": "./result",
        "adapter": "lora",
        "lora_r": options.lora_r,
        "lora_alpha": options.lora_alpha,
        "lora_target_linear": True,
        "sequence_len": options.max_length,
        "micro_batch_size": 1,
        "gradient_accumulation_steps": options.batch_size,
        "num_epochs": run.epochs,
        "optimizer": "adamw_torch",
        "lr_scheduler": "cosine",
        "learning_rate": run.rate,
        "warmup_ratio": 0.05,
        "bf16": "auto",
        "gradient_checkpointing": True,
        "logging_steps": 1,
        "saves_per_epoch": 1,
        "save_safetensors": True,
        "seed": run.training.seed,
    }
    return _yaml(config, "Axolotl 0.19.0", f"It {_UNRUN}")


def _litgpt(run: Run) -> str:
    """LitGPT 0.5.13: `litgpt finetune_lora`. Loss on the reply alone."""
    options = run.options
    # a folder with both sides, or one file of which a part is kept for validation
    path: Json = (
        {"json_path": "data"} if run.evaluates else {"json_path": "data/train.json", "val_split_fraction": 0.05}
    )
    data = {**path, "mask_prompt": True, "prompt_style": options.prompt_style, "seed": run.training.seed}
    config = {
        "out_dir": "result",
        "precision": "bf16-true",
        "lora_r": options.lora_r,
        "lora_alpha": options.lora_alpha,
        **{f"lora_{part}": True for part in ("query", "key", "value", "projection", "mlp")},
        "data": {"class_path": "litgpt.data.JSON", "init_args": data},
        "train": {
            "global_batch_size": options.batch_size,
            "micro_batch_size": 1,
            "lr_warmup_steps": 1,  # it cannot be as many as there are steps, which few rows would make it
            "epochs": run.epochs,
            "max_seq_length": options.max_length,
        },
        "eval": {"interval": 50, "max_new_tokens": 100, "max_iters": 100},
        "logger_name": "csv",
        "seed": run.training.seed,
        "optimizer": {
            "class_path": "torch.optim.AdamW",
            "init_args": {"lr": run.rate, "weight_decay": 0.0},
        },
    }
    said = "One like it was run with that version, on a CPU and a tiny model; this one was not."
    return _yaml(config, "LitGPT 0.5.13", said)


def _autotrain(run: Run) -> str:
    """AutoTrain 0.8.36: `autotrain --config`. Of conversations it learns every token: it has no mask for the prompt."""
    options, preferences = run.options, run.training.method == "dpo"
    columns = {"text_column": "text"}
    if preferences:
        columns |= {"prompt_text_column": "prompt", "rejected_text_column": "rejected_text"}
    config = {
        "task": "llm-dpo" if preferences else "llm-sft",
        "base_model": run.training.base_model,
        "project_name": "result",
        "log": "none",
        "backend": "local",
        "data": {
            "path": "data",
            "train_split": "train",
            "valid_split": "validation" if run.evaluates else None,
            "chat_template": None if preferences else "tokenizer",
            "column_mapping": columns,
        },
        "params": {
            "epochs": run.epochs,
            "lr": run.rate,
            "batch_size": 1,
            "gradient_accumulation": options.batch_size,
            "block_size": options.max_length,
            "model_max_length": options.max_length,
            "peft": True,
            "quantization": None,
            "target_modules": "all-linear",
            "lora_r": options.lora_r,
            "lora_alpha": options.lora_alpha,
            "mixed_precision": "bf16",
            "logging_steps": 1,
            "seed": run.training.seed,
            **({"dpo_beta": options.beta} if preferences else {}),
        },
    }
    learns = [] if preferences else ["It learns whole conversations, prompts too."]
    return _yaml(config, "AutoTrain 0.8.36", f"It {_UNRUN}", *learns)


def _notebook(run: Run) -> str:
    options = {"learning_rate": f"{run.rate:g}", **{name: str(getattr(run.options, name)) for name in _SHARED}}
    if run.training.method == "dpo":
        options["beta"] = f"{run.options.beta:g}"
    return notebook(run.training, run.epochs, options)


Json = dict[str, Any]
_UNRUN = "was held against the tool's own parameters, and never run: look at it before you spend a GPU on it."
_SHARED = ("lora_r", "lora_alpha", "batch_size", "max_length")
RECIPES = {
    "axolotl": Recipe("config.yml", ("train", "validation"), _axolotl, lambda run: "axolotl train config.yml"),
    "autotrain": Recipe("config.yml", ("train", "validation"), _autotrain, lambda run: "autotrain --config config.yml"),
    "litgpt": Recipe(
        "config.yml",
        ("train", "val"),
        _litgpt,
        lambda run: f"litgpt finetune_lora {shlex.quote(run.training.base_model)} --config config.yml",
    ),
    "notebook": Recipe(
        "tune.ipynb",
        ("train", "validation"),
        _notebook,
        todo="run tune.ipynb where there is a GPU, with the files of data/; then unpack result.zip there",
    ),
}
"""The tools by their names."""


def _yaml(config: Mapping[str, Any], tool: str, *said: str) -> str:
    """YAML of a config, whose values are JSON, which is YAML too."""
    head = [
        f"# Written for {tool}, from its documentation and its code as read on 2026-11-21.",
        *(f"# {line}" for line in said),
    ]
    return "\n".join([*head, "", *_lines(config, ""), ""])


def _lines(config: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from _lines(value, f"{indent}  ")
        else:
            yield f"{indent}{name}: {_number(value)}"


def _number(value: object) -> str:
    """JSON; floats never as `1e-05`, which YAML 1.1 takes for a text."""
    if isinstance(value, float):
        written = f"{value:.12f}".rstrip("0")
        return f"{written}0" if written.endswith(".") else written
    return json.dumps(value, ensure_ascii=False)
