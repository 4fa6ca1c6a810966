"""The examples that a logged conversation gives: replies to learn, better and worse ones, liked and disliked ones."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, takewhile

from persona.errors import NotFound, WindowTooSmall
from persona.harvest.candidate import Candidate
from persona.harvest.checks.log import ANSWERED, CHOSEN, SELECTION
from persona.harvest.checks.rules import Check, Rules, that_matter
from persona.harvest.memories import said_in_calls, taken_from
from persona.harvest.prompt import Prompt, Prompter, Scene
from persona.harvest.turns import LoggedTurn
from persona.values.example import Example, Shape, last_of
from persona.values.message import Message, say

Refuse = Callable[[LoggedTurn, str, str], None]
"""Told of each turn that a check takes out: the turn, the check's name, and the reason."""


@dataclass(frozen=True, slots=True)
class Making:
    """How examples are made: the checks' rules, the prompts, the shapes that are wanted, and their unit."""

    rules: Rules
    prompter: Prompter
    shapes: Collection[Shape]
    whole: bool = False
    answered: tuple[Check[LoggedTurn], ...] = field(init=False)
    """What every turn must pass, of the checks that matter under the rules."""
    chosen: tuple[Check[LoggedTurn], ...] = field(init=False)
    """What a reply to learn must pass besides."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "answered", that_matter((*SELECTION, *ANSWERED), self.rules))
        object.__setattr__(self, "chosen", that_matter(CHOSEN, self.rules))


def examples_of(scene: Scene, turns: Sequence[LoggedTurn], making: Making, refuse: Refuse) -> Iterator[Candidate]:
    """The candidates of one conversation, in the order of its turns."""
    answered = [turn for turn in turns if _passes(turn, making, refuse, making.answered)]
    if making.whole:
        yield from _conversation(scene, answered, making, refuse)
        return
    compared = "preference" in making.shapes or "unpaired" in making.shapes
    better = _preferred(answered) if compared else {}
    for turn in answered:
        made = False
        if "preference" in making.shapes:
            for chosen, rejected in _pairs(turn, better):
                made = True
                yield from _made(scene, turn, making, refuse, chosen, rejected=rejected)
        if "unpaired" in making.shapes and _rated_alone(turn, better) and making.rules.liked_from is not None:
            made = True
            label = (turn.opinion.rating or 0.0) >= making.rules.liked_from
            yield from _made(scene, turn, making, refuse, _said(turn), label=label)
        if "chat" in making.shapes:
            if _passes(turn, making, refuse, making.chosen):
                yield from _made(scene, turn, making, refuse, _said(turn))
        elif not made:
            refuse(turn, "no feedback", "nobody said whether it is good, or better than another one")


def _passes(turn: LoggedTurn, making: Making, refuse: Refuse, checks: Sequence[Check[LoggedTurn]]) -> bool:
    rules = making.rules
    for check in checks:
        reason = check.judge(turn, rules)
        if reason is not None:
            refuse(turn, check.name, reason)
            return False
    return True


def _said(turn: LoggedTurn) -> Message:
    """The reply, or what somebody said that it should have been."""
    assert turn.reply is not None, "only answered turns are made examples of"  # noqa: S101 - narrows the type
    return say("assistant", turn.opinion.correction) if turn.opinion.correction else turn.reply


def _preferred(turns: Sequence[LoggedTurn]) -> dict[str, list[LoggedTurn]]:
    """By the exchange of the better reply: the turns of replies to the same message that were not wanted.

    The log says so where the user asked for another reply and went on from that one, or rated it higher. Replies
    after tool rounds answer something else, and are not compared.
    """
    found: dict[str, list[LoggedTurn]] = {}
    direct = [turn for turn in turns if turn.asked and turn.reply and turn.reply.parent_id == turn.asked.id]
    direct.sort(key=lambda turn: turn.asked.id if turn.asked else "")
    for _, same in groupby(direct, lambda turn: turn.asked.id if turn.asked else ""):
        some = sorted(same, key=lambda turn: (turn.exchange.started_us, turn.exchange.id))
        for worse in some:
            best = [one for one in some if one is not worse and _is_better(one, worse)]
            if best:
                winner = max(best, key=lambda one: (one.continued, one.opinion.rating or 0.0, one.exchange.started_us))
                found.setdefault(winner.exchange.id, []).append(worse)
    return found


def _is_better(one: LoggedTurn, other: LoggedTurn) -> bool:
    mine, others = one.opinion.rating, other.opinion.rating
    if mine is not None and others is not None and mine != others:
        return mine > others
    return one.continued and other.opinion.regenerated and not other.continued


def _pairs(turn: LoggedTurn, better: dict[str, list[LoggedTurn]]) -> Iterator[tuple[Message, tuple[str, Message]]]:
    """The reply that was wanted, with the id and the message of each that was not."""
    if turn.opinion.correction and turn.reply:
        yield _said(turn), ("", turn.reply)
    for worse in better.get(turn.exchange.id, ()):
        if worse.reply:
            yield _said(turn), (worse.exchange.id, worse.reply)


def _rated_alone(turn: LoggedTurn, better: dict[str, list[LoggedTurn]]) -> bool:
    compared = turn.exchange.id in better or any(turn in worse for worse in better.values())
    return turn.opinion.rating is not None and not turn.opinion.correction and not compared


def _made(
    scene: Scene,
    turn: LoggedTurn,
    making: Making,
    refuse: Refuse,
    reply: Message,
    *,
    rejected: tuple[str, Message] | None = None,
    label: bool | None = None,
) -> Sequence[Candidate]:
    """One candidate, unless something of it is not there any more or does not fit the window."""
    other, unwanted = rejected or ("", None)
    prompt = _prompt(scene, turn, making, refuse)
    if prompt is None:
        return ()
    messages = (*prompt.messages, reply)
    weights = last_of(messages)
    if prompt.rounds and rejected is None and label is None:  # the calls of its tools are learnt with the reply
        first = len(messages) - 1 - prompt.rounds
        weights = tuple(at >= first and one.role == "assistant" for at, one in enumerate(messages))
    log: tuple[str, ...] = (turn.exchange.id,)
    if turn.rounds or other:
        log = (*[one.id for one in turn.rounds], *log, *([other] if other else []))
    id = f"{turn.exchange.id}/{other}" if other else turn.exchange.id
    example = Example(id, messages, weights, prompt.tools, unwanted, label)
    return (_candidate(scene, turn, example, prompt, log, reply),)


def _candidate(
    scene: Scene, turn: LoggedTurn, example: Example, prompt: Prompt, log: tuple[str, ...], reply: Message
) -> Candidate:
    conversation, asked = scene.conversation, turn.asked
    learnt = prompt.rounds if example.rejected is None and example.label is None else 0
    first = len(prompt.messages) - learnt
    return Candidate(
        example,
        conversation.owner,
        conversation.owner_key,
        conversation.key,
        log,
        turn.exchange.started_us,
        (asked,) if asked else (),
        (reply,),
        turn.opinion.rating,
        bool(turn.opinion.correction),
        _invented(reply, prompt.messages[first:], prompt.messages[:first], prompt.hidden) if prompt.hidden else "",
        prompt.sources,
    )


def _invented(reply: Message, rounds: Sequence[Message], before: Sequence[Message], hidden: Sequence[str]) -> str:
    """What a reply, or a call in its tool rounds, took from what is hidden; `before` is what comes before those."""
    shown = [message.text for message in before]
    called = taken_from(said_in_calls(rounds), hidden, shown)
    return called or taken_from(reply.text, hidden, [*shown, *(message.text for message in rounds)])


def _invents(scene: Scene, turn: LoggedTurn, messages: Sequence[Message], refuse: Refuse) -> bool:
    """Whether the reply of an earlier turn used what was remembered for it: a conversation does not show that there."""
    remembered = scene.remembered(turn)
    if not remembered or turn.reply is None:
        return False
    shown = list(takewhile(lambda one: one.id != turn.exchange.reply_id, messages))
    first = next((at for at, one in enumerate(shown) if one.turn_id == turn.exchange.turn_id and one.tool_calls), None)
    rounds, before = ([], shown) if first is None else (shown[first:], shown[:first])
    invented = bool(_invented(_said(turn), rounds, before, remembered))
    if invented:
        refuse(turn, "memory", "the conversation does not show what it used")
    return invented


def _prompt(scene: Scene, turn: LoggedTurn, making: Making, refuse: Refuse) -> Prompt | None:
    try:
        return making.prompter.prompt(scene, turn, making.whole)
    except NotFound:
        refuse(turn, "erased", "what it answers is not stored any more")
    except WindowTooSmall as error:
        refuse(turn, "window", str(error))
    return None


def _conversation(scene: Scene, turns: Sequence[LoggedTurn], making: Making, refuse: Refuse) -> Iterator[Candidate]:
    """One example: the path to its last reply that is worth learning, with loss on all that are."""
    on_path = [turn for turn in turns if _passes(turn, making, refuse, making.chosen) and turn.reply]
    if not on_path:
        return
    last = max(on_path, key=lambda turn: turn.reply.depth if turn.reply else 0)
    prompt = _prompt(scene, last, making, refuse)
    if prompt is None:
        return
    whole = (*prompt.messages, last.reply)
    on_path = [turn for turn in on_path if turn is last or not _invents(scene, turn, prompt.messages, refuse)]
    mended = {turn.reply.id: _said(turn) for turn in on_path if turn.reply}
    taught = {turn.reply.turn_id for turn in on_path if turn.reply}
    messages = tuple(mended.get(one.id, one) if one else one for one in whole)
    weights = tuple(bool(one and one.role == "assistant" and one.turn_id in taught) for one in whole)
    example = Example(last.exchange.id, messages, weights, prompt.tools)  # type: ignore[arg-type]
    log = tuple(one.id for turn in on_path for one in (*turn.rounds, turn.exchange))
    made = _candidate(scene, last, example, prompt, log, _said(last))
    rated = [turn.opinion.rating for turn in on_path if turn.opinion.rating is not None]
    asked = tuple(turn.asked for turn in on_path if turn.asked)
    replies = tuple(map(_said, on_path))
    least = min(rated) if rated else None
    yield replace(made, asked=asked, replies=replies, rating=least)
