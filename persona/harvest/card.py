"""The card of a dataset: what a person who is handed its files should know, in Markdown."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from persona.reports.verdict import verdict
from persona.reports.words import count, split_rule
from persona.values.harvest import SIDES, FormatCount, Outcome
from persona.values.time import iso_day

NAME = "card.md"

_LOADERS = {".jsonl": '"json"', ".json": '"json"', ".csv": '"csv"', ".txt": '"text", sample_by="paragraph"'}
"""What `load_dataset` of the library `datasets` reads a file with, by its suffix."""


def card_of(outcome: Outcome) -> str:
    """The card."""
    parts = (_head, _origin, _loading, _sides, _taken_out, _measures, _limits, _making, _files)
    return "\n".join("\n".join(part(outcome)) + "\n" for part in parts)


def _head(outcome: Outcome) -> Iterator[str]:
    told = verdict(outcome)
    yield f"# Dataset {outcome.id}\n"
    yield f"{count(outcome.funnel.kept, 'example')} to tune a chat model with, made of what users asked an assistant"
    yield "and what it replied. `report.html` shows them; `manifest.json` says the same to machines.\n"
    yield f"**{told.headline}**"
    if told.advice:
        yield ""
        yield from (f"- {one.what} Next: {one.then}." for one in told.advice)


def _origin(outcome: Outcome) -> Iterator[str]:
    funnel, until = outcome.funnel, f", the newest of {iso_day(outcome.newest_us)}" if outcome.newest_us else ""
    yield "## What it is, and where it is from\n"
    yield f"- **Source.** {funnel.exchanges:,} exchanges in {funnel.conversations:,} conversations of the route"
    yield f"  `{outcome.route}`{until}. What is kept is of {count(outcome.users, 'user')};"
    yield "  `rows.jsonl` has the keys of the store, and nothing that says who they are."
    if outcome.settings["selection"]["users"]:  # type: ignore[index]
        yield "  `manifest.json` names those who were asked for."
    yield f"- **Form.** {_form(outcome.settings)}"
    yield f"- **Languages.** {_spoken(outcome.languages)}."
    yield f"- **Consent.** {outcome.consent}"
    mended = [one for one in funnel.checks if one.mended]
    if mended:
        kinds = ", ".join(f"{one.name.removeprefix('personal: ')} {one.mended:,}" for one in mended)
        yield "- **Personal data.** Replaced by what is nobody's, the same value by the same one within a conversation."
        yield f"  Places by kind: {kinds}."
    else:
        yield "- **Personal data.** None was found."


def _loading(outcome: Outcome) -> Iterator[str]:
    yield "## How to load it\n"
    yield "In the folder of this card, with the library `datasets`:\n"
    yield "```python\nfrom datasets import load_dataset\n"
    for one in outcome.formats:
        files = _by_side(one)
        if files:
            loader = _LOADERS.get(PurePosixPath(next(iter(one.files))).suffix, '"json"')
            listed = ", ".join(f'"{side}": "{path}"' for side, path in files.items())
            yield f"{one.name.replace('-', '_')} = load_dataset({loader}, data_files={{{listed}}})"
    yield "```"


def _by_side(one: FormatCount) -> dict[str, str]:
    """The file of each side, or the pattern of its files where there are several."""
    found = {side: [path for path in one.files if PurePosixPath(path).name.startswith(side)] for side in SIDES}
    return {
        side: paths[0] if len(paths) == 1 else f"{one.name}/{side}-*{PurePosixPath(paths[0]).suffix}"
        for side, paths in found.items()
        if paths
    }


def _sides(outcome: Outcome) -> Iterator[str]:
    yield f"## Sides\n\n{split_rule(outcome.settings)}"
    yield "An audit, after all was decided, found no user and no text on two sides.\n"
    yield "| side | examples | users | tokens | languages |\n|---|---:|---:|---:|---|"
    for side in outcome.sides:
        told = f"{side.examples:,} | {side.users:,} | {side.tokens:,} | {_spoken(side.languages)}"
        yield f"| {side.side} | {told} |"


def _spoken(languages: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'unknown'} {number:,}" for name, number in languages.items()) or "none"


def _taken_out(outcome: Outcome) -> Iterator[str]:
    funnel = outcome.funnel
    yield "## From the log to the files\n"
    yield f"{funnel.exchanges:,} exchanges gave {funnel.examples:,} examples, of which {funnel.kept:,} are kept."
    checks = [one for one in funnel.checks if one.number]
    if checks:
        yield "\n| check | taken out | because |\n|---|---:|---|"
        yield from (f"| {one.name} | {one.number:,} | {one.about} |" for one in checks)


def _measures(outcome: Outcome) -> Iterator[str]:
    lengths = outcome.lengths
    limit = f" Up to {lengths.limit:,} are taken." if lengths.limit else ""
    yield "## Sizes\n"
    yield f"In tokens of `{lengths.counter}`, half of the examples have up to {lengths.median:,}, 95 of 100 up to"
    yield f"{lengths.percentile_95:,}, and the longest {lengths.longest:,}.{limit}\n"
    yield "| purpose | from | good with | reached |\n|---|---:|---:|---|"
    for one in outcome.purposes:
        yield f"| {one.name} | {one.least:,} | {one.usual:,} | {'yes' if one.reached else 'no'} |"


def _limits(outcome: Outcome) -> Iterator[str]:
    yield "## Limits\n"
    yield "- Replies are those of a model, mistakes included, but for those that a person corrected."
    yield "- Personal data is found by patterns, checksums and what the profile knows of its user. What none of these"
    yield "  knows, such as a name that somebody mentions in passing, may still be in it."
    yield "- It speaks of what its users asked; what they did not ask, it does not teach."
    if outcome.lengths.counter.startswith("estimate"):
        yield "- Tokens are estimates: the target's own vocabulary was not at hand."
    yield from (f"- {note[0].upper()}{note[1:]}." for note in outcome.notes)


def _making(outcome: Outcome) -> Iterator[str]:
    settings = outcome.settings
    arm = f" --arm {settings['arm']}" if settings.get("arm") else ""
    formats = "".join(f" --format {one.name}" for one in outcome.formats)
    yield "## How to make it again\n"
    yield f"```sh\npersona harvest {outcome.route}{formats}{arm}{' --raw' if settings.get('raw') else ''}\n```\n"
    yield "with the selection and the settings of `manifest.json`: the same log then gives the same bytes, and the same"
    yield "id. Whatever was erased from the log since is not made again."


def _files(outcome: Outcome) -> Iterator[str]:
    yield "## Files\n\n| file | SHA-256 |\n|---|---|"
    for each in outcome.formats:
        yield from (f"| `{path}` | `{digest}` |" for path, digest in each.files.items())
    yield "\n`rows.jsonl` says of every exchange what became of it: an example, or the check that took it."


def _form(settings: Mapping[str, Any]) -> str:
    told = settings["settings"]
    through = "as it was said" if settings["raw"] else f"through the window of the arm `{settings['arm']}`"
    what = "One exchange with loss on its reply" if told["rows"] == "exchange" else "Whole conversations"
    memory = "with what was remembered" if told["memory"] == "keep" and not settings["raw"] else "without memory"
    system = {"keep": "the arm's system prompts", "short": "one short system prompt", "drop": "no system prompt"}
    return f"{what}, {through}, {memory}, with {system[told['system']]}; no shots."
