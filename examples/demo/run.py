"""persona in one minute: two users, two conversations each, days apart; memory, isolation and the window, checked.

Run `python examples/demo/run.py`: no key, no network; `--help` says how to have another model talk.
"""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

import screen
from screen import checked, copied, note, replied, said, scene
from stage import CONFIG, HOSTED, TARGET, Ada, Ben, Stage, prepare, story

from persona import Assistant, Conversation, PersonaError, Reply
from persona.assistant.datasets import import_chats
from persona.assistant.harvesting import Wish
from persona.assistant.harvesting import harvest as harvested
from persona.values.request import Request

SAMPLE_LOG = CONFIG.with_name("sample-log.jsonl")
FORMATS = ("trl", "openai")

MODELS = f"""
models:
  by default     the embedded responder, which quotes and is no language model; offline
  OpenAI         OPENAI_API_KEY=…  ({HOSTED}, or {TARGET}=openai:MODEL)
  local server   {TARGET}=local:MODEL
                 PERSONA_PROVIDERS__LOCAL__BASE_URL=http://localhost:8000/v1
  in any case    {TARGET}=embedded:extractive-1 keeps it offline

what is said is in story.toml, the settings in persona.toml, the document in knowledge/
"""


def main() -> int:
    """Plays the demo; 1 when the provider fails or a claim does not hold."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without accents still shows it
    argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], epilog=MODELS, formatter_class=argparse.RawTextHelpFormatter
    ).parse_args()
    try:
        play(prepare())
    except (PersonaError, AssertionError) as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def play(stage: Stage) -> None:
    """The scenes, in order. Each assistant goes on with what the database holds, as a restarted process would."""
    ada, ben = story()
    introduce(stage)
    with stage.open(days_ago=9) as assistant:
        ada_speaks_first(assistant, stage, ada)
    with stage.open(days_ago=5) as assistant:
        ben_speaks_first(assistant, ben)
    with stage.open(days_ago=0) as assistant:
        reply = ada_comes_back(assistant, stage, ada)
        ben_comes_back(assistant, stage, ada, ben)
        ada_dictates(assistant, ada, reply)
    harvest(stage)
    goodbye(stage, reply)


def introduce(stage: Stage) -> None:
    """Which model is talking."""
    scene("persona")
    if stage.target.provider == "embedded":
        note(
            f"{stage.target} is talking: an extractive responder, not a language model. It answers by quoting "
            "what is in its window. With an API key the same demo asks a real model: see --help."
        )
    else:
        note(f"{stage.target} is talking. Its words are its own; what is checked below is what it was shown.")


def ada_speaks_first(assistant: Assistant, stage: Stage, lines: Ada) -> None:
    """Ada tells things, and asks what the document knows."""
    scene("nine days ago: Ada, in French")
    ada = assistant.user("ada")
    ada.address("Ada", locale="fr-FR", time_zone="Europe/Paris")
    ada.consent(training=True)
    ada.remember(lines.fact, kind="preference")
    chat = ada.conversation("ada-1", create=True)
    for text in lines.told:
        send(chat, "Ada", text)
    reply = send(chat, "Ada", lines.asks_hours, key="m-3")
    checked("the document was in the window: post-office.md", "post-office.md" in titles(reply))
    calls = len(stage.heard)
    again = chat.send(lines.asks_hours, idempotency_key="m-3")
    checked(
        "sent again with its idempotency key: the same reply, no second call",
        again.repeated and again.id == reply.id and len(stage.heard) == calls,
    )


def ben_speaks_first(assistant: Assistant, lines: Ben) -> None:
    """Ben, somebody else altogether."""
    scene("five days ago, after a restart: Ben, in English")
    ben = assistant.user("ben")
    ben.address("Ben", locale="en-GB", time_zone="Europe/London")
    ben.consent(training=True)
    chat = ben.conversation("ben-1", create=True)
    for text in lines.told:
        send(chat, "Ben", text)
    send(chat, "Ben", lines.asks_hours)


def ada_comes_back(assistant: Assistant, stage: Stage, lines: Ada) -> Reply:
    """What Ada told in her first conversation comes up in her second."""
    scene("today, after another restart: Ada, in a new conversation")
    chat = assistant.user("ada").conversation("ada-2", create=True)
    hours = send(chat, "Ada", lines.asks_hours)
    checked("the document was in this window too: post-office.md", "post-office.md" in titles(hours))
    reply = send(chat, "Ada", lines.asks_preference)
    day = next((source.date for source in reply.sources if source.kind == "turn"), "")
    checked(
        f"recalled from her first conversation, of {day}: « {lines.told[-1]} »",
        bool(day) and lines.told[-1] in shown(stage.heard[-1]),
    )
    chat.correct(hours.id, lines.correction)
    note(f"feedback: the reply about the hours was corrected to « {lines.correction} »; the log keeps both")
    scene("why the last reply: what its window held, what it left out, and by which rule")
    screen.window(chat.why(reply.id))
    return reply


def ben_comes_back(assistant: Assistant, stage: Stage, ada: Ada, ben: Ben) -> None:
    """Ben finds what he told, and nothing of what Ada told."""
    scene("today: Ben, in a new conversation")
    chat = assistant.user("ben").conversation("ben-2", create=True)
    send(chat, "Ben", ben.asks_place)
    send(chat, "Ben", ben.asks_about_ada)
    said_by_ben = (*ben.told, ben.asks_hours, ben.asks_place, ben.asks_about_ada)
    files = (CONFIG, *CONFIG.parent.glob("knowledge/*"))
    marks = words([ada.fact, *ada.told]) - words([*said_by_ben, *(path.read_text("utf-8") for path in files)])
    adas = [shown(request) for request in stage.heard if request.cache_key.startswith("ada-")]
    bens = [shown(request) for request in stage.heard if request.cache_key.startswith("ben-")]
    checked(f"{len(marks)} words are Ada's alone, and all of them went to the model for her", marks <= words(adas))
    checked(f"isolation: not one of them is in any of Ben's {len(bens)} windows", not marks & words(bens))


def ada_dictates(assistant: Assistant, lines: Ada, last: Reply) -> None:
    """A long letter, until the history overflows and its start jumps."""
    scene("today: Ada dictates a letter, and the history outgrows the window")
    chat = assistant.user("ada").conversation(last.conversation_id)
    plans = [chat.why(last.id)]
    for text in 3 * lines.letter:  # a provider that counts generously takes longer to fill
        plans.append(chat.why(chat.send(text).id))
        if plans[-1].jumped:
            break
    *_, before, after = plans
    note(f"{len(plans) - 2} messages later, all of it still fits:")
    screen.stripe(before)
    note(f"one more, and {after.history.left_out} of the older messages stay behind:")
    screen.stripe(after)
    note("; ".join(after.notes))
    checked("the history's start jumped, and now stays put for many turns", after.jumped)
    checked("no window ever went over its limit", all(plan.total <= plan.limit for plan in plans))


def harvest(stage: Stage) -> None:
    """A dataset, in two formats, of what was said here and of a log that was kept elsewhere."""
    scene("today: the log becomes a dataset to tune a model on")
    imported = import_chats(stage.settings, SAMPLE_LOG, route="support")
    note(f"imported {imported.progress.conversations} chats that were held elsewhere, of {SAMPLE_LOG.name}")
    wish = Wish(route="support", formats=FORMATS, out=stage.folder / "datasets")
    outcome = harvested(stage.settings, wish)
    screen.funnel(outcome.funnel)
    planted = SAMPLE_LOG.read_text("utf-8")
    written = "".join(path.read_text("utf-8") for path in Path(outcome.path).rglob("*.jsonl"))
    addresses = {one for one in re.findall(r"[\w.]+@[\w.]+\w", planted)}
    checked(
        f"not one of the {len(addresses)} e-mail addresses in that log is in the dataset",
        bool(addresses) and not any(one in written for one in addresses),
    )
    checked(
        f"both formats hold the same examples: {', '.join(FORMATS)}",
        len({sum(one.examples.values()) for one in outcome.formats}) == 1,
    )
    note("its report, to be opened in a browser:")
    copied(str(Path(outcome.path) / "report.html"))


def goodbye(stage: Stage, reply: Reply) -> None:
    """Where everything is, and what to type next."""
    scene("what next")
    config = shlex.quote(os.path.relpath(CONFIG) if CONFIG.is_relative_to(Path.cwd()) else str(CONFIG))
    note("Everything said is in this database; the next run starts afresh:")
    copied(str(stage.folder / "persona.db"))
    for name, value in stage.changed.items():
        copied(f"$ export {name}={shlex.quote(value)}")
    copied(f"$ persona chat --config {config} --user ada")
    copied(f"$ persona why {reply.id} --config {config}")
    copied(f"$ persona conversations --config {config} --user ada")


def send(chat: Conversation, who: str, text: str, key: str = "") -> Reply:
    """One turn, shown."""
    said(who, text)
    reply = chat.send(text, idempotency_key=key)
    replied(reply)
    return reply


def titles(reply: Reply) -> set[str]:
    """The documents that the model was shown."""
    return {source.title for source in reply.sources}


def shown(request: Request) -> str:
    """Everything that a request held, apart from the model's own earlier words."""
    return "\n".join(message.text for message in request.messages if message.role != "assistant")


def words(texts: Iterable[str]) -> set[str]:
    """The longer words of some texts."""
    return {word for text in texts for word in re.findall(r"\w{4,}", text.casefold())}


if __name__ == "__main__":
    sys.exit(main())
