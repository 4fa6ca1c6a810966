"""The checks on what the log says of a reply, before anything is rendered: what is not asked for, and what failed."""

from persona.harvest.checks.rules import Check, Rules
from persona.harvest.turns import LoggedTurn


def _arm(turn: LoggedTurn, rules: Rules) -> str | None:
    arms = rules.selection.arms
    return f"answered by {turn.exchange.arm}" if arms and turn.exchange.arm not in arms else None


def _dates(turn: LoggedTurn, rules: Rules) -> str | None:
    inside = rules.selection.since_us <= turn.exchange.started_us < min(rules.selection.until_us, rules.until_us)
    return None if inside else "outside of the time that was asked for"


def _users(turn: LoggedTurn, rules: Rules) -> str | None:
    wanted, owner = rules.selection, turn.conversation.owner
    if wanted.tenants and owner.tenant not in wanted.tenants:
        return "another tenant"
    return "another user" if wanted.users and owner.name not in wanted.users else None


def _tags(turn: LoggedTurn, rules: Rules) -> str | None:
    wanted = rules.selection.tags
    return "none of the tags" if wanted and not set(wanted) & set(turn.conversation.tags) else None


def _rating(turn: LoggedTurn, rules: Rules) -> str | None:
    least, opinion = rules.selection.rated_from, turn.opinion
    if least is None:
        return None
    if opinion.rating is None:
        return "not rated"
    return f"rated {opinion.rating:g}" if opinion.rating < least else None


def _consent(turn: LoggedTurn, rules: Rules) -> str | None:
    if not rules.consent_required:
        return None
    if turn.conversation.consent is False:
        return "the user has withdrawn"
    return None if turn.exchange.consent else "not given for training"


def _holdout(turn: LoggedTurn, rules: Rules) -> str | None:
    early = rules.holdout_us and turn.exchange.started_us < rules.holdout_us
    return "the user is in the holdout" if early and turn.conversation.owner_key in rules.later else None


def _failed(turn: LoggedTurn, rules: Rules) -> str | None:
    exchange = turn.exchange
    if exchange.outcome == "failed" and exchange.error != "Refused":
        return exchange.error or "failed"
    return "no reply is stored" if exchange.outcome == "answered" and turn.reply is None else None


def _cut(turn: LoggedTurn, rules: Rules) -> str | None:
    exchange = turn.exchange
    return exchange.error or exchange.outcome if exchange.outcome in ("cut", "cancelled") else None


def _refused(turn: LoggedTurn, rules: Rules) -> str | None:
    exchange = turn.exchange
    return "stopped by the provider's safety rules" if "Refused" in (exchange.error, exchange.stop.title()) else None


def _truncated(turn: LoggedTurn, rules: Rules) -> str | None:
    mended = turn.opinion.correction
    return "ended at its longest" if turn.exchange.stop == "length" and not mended else None


def _unfinished(turn: LoggedTurn, rules: Rules) -> str | None:
    reply = turn.reply
    return "the turn ended with a tool call" if reply and reply.tool_calls else None


def _regenerated(turn: LoggedTurn, rules: Rules) -> str | None:
    return "another reply was asked for" if turn.opinion.regenerated and not turn.on_path else None


def _left(turn: LoggedTurn, rules: Rules) -> str | None:
    return None if turn.on_path else "the conversation went on from another version"


def _disliked(turn: LoggedTurn, rules: Rules) -> str | None:
    rating, least = turn.opinion.rating, rules.liked_from
    if least is None or rating is None or turn.opinion.correction:
        return None
    return f"rated {rating:g}" if rating < least else None


SELECTION: tuple[Check[LoggedTurn], ...] = (
    Check("arm", "answered by an arm that was not asked for", _arm, lambda rules: rules.selection.arms),
    Check("dates", "outside of the time that was asked for", _dates),
    Check(
        "users",
        "of a tenant or a user that was not asked for",
        _users,
        lambda rules: rules.selection.tenants or rules.selection.users,
    ),
    Check(
        "tags",
        "in a conversation without one of the tags that were asked for",
        _tags,
        lambda rules: rules.selection.tags,
    ),
    Check(
        "rating", "not rated as well as was asked for", _rating, lambda rules: rules.selection.rated_from is not None
    ),
    Check(
        "consent",
        "the user did not agree to training, or does not any more",
        _consent,
        lambda rules: rules.consent_required,
    ),
    Check("holdout", "earlier than the holdout, of a user who is in it", _holdout, lambda rules: rules.holdout_us),
)
"""What decides whether an exchange may be taken at all, for an example of any shape."""

ANSWERED: tuple[Check[LoggedTurn], ...] = (
    Check("failed", "the call failed, or its reply is not there any more", _failed),
    Check("cut", "the stream was cut, or the turn was cancelled", _cut),
    Check("refused", "the provider's safety rules stopped the reply", _refused),
    Check("unfinished", "the turn ended with a tool call instead of a reply", _unfinished),
)
"""What an example of any shape needs: a whole reply."""

CHOSEN: tuple[Check[LoggedTurn], ...] = (
    Check("regenerated", "another reply was asked for, and the conversation went on from that", _regenerated),
    Check("left", "the conversation went on from another version of the question", _left),
    Check("truncated", "the reply ended because it was too long, and nobody corrected it", _truncated),
    Check(
        "disliked",
        "rated below harvest.liked_from, and not corrected",
        _disliked,
        lambda rules: rules.liked_from is not None,
    ),
)
"""What keeps a reply from being one to learn. The worse half of a preference, and one rated alone, may be such."""
