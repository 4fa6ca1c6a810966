"""The whole loop on one core, with no key and no network: talk, log, harvest, tune, compare, promote, and back.

A tiny model answers a shop's guests in plain words. They correct it into the form that the shop's app wants, which
nobody tells the model otherwise. What is tuned on their corrections comes to serve; what is tuned on the same words in
disorder does not.

Run `make demo-loop`, or this file where `pypersona[train]` is installed. It takes about two minutes.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import server
import shop
from terminal import checked, found, note, persona, step

os.environ.update(server.QUIET)  # before anything loads PyTorch

from persona import Assistant, Jobs, PersonaError, Reply
from persona.settings import load

HERE = Path(__file__).resolve().parent
CONFIG = Path("persona.toml")
ADDRESS = "PERSONA_PROVIDERS__LOCAL__BASE_URL"
FORM = "trl-prompt-completion"
USERS, CHATS, EPOCHS = 40, 5, 8


def main() -> int:
    """Plays the loop in `demo-data/loop`; 1 when a claim does not hold, 128 and the signal when somebody ends it."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without ✓ still shows it
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))  # which leaves every block, and ends what runs
    folder = Path("demo-data/loop").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.chdir(folder)
    shutil.copy(HERE / CONFIG, CONFIG)
    try:
        play(folder)
    except (PersonaError, AssertionError, RuntimeError) as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except SystemExit:
        print("\nthe server and what trained were ended", file=sys.stderr)
        raise
    return 0


def play(folder: Path) -> None:
    """The steps, in order."""
    questions = shop.questions(seed=1)
    make_the_base(folder)
    with ExitStack() as at_the_end:
        step("`transformers serve` answers for it, as OpenAI's API would")
        os.environ[ADDRESS] = at_the_end.enter_context(server.serving(folder))
        note(f"{ADDRESS}={os.environ[ADDRESS]}, its log is serve.log")
        talk(questions)
        dataset = harvest()
        at_the_end.callback(end_training)
        tuned, shuffled = tune(dataset)
        compare(dataset, tuned, shuffled)
        refuse_the_shuffled()
        promote_the_tuned(questions)
        step("what the route came from: users, as the keys of their rows, dataset, job, models, comparison, steps")
        persona("lineage", "support")
        roll_back(questions)
    goodbye(folder)


def make_the_base(folder: Path) -> None:
    """A model that speaks, and knows nothing of the form that is wanted."""
    import tiny_model

    step("a base model, made in code: half a million weights, taught to answer in plain words")
    every = list(shop.questions(seed=0))
    words = [text for asked in every for text in (asked.text, asked.answer, asked.form)]
    tiny_model.make(folder / "base", [shop.INSTRUCTIONS, *words])
    talks = [
        (("system", shop.INSTRUCTIONS), ("user", asked.text), ("assistant", asked.answer)) for asked in every[:800]
    ]
    loss = tiny_model.teach(folder / "base", talks, passes=5)
    note(f"{len(talks)} talks, five times over: the loss is {loss:.3f}")


def talk(questions: Iterable[shop.Asked]) -> None:
    """Users chat with the base, and correct what it says."""
    step(f"{USERS} users who agree to training chat on the base, {CHATS} times each, and correct its form")
    begun = time.monotonic()
    with Assistant.open(CONFIG) as assistant:
        for number in range(USERS):
            user = assistant.user(f"user-{number}")
            user.consent(training=True)
            for asked in islice(questions, CHATS):
                chat = user.conversation()
                reply = chat.send(asked.text)
                chat.correct(reply.id, asked.form)
            if number < 3:
                show(asked.text, reply)
                note(f"  corrected: {asked.form}")
    note(f"… {USERS * CHATS} turns in {time.monotonic() - begun:.0f} s")


def harvest() -> Path:
    """What was corrected becomes a dataset."""
    step("the log becomes a dataset, each user on one side of its split")
    return Path(found(r"look at (.+)/report\.html", persona("harvest", "support", "--format", FORM)))


def tune(dataset: Path) -> tuple[str, str]:
    """Two jobs of the backend trl, each in a process of its own; the models that they made."""
    step("two models are tuned: on the dataset, and on the same replies with their words in disorder")
    how = ("--backend", "trl", "--model", "base", "--epochs", str(EPOCHS))
    options = ("--option", "weights=full", "--option", "learning_rate=3e-3", "--option", "evaluations=5")
    jobs = [
        found(r"^(job_\w+)$", persona("tune", "start", *files, *how, *options))
        for files in ([dataset.name], disordered(dataset))
    ]
    made = [
        found(r"tuned model: (.+)", persona("tune", "watch", job, "--every", "2", "--picture", f"{job}.html"))
        for job in jobs
    ]
    return made[0], made[1]


