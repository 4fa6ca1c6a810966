"""What of a conversation may be shown in examples: nothing that was said, or learnt of it, before the user agreed."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from persona.values.log import LoggedConversation, LoggedSummary


def consented(
    conversation: LoggedConversation, withheld: Mapping[str, str]
) -> tuple[LoggedConversation, Mapping[str, str]]:
    """The conversation with the messages of those turns alone whose exchanges were given for training, without the
    facts among what is `withheld` (texts by their ids), and without summaries of other turns, which it adds to these.

    The path of a later message ends where one is missing, so a history begins after the last turn that was not given.
    """
    if withheld:
        conversation = replace(conversation, facts=tuple(f for f in conversation.facts if f.id not in withheld))
    calls = [one for one in conversation.exchanges if one.purpose == "turn"]
    if all([one.consent for one in calls]):
        return conversation, withheld
    given = {one.turn_id for one in calls if one.consent} - {one.turn_id for one in calls if not one.consent}
    kept = [
        (one, raw) for one, raw in zip(conversation.messages, conversation.counts, strict=True) if one.turn_id in given
    ]
    told = _summaries(conversation, given)
    more = {one.id: one.text for one in conversation.summaries if one not in told}
    messages, counts = tuple(one for one, _ in kept), tuple(raw for _, raw in kept)
    return replace(conversation, messages=messages, counts=counts, summaries=told), {**withheld, **more}


def _summaries(conversation: LoggedConversation, given: Collection[str]) -> tuple[LoggedSummary, ...]:
    """Those of turns alone that were given."""
    first = min([one.depth for one in conversation.messages if one.turn_id not in given], default=0)
    return tuple(one for one in conversation.summaries if one.upto_depth < first)
