"""What of a conversation may be shown in examples: nothing that was said before the user agreed."""

from dataclasses import replace

from persona.values.log import LoggedConversation


def consented(conversation: LoggedConversation) -> LoggedConversation:
    """The conversation with the messages of those turns alone whose exchanges were given for training.

    The path of a later message ends where one is missing, so a history begins after the last turn that was not given.
    """
    calls = [one for one in conversation.exchanges if one.purpose == "turn"]
    if all([one.consent for one in calls]):
        return conversation
    given = {one.turn_id for one in calls if one.consent} - {one.turn_id for one in calls if not one.consent}
    kept = [
        (one, raw) for one, raw in zip(conversation.messages, conversation.counts, strict=True) if one.turn_id in given
    ]
    return replace(conversation, messages=tuple(one for one, _ in kept), counts=tuple(raw for _, raw in kept))
