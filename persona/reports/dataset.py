"""`report.html`: a dataset on one page, from the verdict down to the hashes of its files, with nothing beside it."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from persona.reports import dataset_parts as parts
from persona.reports.charts import marks
from persona.reports.markup import Markup, joined, tag
from persona.reports.verdict import Verdict, verdict
from persona.values.harvest import Outcome
from persona.values.portrait import Portrait
from persona.values.time import iso_day

NAME = "report.html"


def page(outcome: Outcome, portrait: Portrait) -> str:
    """The page, which asks for nothing from anywhere: one file, a few hundred kB at most."""
    sections = parts.sections(outcome, portrait)
    head = joined(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"Dataset {outcome.id}"),
        tag("style", Markup(_asset("css"))),
    )
    body = joined(
        marks(),
        _header(outcome, verdict(outcome), [(one.anchor, one.title) for one in sections]),
        tag("main", *(tag("section", tag("h2", one.title), one.content, id=one.anchor) for one in sections)),
        tag("footer", tag("p", f"{outcome.id}. This page is one file: it loads nothing, and sends nothing.")),
        tag("script", Markup(_asset("js"))),
    )
    return f"<!doctype html>\n{tag('html', tag('head', head), tag('body', body), lang='en')}\n"


def _header(outcome: Outcome, told: Verdict, anchors: list[tuple[str, str]]) -> Markup:
    until = f", log until {iso_day(outcome.newest_us)}" if outcome.newest_us else ""
    advice = [
        tag(
            "li",
            tag("strong", one.what) if at or told.ready else None,  # the first thing that is missing is the headline
            tag("span", f"Next: {one.then}."),
            class_="blocks" if one.blocks else None,
        )
        for at, one in enumerate(told.advice)
    ]
    links = [tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title in anchors]
    return tag(
        "header",
        tag("p", f"Dataset {outcome.id} · route {outcome.route}{until}", class_="eyebrow"),
        tag("h1", told.headline, class_="ready" if told.ready else "not-ready"),
        tag("ul", *advice, class_="advice") if advice else None,
        tag("dl", *(_fact(*one) for one in _facts(outcome)), class_="facts"),
        tag("nav", tag("ul", *links), aria_label="On this page"),
    )


def _facts(outcome: Outcome) -> list[tuple[str, str]]:
    funnel = outcome.funnel
    tokens = sum(one.tokens for one in outcome.sides)
    return [
        ("examples", f"{funnel.kept:,}"),
        ("users", f"{outcome.users:,}"),
        ("conversations", f"{funnel.conversations:,}"),
        ("tokens", f"{tokens:,}"),
        ("formats", ", ".join(one.name for one in outcome.formats)),
        ("arm", str(outcome.settings.get("arm", ""))),
    ]


def _fact(name: str, value: str) -> Markup:
    return tag("div", tag("dt", name), tag("dd", value))


def _policy() -> str:
    """Nothing is loaded, and nothing runs but our own script: what a chat says stays words, whatever it says."""
    return f"default-src 'none'; style-src {_digest('css')}; script-src {_digest('js')}; base-uri 'none'"


def _digest(kind: str) -> str:
    return f"'sha256-{b64encode(sha256(_asset(kind).encode()).digest()).decode()}'"


@cache
def _asset(kind: str) -> str:
    return (files("persona.reports") / f"dataset.{kind}").read_text(encoding="utf-8")
