"""`persona limits`: what is used of each limit in the settings."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from persona.cli.opening import read_settings
from persona.cli.options import Config, Json
from persona.cli.output import aside, show_json, show_table
from persona.cli.words import moment

if TYPE_CHECKING:
    from persona.assistant.spending import LimitUse

_NANO = 1_000_000_000


def limits(json: Json = False, config: Config = None) -> None:
    """Show what is used of each limit in the settings, by whom, and when it begins anew; who used most comes first.

    Somebody is counted from their first call on; what they used before a limit was set is in that count.
    """
    from persona.assistant.spending import limits_used

    found = limits_used(read_settings(config))
    if json:
        show_json([_json(one) for one in found])
    elif not found:
        aside("the settings have no limits: add [[limits]]")
    else:
        headers = ("limit", "each", "who", "dollars", "of", "tokens", "of", "begins anew")
        show_table(headers, [_row(one) for one in found])


def _json(one: "LimitUse") -> dict[str, Any]:
    used = None if one.used is None else {"usd": one.used.nano_usd / _NANO, "tokens": one.used.tokens}
    rule = {name: value for name, value in one.rule.model_dump().items() if value not in ("", None)}
    return {**asdict(one), "rule": rule, "used": used}


def _row(one: "LimitUse") -> tuple[str, ...]:
    rule, used = one.rule, one.used
    dollars, tokens = (f"{used.nano_usd / _NANO:.6f}", f"{used.tokens:,}") if used else ("-", "-")
    most = ("-" if rule.usd is None else f"{rule.usd:g}", "-" if rule.tokens is None else f"{rule.tokens:,}")
    who = "/".join(part for part in one.whom if part) if used else "nobody yet"
    each = f"{rule.by} on {rule.route}" if rule.route and rule.by != "route" else rule.by
    return str(one.number), each, who or "-", dollars, most[0], tokens, most[1], moment(one.until_us)
