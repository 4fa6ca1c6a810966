"""The report of a comparison as one HTML page: no request leaves it, and nothing that anybody wrote is markup.

It is read on a telephone as well as on a desk: the table of metrics becomes cards, and texts stand under each other.
"""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from math import isnan

from persona.reports.intervals import forest
from persona.values.comparison import Case, Comparison, Measured

_COLOURS = {"better": "good", "not worse": "good", "worse": "bad", "cannot tell": "open"}


def page(comparison: Comparison, cases: Sequence[Case]) -> str:
    """The page: the verdict, every metric with its interval, and the texts side by side."""
    style = (files("persona.reports") / "comparison.css").read_text(encoding="utf-8")
    script = (files("persona.reports") / "comparison.js").read_text(encoding="utf-8")
    base, other = map(escape, comparison.arms)
    parts = (
        _head(f"{comparison.route}: {comparison.arms[1]} against {comparison.arms[0]}", style),
        f'<header><p class="of">{escape(comparison.route)}</p><h1>{other} against {base}</h1>',
        f'<p class="verdict {_COLOURS[comparison.verdict]}"><b>{escape(comparison.verdict)}</b> '
        f"{escape(comparison.words)}</p>",
        _facts(comparison),
        "</header><main>",
        "<section><h2>Metrics</h2>" + _metrics(comparison, ""),
        *(_topic(comparison, topic) for topic in comparison.topics),
        "</section>",
        _examples(comparison, cases),
        f"</main><script>{script}</script></body></html>\n",
    )
    return "".join(parts)


def _head(title: str, style: str) -> str:
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
    )


def _facts(one: Comparison) -> str:
    asked = f"{one.pairs:,} of {one.examples:,} examples, {one.users:,} users"
    costs = ", ".join(f"{name} {f'${paid}' if paid else 'unknown'}" for name, paid in one.costs.items())
    failed = "; ".join(
        f"{arm}: " + ", ".join(f"{number} {error}" for error, number in errors.items())
        for arm, errors in one.failures.items()
    )
    rows = {
        "compared": asked,
        one.arms[0]: one.targets[0],
        one.arms[1]: one.targets[1],
        "holdout": f"{one.dataset} ({one.dataset_digest[:8]})",
        "cost": costs,
        "failed": failed or "nothing",
    }
    told = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rows.items())
    noted = "".join(f"<li>{escape(note)}</li>" for note in one.notes)
    return f"<dl>{told}</dl>" + (f'<ul class="notes">{noted}</ul>' if noted else "")


def _topic(comparison: Comparison, topic: str) -> str:
    return f"<details><summary>{escape(topic)}</summary>{_metrics(comparison, topic)}</details>"


def _metrics(comparison: Comparison, topic: str) -> str:
    some = [one for one in comparison.measured if one.topic == topic]
    base, other = map(escape, comparison.arms)
    heads = ("metric", base, other, "difference", "95 % interval", "p", "shows from", "won / lost", "examples")
    rows = "".join(_row(one, heads, main=one.metric == comparison.by) for one in some)
    return (
        f'<table class="metrics"><thead><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(one: Measured, heads: Sequence[str], *, main: bool) -> str:
    p = _p(one.p) if not one.topic else f"{_p(one.corrected)} corrected"
    mcnemar = "" if one.mcnemar is None else f"<small>McNemar {_p(one.mcnemar)}</small>"
    cells = (
        f"<b>{escape(one.metric)}</b>{_arrow(one)}",
        _number(one.base),
        _number(one.other),
        f"{one.difference:+.3g}",
        forest(one),
        p + mcnemar,
        _number(one.detectable),
        f"{one.wins:,} / {one.losses:,}",
        f"{one.pairs:,}<small>{one.users:,} users</small>",
    )
    told = "".join(f'<td data-is="{head}">{cell}</td>' for head, cell in zip(heads, cells, strict=True))
    return f'<tr class="main">{told}</tr>' if main else f"<tr>{told}</tr>"


def _arrow(one: Measured) -> str:
    return {"higher": "<small>more is better</small>", "lower": "<small>less is better</small>", "": ""}[one.better]


def _examples(comparison: Comparison, cases: Sequence[Case]) -> str:
    if not cases:
        return ""
    topics = list(dict.fromkeys(case.topic for case in cases if case.topic))
    chosen = "".join(f'<option value="{escape(one)}">{escape(one)}</option>' for one in topics)
    topic = f'<label>topic <select id="topic"><option value="">all</option>{chosen}</select></label>' if topics else ""
    outcomes = dict.fromkeys(_outcome(comparison, case) for case in cases)
    buttons = "".join(f'<option value="{one}">{one}</option>' for one in outcomes)
    outcome = f'<label>outcome <select id="outcome"><option value="">all</option>{buttons}</select></label>'
    shown = "".join(_case(comparison, case) for case in cases)
    form = f'<form class="filters">{outcome}{topic}<output id="shown">{len(cases)} shown</output></form>'
    return f"<section><h2>Examples</h2>{form}{shown}</section>"


def _case(comparison: Comparison, case: Case) -> str:
    outcome = _outcome(comparison, case)
    score = case.scores.get(comparison.by)
    said = "" if score is None else f"{escape(comparison.by)} {_number(score[0])} → {_number(score[1])}"
    topic = f'<span class="topic">{escape(case.topic)}</span>' if case.topic else ""
    wanted = f'<div class="wanted"><h4>reference</h4><p>{escape(case.reference)}</p></div>' if case.reference else ""
    answers = "".join(
        f"<div><h4>{escape(arm)}</h4>{_said(text, error)}</div>"
        for arm, text, error in zip(comparison.arms, case.answers, case.errors, strict=True)
    )
    return (
        f'<article data-topic="{escape(case.topic)}" data-outcome="{outcome}"><h3><span class="{outcome}">{outcome}'
        f"</span> {said} {topic}<small>{escape(case.id)}</small></h3>"
        f'<div class="asked"><h4>asked</h4><p>{escape(case.asked)}</p></div>'
        f'<div class="answers">{answers}</div>{wanted}</article>'
    )


def _outcome(comparison: Comparison, case: Case) -> str:
    score = case.scores.get(comparison.by)
    if any(case.errors):
        return "failed"
    if score is None or any(map(isnan, score)) or score[0] == score[1]:
        return "tie"
    main = comparison.of(comparison.by)
    lower = main is not None and main.better == "lower"
    return "won" if (score[1] > score[0]) != lower else "lost"


def _said(text: str, error: str) -> str:
    return f'<p class="error">{escape(error)}</p>' if error else f"<p>{escape(text)}</p>"


def _p(value: float) -> str:
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"


def _number(value: float | None) -> str:
    if value is None or isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
