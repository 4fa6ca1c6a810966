"""TRL's trainers, set up for one run, and what they say while they train."""

from collections.abc import Sequence
from math import ceil, isfinite
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from persona.errors import BadRequest, InvalidInput, SettingsError
from persona_trl.job import Job, Spec
from persona_trl.mask import Lesson

Pair = tuple[Lesson, Lesson]
"""The reply that was wanted, and the one that was not."""
_POINTS = 200
"""Losses in a run, at most: a curve shows no more."""


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Writes what happens into the run's folder."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._validation: tuple[int, float] | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._job.say(event="total", steps=state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        loss = _finite(logs["loss"], state.global_step)
        margin = {"margin": logs["rewards/margins"]} if "rewards/margins" in logs else {}
        self._job.say(event="loss", step=state.global_step, training=loss, **margin)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, float], **_: Any) -> None:
        loss = _finite(metrics["eval_loss"], state.global_step)
        self._validation = (state.global_step, loss)
        self._job.say(event="loss", step=state.global_step, validation=loss)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        step, loss = self._validation or (-1, 0.0)
        measured = {"validation": loss} if step == state.global_step else {}
        self._job.say(event="checkpoint", step=state.global_step, **measured)


def _finite(loss: float, step: int) -> float:
    """Raises BadRequest for a loss that grew beyond all numbers: whatever follows is lost."""
    if not isfinite(loss):
        raise BadRequest(f"the loss is no number any more at step {step}", hint="lower learning_rate")
    return loss


class _PairTrainer(DPOTrainer):  # type: ignore[misc]
    """TRL's, on pairs that are tokens already: its own tokenizing drops the mask that was verified.

    It would also store messages in columns, where a key that one tool call has is given to all of them.
    """

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset


def of_replies(job: Job, model: Any, tokenizer: Any, train: Sequence[Lesson], validation: Sequence[Lesson]) -> Any:
    """The trainer of supervised fine-tuning."""
    spec = job.spec()
    rows, held = ([{"input_ids": one.ids, "labels": one.labels} for one in side] for side in (train, validation))
    return SFTTrainer(
        model=model,
        args=SFTConfig(**_config(job, spec, len(rows), bool(held)), max_length=None, packing=False),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(held) if held else None,
        processing_class=tokenizer,
        peft_config=_lora(spec, model),
        callbacks=[_Watch(job)],
    )


def of_preferences(job: Job, model: Any, tokenizer: Any, train: Sequence[Pair], validation: Sequence[Pair]) -> Any:
    """The trainer of direct preference optimisation."""
    spec = job.spec()
    rows, held = ([_pair(*pair) for pair in side] for side in (train, validation))
    return _PairTrainer(
        model=model,
        args=DPOConfig(**_config(job, spec, len(rows), bool(held)), max_length=None, beta=spec.options.beta),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(held) if held else None,
        processing_class=tokenizer,
        peft_config=_lora(spec, model),
        callbacks=[_Watch(job)],
    )


def halves() -> bool:
    """Whether there is a GPU that computes in bfloat16."""
    return bool(torch.cuda.is_available() and torch.cuda.is_bf16_supported())


def taught(trainer: Any, count: int) -> list[Lesson]:
    """What the first rows are when the trainer hands them to the model: the mask as it really is."""
    rows = [trainer.train_dataset[at] for at in range(min(count, len(trainer.train_dataset)))]
    batch = trainer.data_collator(rows)
    carrying = batch["completion_mask"] == 1 if "completion_mask" in batch else batch["labels"] != -100
    seen = batch["attention_mask"] == 1
    lessons = []
    for at, (ids, loss, shown) in enumerate(zip(batch["input_ids"], carrying, seen, strict=True)):
        lessons.append(Lesson(at % len(rows) + 1, ids[shown].tolist(), loss[shown].tolist()))
    return lessons


def _pair(chosen: Lesson, rejected: Lesson) -> dict[str, list[int]]:
    """The tokens that both share, and those of each reply as far as its end."""
    start = min(chosen.loss.index(True), rejected.loss.index(True))
    if chosen.ids[:start] != rejected.ids[:start]:
        raise InvalidInput(
            f"line {chosen.line}: the model reads another prompt before the one reply than before the other",
            hint="remove the row",
        )
    return {
        "prompt_ids": chosen.ids[:start],
        "chosen_ids": chosen.ids[start : _end(chosen)],
        "rejected_ids": rejected.ids[start : _end(rejected)],
    }


def _end(lesson: Lesson) -> int:
    return len(lesson.loss) - lesson.loss[::-1].index(True)


def _config(job: Job, spec: Spec, rows: int, validated: bool) -> dict[str, Any]:
    options = spec.options
    graphics = torch.cuda.is_available()
    apple = torch.backends.mps.is_available() and options.device == "auto"
    steps = ceil(ceil(ceil(rows / options.batch_size) / options.accumulation) * spec.epochs)
    each = ceil(steps / options.evaluations)
    return {
        "output_dir": str(job.checkpoints),
        "seed": spec.seed,
        "data_seed": spec.seed,
        "num_train_epochs": spec.epochs,
        "learning_rate": options.rate(spec.method),
        "per_device_train_batch_size": options.batch_size,
        "per_device_eval_batch_size": options.batch_size,
        "gradient_accumulation_steps": options.accumulation,
        "logging_steps": ceil(steps / _POINTS),
        "logging_first_step": True,
        "eval_strategy": "steps" if validated else "no",
        "eval_steps": each,
        "save_steps": each,
        "save_total_limit": options.keep,
        "load_best_model_at_end": validated,
        "metric_for_best_model": "eval_loss" if validated else None,
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": not graphics and not apple,
        "bf16": halves(),
        "activation_checkpointing": graphics,  # a third slower: on a GPU memory decides, beside a CPU there is more
        "logging_nan_inf_filter": False,  # it would write 0 for a loss that is no number
        "dataloader_pin_memory": graphics,
    }


def _lora(spec: Spec, model: Any) -> LoraConfig | None:
    """Raises SettingsError for a layer that the model does not have: PEFT leaves it out and says nothing."""
    options = spec.options
    if options.weights == "full":
        return None
    layers = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    for name in options.lora_targets:
        if name not in layers:
            raise SettingsError(
                f"the model has no layer {name!r} for lora_targets", hint="leave lora_targets out: it takes them all"
            )
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=options.lora_r,
        lora_alpha=options.lora_alpha,
        target_modules=list(options.lora_targets) or "all-linear",
    )
