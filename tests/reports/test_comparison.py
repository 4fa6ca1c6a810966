"""The report of a comparison: one page, no request, and nothing that anybody wrote is markup."""

import re
from html.parser import HTMLParser

from persona.reports.comparison import page
from persona.reports.intervals import forest
from persona.values.comparison import Case, Comparison, Measured

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def measured(metric: str = "format", topic: str = "", **changes: object) -> Measured:
    told = {"base": 0.5, "other": 0.8, "difference": 0.3, "low": 0.1, "high": 0.5, "p": 0.01, "corrected": 0.02}
    better = "lower" if metric == "cost_usd" else "higher"
    return Measured(metric, topic, better, 10, 5, **{**told, "detectable": 0.2, **changes})  # type: ignore[arg-type]


def comparison(**changes: object) -> Comparison:
    told: dict[str, object] = {
        **{"id": "evl_1", "route": "support", "arms": ("base", "tuned"), "targets": ("shop:a", "shop:b")},
        **{"dataset": "datasets/dst_1", "dataset_digest": "d" * 24, "settings_digest": "s", "by": "format"},
        **{"margin": 0.02, "verdict": "better", "words": "tuned is better", "examples": 10, "pairs": 10, "users": 5},
        **{"left_out": 0, "measured": (measured(), measured(topic="parcels"), measured("cost_usd", low=-0.2))},
    }
    return Comparison(**{**told, **changes})  # type: ignore[arg-type]


def case(**changes: object) -> Case:
    told = {
        "id": "exc_1",
        "topic": "parcels",
        "asked": "Where?",
        "reference": "In Lyon.",
        "answers": ("No.", "In Lyon."),
    }
    return Case(**{**told, "scores": {"format": (0.0, 1.0)}, **changes})  # type: ignore[arg-type]


class Tags(HTMLParser):
    """What a browser would make of it: the tags with their attributes, and the words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_says_the_verdict_the_metrics_and_both_texts() -> None:
    words = " ".join(Tags(page(comparison(notes=("7 were left out",)), [case()])).words)
    for said in ("tuned is better", "format", "+0.1 to +0.5", "In Lyon.", "No.", "7 were left out", "0.020 corrected"):
        assert said in words


def test_nothing_that_anybody_wrote_is_markup() -> None:
    evil = case(id=EVIL, topic=EVIL, asked=EVIL, reference=EVIL, answers=(EVIL, EVIL))
    odd = comparison(route=EVIL, arms=(EVIL, "b"), targets=(EVIL, EVIL), dataset=EVIL, words=EVIL, notes=(EVIL,))
    shown = Tags(page(odd, [evil, case(errors=(EVIL, ""))]))
    assert [tag for tag, _ in shown.tags].count("script") == 1
    assert not [tag for tag, _ in shown.tags if tag == "img"]
    assert not [name for _, attributes in shown.tags for name in attributes if name.startswith("on")]
    assert EVIL in " ".join(shown.words)


def test_nothing_is_loaded_from_anywhere() -> None:
    shown = page(comparison(), [case()])
    assert not re.search(r"https?:|@import|url\(|\bsrc=|<link", shown)
    assert "default-src 'none'" in shown
    assert 'name="viewport"' in shown


def test_examples_can_be_chosen_by_topic_and_by_how_they_ended() -> None:
    shown = Tags(
        page(comparison(), [case(), case(topic="hours", scores={"format": (1.0, 0.0)}), case(errors=("", "Refused"))])
    )
    articles = [attributes for tag, attributes in shown.tags if tag == "article"]
    assert [(one["data-topic"], one["data-outcome"]) for one in articles] == [
        *(("parcels", "won"), ("hours", "lost"), ("parcels", "failed"))
    ]
    values = [attributes.get("value") for tag, attributes in shown.tags if tag == "option"]
    assert values == ["", "won", "lost", "failed", "", "parcels", "hours"]


def test_what_is_less_is_won_where_less_is_better() -> None:
    shown = page(comparison(by="cost_usd"), [case(scores={"cost_usd": (0.2, 0.1)})])
    assert 'data-outcome="won"' in shown


def test_an_interval_is_drawn_around_zero_and_coloured_by_what_is_better() -> None:
    assert 'class="good"' in forest(measured())
    assert 'class="bad"' in forest(measured("cost_usd"))
    assert 'class="open"' in forest(measured(low=-0.1))
    assert "too few users" in forest(measured(low=None))
    line = re.search(r'class="reach" x1="([\d.]+)" x2="([\d.]+)"', forest(measured(low=-0.5)))
    assert line
    assert (float(line[1]), float(line[2])) == (8.0, 152.0)
