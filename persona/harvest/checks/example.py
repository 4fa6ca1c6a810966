"""The checks on an example as it would be written."""

import re

from persona.harvest.candidate import Candidate
from persona.harvest.checks.rules import Check, Rules

_FENCED = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_PLACEHOLDER = re.compile(
    r"\{\{\s*[\w.]+\s*\}\}|\$\{\w+\}"
    r"|[\[<(](?:your |insert |votre |ins[ée]rer |the )?(?:full |first |last |company |nom |pr[ée]nom )*"
    r"(?:name|email(?: address)?|e-mail|phone(?: number)?|address|date|company|redacted|placeholder|link|url"
    r"|nom|pr[ée]nom|adresse|t[ée]l[ée]phone|num[ée]ro|lien)(?: here| ici)?[\]>)]"
    r"|</?(?:profile|recall|memory|knowledge|summary|context|fact)\b[^>\n]*>"
    r"|\blorem ipsum\b",
    re.IGNORECASE,
)


def _empty(one: Candidate, rules: Rules) -> str | None:
    rejected = one.rejected
    if not one.reply.strip() or (rejected is not None and not rejected.strip()):
        return "the reply says nothing"
    return None if one.question.strip() or one.pictures else "the question says nothing"


def _short(one: Candidate, rules: Rules) -> str | None:
    if len(one.reply.split(None, rules.min_reply_chars - 1)) >= rules.min_reply_chars:  # as most have so many words
        return None
    letters = len("".join(one.reply.split()))
    return f"{letters} characters" if letters < rules.min_reply_chars else None


def _same(one: Candidate, rules: Rules) -> str | None:
    rejected = one.rejected
    same = rejected is not None and rejected.split() == one.reply.split()
    return "both replies say the same" if same else None


def _placeholder(one: Candidate, rules: Rules) -> str | None:
    """What the user asked for, such as a template, may hold one; and so may code."""
    reply = one.reply
    if not ("(" in reply or "[" in reply or "<" in reply or "{" in reply or "$" in reply or "orem" in reply):
        return None  # with one of these every placeholder begins; a generator of them takes four times as long
    found = _PLACEHOLDER.search(_FENCED.sub(" ", reply) if "`" in reply else reply)
    return f"holds {found[0]}" if found and found[0] not in one.question else None


def _held_out(one: Candidate, rules: Rules) -> str | None:
    asked = [message.text for message in one.asked]
    if rules.every_reply and one.example.shape == "chat":
        asked += [message.text for message in one.example.messages if message.role == "user"]
    return "asks what a shot or a held-out example asks" if any(map(rules.held_out.holds, asked)) else None


def _language(one: Candidate, rules: Rules) -> str | None:
    other = rules.languages and one.language not in rules.languages
    return f"in {one.language or 'no language that is known'}" if other else None


def _long(one: Candidate, rules: Rules) -> str | None:
    too_long = rules.max_tokens and one.tokens > rules.max_tokens
    return f"{one.tokens} tokens, and {rules.max_tokens} are taken" if too_long else None


def _memory(one: Candidate, rules: Rules) -> str | None:
    return f"says {one.invented!r}, which the example does not show" if one.invented else None


EXAMPLE: tuple[Check[Candidate], ...] = (
    Check("empty", "the reply, or the question, says nothing", _empty),
    Check("short", "the reply has fewer characters than harvest.min_reply_chars", _short),
    Check("same", "both replies of a preference say the same", _same),
    Check("placeholder", "the reply holds what should have been filled in, or a tag of the window", _placeholder),
    Check(
        "held out",
        "asks what a shot of the route or an example of harvest.exclude asks",
        _held_out,
        lambda rules: rules.held_out.questions,
    ),
    Check("memory", "the reply uses what was remembered, and the example does not show it", _memory),
    Check("language", "in a language that harvest.languages does not name", _language, lambda rules: rules.languages),
)
"""In this order: what is cheap to tell comes first. What one takes out, the next ones do not see."""

COUNTED: tuple[Check[Candidate], ...] = (
    Check("long", "longer than the arm's window, the format or harvest.max_tokens takes", _long),
)
"""What is only known when personal data is replaced and the tokens are counted."""
