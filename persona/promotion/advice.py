"""Prompt, retrieval or fine-tuning? From what the log shows to an answer in words, with its figures. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from persona.evaluation.paired import detectable_with
from persona.values.harvest import PURPOSES
from persona.values.words import terms

Fault = Literal["knowledge", "style", "unclear"]
Answer = Literal["prompt", "retrieval", "fine-tuning", "not yet"]

_MONTH_DAYS = 30.44
_MONTH_H = 730.0
_JUDGED = 20  # bad replies and good ones, before shares of them are worth a word
_MUCH = 1 / 3  # of the bad replies: from here on a fault is worth a remedy
_ALIKE = 0.5  # of the words of a correction were in the reply: it was said, but not as it was wanted
_SOON_MONTHS = 12.0
_EPOCHS = 3
_MILLION = 1_000_000
_PASS_DEVIATION = 0.55  # of a difference of two passes, where the arms part on 30 % of the examples: √0.3


@dataclass(frozen=True, slots=True)
class Judged:
    """One reply that was rated badly, corrected or asked for again. `correction` is empty without one.

    `recalled` says whether memories or knowledge were shown for it, `malformed` whether it broke the form asked for.
    """

    reply: str = ""
    correction: str = ""
    recalled: bool = False
    malformed: bool = False


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars: a million tokens read, read from the cache and trained on; an hour of hosting. None is unknown."""

    read: float | None = None
    cached: float | None = None
    training: float | None = None
    hosting: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the log shows of a route. Tokens are means of a turn's first call.

    `judged` replies got any feedback, of which `bad` are the bad ones. `usable` examples were answered, their users
    agree to training, and they were corrected or rated well; `waiting` are as good but for a judgement. `test_share`
    of the users is kept for comparing. `has_knowledge` says whether the route may show documents. `base` is the model
    that would be tuned, `tuning` what is known of tuning it, and `closed` whether it cannot be.
    """

    route: str
    turns: int
    days: float
    instructions: float
    shots: float
    total: float
    output: float
    cached: float
    judged: int
    bad: Sequence[Judged]
    usable: int
    waiting: int
    users: int
    has_knowledge: bool
    prices: Prices
    test_share: float = 0.05
    base: str = ""
    tuning: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Saving:
    """What a model that needs no instructions and shots would save, at most, in US dollars; None is unknown.

    `months` is when it has paid for its training and hosting, infinite where it never does.
    """

    tokens_a_turn: float
    usd_a_month: float | None
    training_usd: float | None
    hosting_usd_a_month: float | None
    months: float | None


@dataclass(frozen=True, slots=True)
class Advice:
    """An answer, why, and the figures behind it. `purposes` says what the usable examples are enough for.

    `detectable` is the smallest difference in passed examples that a comparison with so many users would show, None
    where it shows none. `base` is the model that would be tuned, and `tuning` what is known of that.
    """

    route: str
    answer: Answer
    because: tuple[str, ...]
    bad_share: float | None
    faults: dict[Fault, int]
    saving: Saving
    usable: int
    waiting: int
    purposes: dict[str, bool]
    detectable: float | None
    base: str
    tuning: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For machines: JSON types only. Months that never come are null, and `pays` is false."""
        told = asdict(self)
        never = self.saving.months == float("inf")
        told["saving"] |= {"months": None if never else self.saving.months, "pays": self.saving.months and not never}
        return told


def advise(seen: Seen) -> Advice:
    """What comes first on a route, by what its log shows."""
    faults: dict[Fault, int] = {"knowledge": 0, "style": 0, "unclear": 0}
    for one in seen.bad:
        faults[fault(one)] += 1
    saving = saved(seen)
    answer, because = _answer(seen, faults, saving)
    if answer == "fine-tuning":
        because = (*because, *(f"tuning {seen.base}: {words}" for words in seen.tuning))
        answer = "not yet" if seen.closed else answer
    return Advice(
        *(seen.route, answer, because, len(seen.bad) / seen.judged if seen.judged else None, faults, saving),
        *(seen.usable, seen.waiting, {name: seen.usable >= least for name, (least, _) in PURPOSES.items()}),
        *(detectable(round(seen.users * seen.test_share)), seen.base, seen.tuning),
    )


