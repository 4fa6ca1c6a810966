"""The card of a dataset: what a person who is handed its files should know, in Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from persona.harvest.write import Written
from persona.values.harvest import Checked, Outcome
from persona.values.time import iso_day

NAME = "card.md"


def card_of(outcome: Outcome) -> str:
    """The card."""
    return "\n".join(_lines(outcome)) + "\n"


def rewritten(id: str, before: str, examples: int, files: Mapping[str, Written]) -> str:
    """The card of a dataset that holds what may stay of another one."""
    listed = "\n".join(f"| `{path}` | `{one.sha256}` |" for path, one in files.items())
    return (
        f"# Dataset {id}\n\n{examples:,} examples: those of the dataset {before} that are left without what was erased "
        f"since. `manifest.json` says how that one was made.\n\n## Files\n\n| file | SHA-256 |\n|---|---|\n{listed}\n"
    )


def _lines(outcome: Outcome) -> Iterator[str]:
    funnel, settings = outcome.funnel, outcome.settings
    until = f", until {iso_day(outcome.newest_us)}" if outcome.newest_us else ""
    yield f"# Dataset {outcome.id}\n"
    yield f"{funnel.kept:,} examples of {outcome.users:,} users of the route `{outcome.route}`{until}.\n"
    yield f"**Consent.** {outcome.consent}\n"
    yield f"**Form.** {_form(settings)}\n"
    yield "## Sides\n\nEvery user is on one side, by a hash: when the log grows, nobody moves.\n"
    yield "| side | examples | users | tokens | languages |\n|---|---|---|---|---|"
    for side in outcome.sides:
        spoken = ", ".join(f"{name or 'unknown'} {number:,}" for name, number in side.languages.items())
        yield f"| {side.side} | {side.examples:,} | {side.users:,} | {side.tokens:,} | {spoken} |"
    yield "\n## From the log to the files\n"
    yield f"{funnel.exchanges:,} exchanges of {funnel.conversations:,} conversations gave {funnel.examples:,} examples."
    yield f"{funnel.kept:,} are kept. What was taken out:\n"
    yield "| check | taken out | because |\n|---|---|---|"
    yield from (f"| {one.name} | {one.number:,} | {one.about} |" for one in funnel.checks if one.number)
    yield from _replaced([one for one in funnel.checks if one.mended])
    yield "\n## Lengths\n"
    lengths = outcome.lengths
    yield f"In tokens of `{lengths.counter}`: half have up to {lengths.median:,}, 95 of 100 up to "
    yield f"{lengths.percentile_95:,}, the longest {lengths.longest:,}; up to {lengths.limit:,} are taken.\n"
    yield "## Enough for\n\n| purpose | least | usual | reached |\n|---|---|---|---|"
    for one in outcome.purposes:
        yield f"| {one.name} | {one.least:,} | {one.usual:,} | {'yes' if one.reached else 'no'} |"
    yield "\n## Files\n\n| file | SHA-256 |\n|---|---|"
    for each in outcome.formats:
        yield from (f"| `{path}` | `{digest}` |" for path, digest in each.files.items())
    yield "\nTrained on by mistake? `rows.jsonl` says of every example which exchanges it was made of."


def _replaced(checks: list[Checked]) -> Iterator[str]:
    if not checks:
        return
    yield "\nPersonal data was replaced by what is nobody's, the same value by the same within a conversation:\n"
    yield "| kind | places |\n|---|---|"
    yield from (f"| {one.name.removeprefix('personal: ')} | {one.mended:,} |" for one in checks)


def _form(settings: Mapping[str, Any]) -> str:
    told = settings["settings"]
    through = "as it was said" if settings["raw"] else f"through the window of the arm `{settings['arm']}`"
    what = "One exchange with loss on its reply" if told["rows"] == "exchange" else "Whole conversations"
    memory = "with what was remembered" if told["memory"] == "keep" and not settings["raw"] else "without memory"
    system = {"keep": "the arm's system prompts", "short": "one short system prompt", "drop": "no system prompt"}
    return f"{what}, {through}, {memory}, with {system[told['system']]}; no shots."
