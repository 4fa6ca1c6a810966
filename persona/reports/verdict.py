"""Whether a dataset is ready to be trained on, and if not, what is missing and what to do about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from persona.reports.words import count, share
from persona.values.harvest import Outcome

_ONE_USER, _ONE_TOPIC = 0.25, 0.5  # shares of the examples from which one outweighs the others
_LOST, _UNSAYABLE = 0.3, 0.05  # shares of what came to a check, or to a format
_FEW_USERS, _FEW_TESTS = 10, 20
_MENDS = {
    "consent": "ask them: user.consent(training=True) where they agree",
    "failed": "see `persona doctor`: calls that fail teach nothing",
    "truncated": "give replies more room: the arm's max_output_tokens",
    "disliked": "correct what was disliked: a correction makes an example, and a preference",
    "memory": 'set harvest.memory = "keep", so that examples show what replies used',
    "language": "name more of harvest.languages",
    "long": "raise harvest.max_tokens, or choose a target with a longer window",
    "holdout": "choose a later --holdout",
    "near duplicate": "many chats say the same: look for users other than tests and scripts",
    "duplicate": "many chats say the same: look for users other than tests and scripts",
    "contradiction": "see which replies differ below, and correct the wrong ones",
    "user cap": "raise harvest.per_user, or leave it: it keeps one user from outweighing the others",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """Something that is missing or out of balance, and what to do next. `blocks` where training would be in vain."""

    what: str
    then: str
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict in words."""

    ready: bool
    headline: str
    advice: tuple[Advice, ...]


def verdict(outcome: Outcome) -> Verdict:
    """The verdict on what a harvest made, or would make."""
    found = [*_size(outcome), *_sides(outcome), *_forms(outcome), *_balance(outcome), *_ground(outcome)]
    advice = sorted([*found, *_losses(outcome)], key=lambda one: not one.blocks)
    kept = count(outcome.funnel.kept, "example")
    if advice and advice[0].blocks:
        return Verdict(False, f"Not ready: {advice[0].what}", tuple(advice))
    enough = [one.name for one in outcome.purposes if one.reached]
    reserved = f" {count(len(advice), 'thing')} to look at first." if advice else ""
    return Verdict(True, f"Ready: {kept}, enough for {enough[-1]}.{reserved}", tuple(advice))


def _size(outcome: Outcome) -> Iterator[Advice]:
    kept, least = outcome.funnel.kept, outcome.purposes[0].least
    if kept >= least:
        return
    lost = sorted((one for one in outcome.funnel.checks if one.number), key=lambda one: -one.number)[:2]
    most = " and ".join(f"{one.name!r} ({one.number:,})" for one in lost)
    then = f"what took out most is {most}; mend that, or let more be logged" if most else "let more be logged"
    yield Advice(f"{count(kept, 'example')}, and {least} are the least that change a model's style.", then, blocks=True)


def _sides(outcome: Outcome) -> Iterator[Advice]:
    examples = {one.side: one.examples for one in outcome.sides}
    if outcome.funnel.kept and not examples.get("train"):
        yield Advice("nothing is left to train on: every user is on another side.", _MORE_USERS, blocks=True)
    empty = [side for side in ("validation", "test") if not examples.get(side)]
    if outcome.funnel.kept and empty:
        yield Advice(
            f"No example for {' and '.join(empty)}: nothing would tell whether a tuned model is better.", _MORE_USERS
        )
    elif 0 < examples.get("test", 0) < _FEW_TESTS:
        told = count(examples["test"], "example")
        yield Advice(f"The test has {told}: on so few a comparison of models tells little.", _MORE_USERS)


_MORE_USERS = "let more users talk, raise their share in harvest.split, or hold out by time with --holdout"


def _forms(outcome: Outcome) -> Iterator[Advice]:
    empty = [one for one in outcome.formats if outcome.id and not any(one.examples.values())]
    for one in outcome.formats:
        lost = sum(one.unsayable.values())
        if one in empty:
            nothing = len(empty) == len(outcome.formats)
            yield Advice(f"The format {one.name} has no example.", _reason(one.unsayable), blocks=nothing)
        elif lost > _UNSAYABLE * (sum(one.examples.values()) + lost):
            yield Advice(f"{one.name} has no words for {count(lost, 'example')}.", _reason(one.unsayable))
        for told in one.problems:
            what, _, then = told.partition(": ")
            yield Advice(f"{one.name} would be refused: {what}.", then)


def _reason(unsayable: Mapping[str, int]) -> str:
    if not unsayable:
        return "choose a format of another shape, or gather ratings and corrections first"
    return f"choose a format that says it ({max(unsayable, key=lambda one: unsayable[one])})"


def _balance(outcome: Outcome) -> Iterator[Advice]:
    kept = outcome.funnel.kept
    if 0 < outcome.users < _FEW_USERS:
        yield Advice(
            f"All examples are of {count(outcome.users, 'user')}: a model would learn their habits.",
            "let more users talk before you train",
        )
    elif outcome.per_user and outcome.per_user[0] > _ONE_USER * kept:
        yield Advice(
            f"One user gave {share(outcome.per_user[0], kept)} of the examples: a model would learn their habits.",
            "set harvest.per_user",
        )
    topic = max(outcome.topics, key=lambda one: outcome.topics[one], default="")
    if topic and outcome.topics[topic] > _ONE_TOPIC * kept:
        told = share(outcome.topics[topic], kept)
        yield Advice(f"{told} of the examples are on one topic, {topic!r}.", "set harvest.per_topic")


def _ground(outcome: Outcome) -> Iterator[Advice]:
    settings = outcome.settings.get("settings")
    if isinstance(settings, Mapping) and settings.get("consent") != "required":
        yield Advice(
            "Consent was not required: it holds exchanges of users who never agreed to training.",
            'write down the legal ground that you use it on, or set harvest.consent = "required"',
        )


def _losses(outcome: Outcome) -> Iterator[Advice]:
    left = outcome.funnel.exchanges
    for one in outcome.funnel.checks:
        if one.stage == "example" and left > outcome.funnel.examples:
            left = outcome.funnel.examples
        if one.name in _MENDS and one.number > _LOST * left:
            yield Advice(f"{share(one.number, left)} went out as {one.name!r}: {one.about}.", _MENDS[one.name])
        left -= one.number
