"""The process of one run: `python -m persona_trl.train FOLDER`, started by persona and done when the model is.

It says what happens in its folder, and nothing to whoever started it, who may be gone.
"""

import shutil
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from persona.errors import BadRequest, InvalidInput
from persona_trl import errors, rows
from persona_trl.job import Job, Spec
from persona_trl.job import replace as write
from persona_trl.mask import Lesson, Template

_SHOWN = 3
"""Rows whose mask is shown."""


class Cancelled(BaseException):
    """The run was asked to end."""


def main() -> int:
    """Trains what the folder of the first argument asks for; 0 when there is a tuned model."""
    signal.signal(signal.SIGTERM, _cancel)
    return run(Job(Path(sys.argv[1])))


def run(job: Job) -> int:
    """The whole run, and how it ended as the last line of its progress."""
    try:
        job.say(event="ended", state="succeeded", tuned_model=_trained(job))
    except Cancelled:
        job.say(event="ended", state="cancelled")
        return 1
    except Exception as error:  # noqa: BLE001  whatever it is, somebody has to be told
        traceback.print_exc()
        problem = errors.words(error, job.folder)
        job.drop_halves()  # or there might be no room to say so
        job.say(event="ended", state="failed", problem=problem)
        return 1
    return 0


def _cancel(*_: object) -> NoReturn:
    raise Cancelled


def _trained(job: Job) -> str:
    """Trains, and gives the name of the tuned model."""
    spec, done = job.spec(), job.last_checkpoint()
    job.say(event="begun", step=done or 0)
    import torch  # seconds, with all that follow: the run is told to have begun before
    from transformers import AutoTokenizer, set_seed

    torch.set_num_threads(spec.options.threads)
    set_seed(spec.seed)
    tokenizer = AutoTokenizer.from_pretrained(spec.base, local_files_only=True)
    stops, longest = _stops(spec, tokenizer), _longest(spec)
    template = Template(tokenizer, sorted(stops))
    lessons = [list(_lessons(Path(side), spec, template, longest)) for side in (spec.train, spec.validation) if side]
    trainer = _trainer(job, spec, tokenizer, lessons)
    _show(job, trainer, template)
    trainer.train(resume_from_checkpoint=str(job.checkpoint(done)) if done else None)
    _save(job, spec, trainer, tokenizer, template)
    tokens = sum(len(one.ids) for group in lessons[0] for one in group)
    job.say(event="tokens", count=round(tokens * spec.epochs))
    return spec.options.served_name or str(job.result)


def _stops(spec: Spec, tokenizer: Any) -> set[int]:
    """The tokens at which a server stops: those of the model's own files."""
    from transformers import GenerationConfig

    try:
        written = GenerationConfig.from_pretrained(spec.base, local_files_only=True).eos_token_id
    except OSError:  # it has none
        written = None
    listed = written if isinstance(written, list) else [written]
    return {token for token in (*listed, tokenizer.eos_token_id) if token is not None}


def _longest(spec: Spec) -> int | None:
    """The most tokens of a row: what is asked for, or what the model can read."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(spec.base, local_files_only=True).get_text_config()
    can: int | None = getattr(config, "max_position_embeddings", None)
    asked = spec.options.max_length
    if asked and can and asked > can:
        raise BadRequest(f"max_length is {asked}, and the model reads {can} tokens", hint=f"lower it to {can}")
    return asked or can


def _lessons(path: Path, spec: Spec, template: Template, longest: int | None) -> Iterator[tuple[Lesson, ...]]:
    """One lesson a group, or the two of a pair. Raises InvalidInput for rows that are too long: none is cut."""
    most, where, many = 0, 0, 0
    for row in rows.read(path, spec.method):
        for group in _groups(row, template):
            size = max(len(lesson.ids) for lesson in group)
            if size > most:
                most, where = size, row.line
            many += longest is not None and size > longest
            yield group
    if many:
        raise InvalidInput(
            f"{path}: {many} rows have more than {longest} tokens; the longest, in line {where}, has {most}",
            hint="harvest with a lower token limit, or raise max_length if the model reads more",
        )


def _groups(row: rows.Row, template: Template) -> Iterator[tuple[Lesson, ...]]:
    if row.rejected is None:
        return ((lesson,) for lesson in template.lessons(row))
    return zip(
        template.lessons(replace(row, rejected=None)),
        template.lessons(replace(row, reply=row.rejected, rejected=None)),
        strict=True,
    )


def _trainer(job: Job, spec: Spec, tokenizer: Any, lessons: Sequence[Sequence[tuple[Lesson, ...]]]) -> Any:
    from transformers import AutoModelForCausalLM

    from persona_trl import teach

    # a GPU holds the still weights in half precision; those that move keep all their digits
    half = spec.options.weights == "lora" and teach.halves()
    model = AutoModelForCausalLM.from_pretrained(
        spec.base, local_files_only=True, dtype="bfloat16" if half else "float32"
    )
    train, validation = [*lessons, []][:2]
    if spec.method == "dpo":
        return teach.of_preferences(job, model, tokenizer, train, validation)  # type: ignore[arg-type]
    replies = [[lesson for (lesson,) in side] for side in (train, validation)]
    return teach.of_replies(job, model, tokenizer, *replies)


def _show(job: Job, trainer: Any, template: Template) -> None:
    """Verifies what the model is about to see, and writes it down for people."""
    from persona_trl import teach

    shown = teach.taught(trainer, _SHOWN)
    for lesson in shown:
        template.verify(lesson)
    write(job.mask, "\n\n".join(template.show(lesson) for lesson in shown) + "\n")
    carrying, all_of = sum(sum(lesson.loss) for lesson in shown), sum(len(lesson.ids) for lesson in shown)
    job.say(
        event="note",
        text=f"{carrying} of the {all_of} tokens of the first rows carry loss, each reply's end among them: {job.mask}",
    )
    options = job.spec().options
    if options.weights == "lora" and not options.merge:
        job.say(event="note", text="the model will be an adapter: some servers load it only with merge = 'true'")


def _save(job: Job, spec: Spec, trainer: Any, tokenizer: Any, template: Template) -> None:
    """The tuned model, whole or not at all."""
    from transformers import AutoConfig

    model = trainer.accelerator.unwrap_model(trainer.model)
    if spec.options.merge:
        model = model.merge_and_unload()
    if spec.options.merge or spec.options.weights == "full":
        model.to(AutoConfig.from_pretrained(spec.base, local_files_only=True).dtype or model.dtype)
        model.config.use_cache = True
    model.generation_config.eos_token_id = sorted(template.stops)
    shutil.rmtree(job.unfinished, ignore_errors=True)
    for part in (model, model.generation_config, tokenizer):
        part.save_pretrained(job.unfinished)
    shutil.rmtree(job.result, ignore_errors=True)
    job.unfinished.rename(job.result)


if __name__ == "__main__":
    sys.exit(main())
