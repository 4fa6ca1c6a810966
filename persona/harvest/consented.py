"""What of a conversation may be shown in examples: nothing that was said, or learnt of it, before the user agreed."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from persona.harvest.memories import said_in_calls, taken_from
from persona.harvest.prompt import Words
from persona.values.log import LoggedConversation, LoggedExchange

_NONE = 1 << 62  # deeper than any message


def consented(conversation: LoggedConversation, words: Words) -> LoggedConversation:
    """The conversation with the messages of those turns alone whose exchanges were given for training, and nothing
    that was remembered of others. An exchange whose reply used that, or what was said in them, counts as not given.

    The path of a later message ends where one is missing, so a history begins after the last turn that was not given.
    """
    first = _first_not_given(conversation)
    others = {one.id: one.text for one in conversation.summaries if one.upto_depth >= first}
    withheld = {**words.withheld, **others}
    if withheld or first != _NONE:
        used = frozenset(_that_used(conversation, words, withheld))
        conversation = replace(
            conversation,
            exchanges=tuple(replace(one, consent=False) if one.id in used else one for one in conversation.exchanges),
            facts=tuple(one for one in conversation.facts if one.id not in withheld),
        )
        first = _first_not_given(conversation)
    if first == _NONE:
        return conversation
    given = _given(conversation)
    kept = [
        (one, raw) for one, raw in zip(conversation.messages, conversation.counts, strict=True) if one.turn_id in given
    ]
    return replace(
        conversation,
        messages=tuple(one for one, _ in kept),
        counts=tuple(raw for _, raw in kept),
        summaries=tuple(one for one in conversation.summaries if one.upto_depth < first),
    )


def _given(conversation: LoggedConversation) -> frozenset[str]:
    """The turns whose exchanges were given, all of them."""
    calls = [one for one in conversation.exchanges if one.purpose == "turn"]
    return frozenset(one.turn_id for one in calls if one.consent) - {one.turn_id for one in calls if not one.consent}


def _first_not_given(conversation: LoggedConversation) -> int:
    """The depth of the first message of a turn that was not given."""
    if all([one.consent for one in conversation.exchanges if one.purpose == "turn"]):
        return _NONE
    given = _given(conversation)
    return min([one.depth for one in conversation.messages if one.turn_id not in given], default=0)


def _that_used(conversation: LoggedConversation, words: Words, withheld: Mapping[str, str]) -> Iterator[str]:
    """The ids of the exchanges whose replies took something from what is withheld, and the user had not said again.

    What one of them was shown, a later one may have from its reply.
    """
    given = _given(conversation)
    replies = {message.id: message for message in conversation.messages}
    asked = [message for message in conversation.messages if message.role == "user"]
    shown: dict[str, str] = {}
    for one in conversation.exchanges:
        shown |= _shown(one, words, withheld)
        reply = replies.get(one.reply_id) if one.consent else None
        if reply is None:
            continue
        said = [each for each in asked if each.depth < reply.depth]
        before = [each.text for each in said if each.turn_id not in given]
        again = [each.text for each in said if each.turn_id in given]
        if taken_from(f"{reply.text}\n{said_in_calls([reply])}", [*shown.values(), *before], again):
            yield one.id


def _shown(one: LoggedExchange, words: Words, withheld: Mapping[str, str]) -> dict[str, str]:
    """What of the withheld texts the model was shown, by their ids."""
    plan = words.plans.get(one.id)
    candidates = [each for section in plan.sections for each in section.candidates if each.included] if plan else []
    return {each.id: withheld[each.id] for each in candidates if each.id in withheld}
