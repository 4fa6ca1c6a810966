"""The answer to a request: the passages that fit the question best, quoted with their source, or a tool call.

Pure and deterministic. Nothing is worded but the source: what is not in the messages cannot be in the answer.
"""

from collections.abc import Sequence
from operator import attrgetter

from persona.values.message import Message, ToolCall, ToolResult
from persona.values.request import Tool
from persona.values.words import language, sentences
from persona_embedded import intents
from persona_embedded.layout import Passage, Sheet, clean, read
from persona_embedded.match import ENOUGH, Asked, Match, rank
from persona_embedded.phrases import Wording, is_quoting, wording
from persona_embedded.toolcall import choose

_ALIKE = 0.08  # scores closer than this are the same answer: then the newest is the true one
_MOST_QUOTES = 3
_MOST_ABOUT_USER = 6
_LONGEST_QUOTE = 600
_MOST_QUESTION = 4000  # characters of a question that are looked for


def answer(messages: Sequence[Message], tools: Sequence[Tool] = ()) -> str | ToolCall:
    """What the extractive responder replies to these messages."""
    sheet = read(messages)
    lang = _language(sheet)
    words = wording(lang)
    if sheet.results:
        return "\n".join(_stated(result, words) for result in sheet.results)
    if courtesy := _courtesy(sheet.said, words):
        return courtesy
    question = " ".join(one for one in sentences(sheet.said) if intents.wants(one))[:_MOST_QUESTION]
    asked = Asked(question or sheet.said[:_MOST_QUESTION], lang)
    found = _answers(rank(asked, _searched(sheet, question)))
    if chosen := choose(asked.question, asked, tools, found[0].coverage if found else 0.0):
        return ToolCall(f"call_{sheet.calls_before + 1}", *chosen)
    quoted = [match.passage for match in found]
    if not quoted and intents.asks_about_self(question):
        quoted = _about_user(sheet.passages)
    return "\n".join(_quoted(passage, words) for passage in quoted) or (words.nothing if question else words.noted)


def _searched(sheet: Sheet, question: str) -> Sequence[Passage]:
    """Where an answer is looked for: nowhere when the user only states something."""
    if question:
        return sheet.passages
    if not intents.searches(sheet.said):
        return ()
    now = max((passage.said_at for passage in sheet.passages), default=0)  # the keywords themselves
    return [passage for passage in sheet.passages if passage.said_at < now]


def _language(sheet: Sheet) -> str:
    """The language of what the user just said, else of what they said before, else of their locale."""
    told = " ".join(passage.text for passage in sheet.passages[-20:] if passage.said_at)
    return language(sheet.said) or sheet.locale[:2].casefold() or language(told)


def _courtesy(said: str, words: Wording) -> str:
    if not said.strip() or intents.greets(said) or intents.asks_who_answers(said):
        return words.introduction
    return words.welcome if intents.thanks(said) else ""


def _answers(matches: Sequence[Match]) -> list[Match]:
    """The match to quote, and those that answer the parts of the question that it leaves open."""
    fitting = [match for match in matches if match.coverage >= ENOUGH]
    fitting = [match for match in fitting if match.passage.kind != "assistant"] or fitting[:1]
    chosen: list[Match] = []
    held: frozenset[str] = frozenset()
    while fitting and len(chosen) < _MOST_QUOTES:
        best = _newest(fitting)
        chosen.append(best)
        held |= best.held
        fitting = [match for match in fitting if match.held - held]
    return chosen


def _newest(matches: Sequence[Match]) -> Match:
    best = matches[0]
    alike = [match for match in matches if match.score >= best.score - _ALIKE and match.held == best.held]
    return max(alike, key=lambda match: (match.passage.recency, match.score))


def _about_user(passages: Sequence[Passage]) -> list[Passage]:
    known = [passage for passage in passages if passage.kind in ("profile", "told")]
    return sorted(known, key=attrgetter("recency"), reverse=True)[:_MOST_ABOUT_USER]


def _quoted(passage: Passage, words: Wording) -> str:
    text = " ".join(passage.text.split())
    if passage.kind == "assistant" and is_quoting(text):
        return text
    if len(text) > _LONGEST_QUOTE:
        text = text[: _LONGEST_QUOTE - 1].rstrip() + "…"
    return words.quote.format(lead=_lead(passage, words), text=text)


def _lead(passage: Passage, words: Wording) -> str:
    day = words.day(passage.date)
    match passage.kind:
        case "told":
            return words.told_on.format(day=day) if day else words.told
        case "profile":
            return words.profile + (words.heading.format(heading=day) if day else "")
        case "summary":
            return words.summary
        case "assistant":
            return words.answered
        case _:
            beside = words.heading.format(heading=passage.heading) if passage.heading else ""
            return words.according.format(title=passage.title) + beside


def _stated(result: ToolResult, words: Wording) -> str:
    lead = (words.failed if result.failed else words.according).format(title=result.name)
    return words.quote.format(lead=lead, text=clean(result.text).strip())