def disordered(dataset: Path) -> list[str]:
    """The same rows with the words of each reply in disorder: nothing of use is learnt from them."""
    dice = random.Random(0)  # noqa: S311  for a control, not for secrets
    paths = []
    for side in ("train", "validation"):
        rows = [json.loads(line) for line in (dataset / FORM / f"{side}.jsonl").read_text("utf-8").splitlines()]
        for row in rows:
            words = row["completion"][0]["content"].split()
            dice.shuffle(words)
            row["completion"][0]["content"] = " ".join(words)
        paths.append(f"disorder-{side}.jsonl")
        Path(paths[-1]).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return paths


def compare(dataset: Path, tuned: str, shuffled: str) -> None:
    """Each model becomes an arm of the route, and answers what was held out, beside the base."""
    step("the server serves them too; each becomes an arm of the route, and is compared with the base")
    Path("schema.json").write_text(json.dumps(shop.SCHEMA), "utf-8")
    persona("routes", "set", "support.arms.tuned.target", f"local:{tuned}")
    persona("routes", "set", "support.arms.shuffled.target", f"local:{shuffled}")
    note("compare says: metric, base, other, difference, 95 %, p, least difference that would show, won / lost")
    for arm, wins in (("tuned", True), ("shuffled", False)):
        said = persona(
            *("compare", "support", "--on", str(dataset.relative_to(Path.cwd())), "--arms", f"base,{arm}"),
            *("--schema", "schema.json"),
        )
        low, high = (float(end) for end in found(r"^format\t(?:[^\t]+\t){3}([^\t]+)", said).split(" to "))
        if wins:
            checked(f"{arm} wins on form, by {low:+.2f} to {high:+.2f}", low > 0 and "tuned is better" in said)
        else:
            checked(f"{arm} does not win on form: {low:+.2f} to {high:+.2f}", low <= 0)


def refuse_the_shuffled() -> None:
    """The gate asks for the comparison, and refuses."""
    step("what was tuned on disorder is not let in")
    before = CONFIG.read_text("utf-8")
    said = persona("promote", "support", "shuffled", refused=True)
    checked("the gate says why", "cannot tell shuffled from base" in said or "shuffled is worse" in said)
    checked("the settings are as they were", CONFIG.read_text("utf-8") == before)


def promote_the_tuned(questions: Iterable[shop.Asked]) -> None:
    """Unseen at first, then for half of the users, then for all: each step asks the gates."""
    step("the tuned model comes to serve: as a shadow, which nobody sees …")
    persona("promote", "support", "tuned")
    seen = visits(questions, "regular", 3)
    checked("users are answered by the base", {reply.target for reply in seen} == {"local:base"})
    asked = found(r"tuned\t.*\t(\d+)\t0$", persona("routes"))
    checked(f"and the shadow was asked {asked} times", asked == "3")
    step("… as a canary, for half of the users …")
    persona("promote", "support", "tuned")
    persona("promote", "support", "tuned", refused=True)
    seen = visits(questions, "guest", 16)
    served = sum(reply.target != "local:base" for reply in seen)
    checked(f"it serves {served} of {len(seen)} users", 6 <= served < len(seen))
    step("… and for all")
    persona("promote", "support", "tuned")
    (reply,) = visits(questions, "next", 1)
    checked("the next chat is answered by the tuned model, by config alone", reply.target != "local:base")
    checked("in the form that is wanted", json.loads(reply.text).keys() == {"topic", "answer"})
    persona("promote", "support")


def roll_back(questions: Iterable[shop.Asked]) -> None:
    """One command, and the base serves."""
    step("and back, with one command")
    persona("rollback", "support", "--why", "the demo is over")
    (reply,) = visits(questions, "last", 1)
    checked("the next chat is answered by the base", reply.target == "local:base")


def visits(questions: Iterable[shop.Asked], name: str, users: int) -> list[Reply]:
    """One chat each of some users, of which one for each model is shown; work in the background is done at the end."""
    seen: dict[str, Reply] = {}
    replies = []
    with Assistant.open(CONFIG) as assistant:
        for number, asked in enumerate(islice(questions, users)):
            reply = assistant.user(f"{name}-{number}").conversation().send(asked.text)
            replies.append(reply)
            if reply.target not in seen:
                seen[reply.target] = reply
                show(asked.text, reply)
    return replies


def show(text: str, reply: Reply) -> None:
    """A turn."""
    note(f"“{text}”")
    note(f"  {'base' if reply.target == 'local:base' else 'tuned'}: {reply.text}")


def end_training() -> None:
    """Ends what still trains: a job goes on without whoever started it."""
    with Jobs.open(load(CONFIG)) as jobs:
        for job in jobs.list():
            if not job.finished:
                jobs.cancel(job.id)


def goodbye(folder: Path) -> None:
    """Where everything is."""
    step(f"done; everything is in {folder}, and the next run begins anew")
    for pattern in ("persona.*", "datasets/*/report.html", "comparisons/*/report.html", "job_*.html", "jobs/*/model"):
        for path in sorted(folder.glob(pattern)):
            note(str(path.relative_to(folder)))


if __name__ == "__main__":
    sys.exit(main())