def fault(one: Judged) -> Fault:
    """What a bad reply lacked: form or style where it said what it should have; knowledge where it was shown none."""
    if one.malformed:
        return "style"
    wanted = set(terms(one.correction))
    if wanted and len(wanted & set(terms(one.reply))) / len(wanted) >= _ALIKE:
        return "style"
    return "unclear" if one.recalled else "knowledge"


def saved(seen: Seen) -> Saving:
    """Of every turn the tokens of instructions and shots, at the cache's price as far as they were read from it."""
    tokens, prices = seen.instructions + seen.shots, seen.prices
    from_cache = min(1.0, seen.cached / tokens) if tokens else 0.0
    cached = prices.read if prices.cached is None else prices.cached
    month = None
    if prices.read is not None and cached is not None and seen.days:
        price = cached * from_cache + prices.read * (1 - from_cache)
        month = tokens * price / _MILLION * seen.turns / seen.days * _MONTH_DAYS
    trained = seen.usable * (seen.total - tokens + seen.output) * _EPOCHS
    training = None if prices.training is None else trained * prices.training / _MILLION
    hosting = None if prices.hosting is None else prices.hosting * _MONTH_H
    months = None
    if month is not None and training is not None and hosting is not None:
        months = training / (month - hosting) if month > hosting else float("inf")
    return Saving(tokens, month, training, hosting, months)


def detectable(users: int) -> float | None:
    """The smallest true difference in passed examples that so many users show in 4 of 5 comparisons, at the 5 % level.

    None where even 100 % would not show. By the formula of the comparison itself (`paired.detectable_with`).
    """
    least = detectable_with(users, _PASS_DEVIATION)
    return least if least < 1 else None


def _answer(seen: Seen, faults: dict[Fault, int], saving: Saving) -> tuple[Answer, tuple[str, ...]]:
    if not seen.turns:
        return "not yet", ("no turn was answered on this route: there is nothing to go by",)
    if seen.judged < _JUDGED:
        return _by_saving(
            *(seen, saving),
            f"only {seen.judged} replies were judged, and {_JUDGED} are needed to say what goes wrong: ask users to "
            "rate, and correct bad replies",
        )
    bad = len(seen.bad)
    told = f"of {bad} bad replies (of {seen.judged} judged)"
    if bad and faults["knowledge"] / bad >= _MUCH and faults["knowledge"] >= faults["style"]:
        remedy = "see what its knowledge lacks" if seen.has_knowledge else "give the route knowledge"
        lacked = f"{told} {faults['knowledge']} were shown nothing that was recalled: {remedy}"
        return "retrieval", (lacked, "a model that is tuned on answers which it cannot know learns to invent")
    if bad and faults["style"] / bad >= _MUCH:
        return _by_style(seen, f"{told} {faults['style']} said what they should, but not in the style or form wanted")
    return _by_saving(seen, saving, f"{told} few have one fault in common: there is no one thing to teach")


def _by_style(seen: Seen, told: str) -> tuple[Answer, tuple[str, ...]]:
    least, usual = PURPOSES["style"]
    if not seen.shots and seen.usable < usual:
        return "prompt", (told, "the route has no shots: show the model two or three good replies first")
    if seen.usable < least:
        waiting = f"; {seen.waiting} more wait only for a good rating" if seen.waiting else ""
        return "not yet", (told, f"{seen.usable} examples are usable, and style needs {least} to {usual}{waiting}")
    return "fine-tuning", (told, f"{seen.usable} examples are usable, and style needs {least} to {usual}")


def _by_saving(seen: Seen, saving: Saving, told: str) -> tuple[Answer, tuple[str, ...]]:
    """Where quality gives no reason: whether it would pay."""
    needed = PURPOSES["generation"][0]
    if saving.months is None:
        return "not yet", (told, "whether a tuned model would pay is unknown: a price is missing")
    if saving.months > _SOON_MONTHS:
        never = saving.months == float("inf")
        when = "would cost more than it saves" if never else f"would have paid after {saving.months:.0f} months"
        return "not yet", (told, f"a tuned model {when}")
    paid = f"a tuned model without instructions and shots would have paid after {saving.months:.1f} months, at best"
    if seen.usable < needed:
        lacking = f"{seen.usable} examples are usable, and to do without a prompt takes {needed:,}"
        return "not yet", (told, paid, lacking)
    return "fine-tuning", (told, paid)
