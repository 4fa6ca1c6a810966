"""The page of a dataset: what it must say, that nothing in it can act or be fetched, and that it stays small."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from persona.reports.dataset import page
from persona.reports.verdict import verdict
from persona.values.harvest import (
    Checked,
    FormatCount,
    Funnel,
    Lengths,
    Outcome,
    Sample,
    SideCount,
    purposes,
)
from persona.values.portrait import File, Pair, Point, Portrait

HOSTILE = "</title></svg><script>alert(1)</script><img src=x onerror=alert(1)> \" onmouseover='x' & \x1b[31m \ud800"
_LEFT_OPEN = {"meta"}


def outcome(kept: int = 400, **changes: Any) -> Outcome:
    """What a harvest of a thousand exchanges did, without anything to criticise."""
    checks = (
        Checked("users", "selection", "of a user that was not asked for"),
        Checked("consent", "log", "the user did not agree", 190),
        Checked("short", "example", "too few characters", 100, 0, (Sample("e1", "short", "Hi?\n→ ok"),)),
        Checked(
            "personal: email",
            "example",
            "replaced",
            0,
            31,
            (Sample("e2", "email", "at [email_1]", "at x@example.org"),),
        ),
        Checked("duplicate", "dataset", "says the same", 200),
        Checked("contradiction", "dataset", "contradicts", 100),
    )
    made = Outcome(
        id="dst_1",
        path="/datasets/dst_1",
        route="support",
        funnel=Funnel(300, 1_000, 800, kept, checks),
        sides=(
            SideCount("train", kept - 40, 50, 9_000, {"fr": kept - 40}),
            SideCount("validation", 20, 5, 500, {"fr": 20}),
            SideCount("test", 20, 5, 500, {"": 20}),
        ),
        formats=(FormatCount("trl", {"train": kept - 40, "validation": 20, "test": 20}),),
        lengths=Lengths("estimate-1", (64, 128), (100, kept - 100, 0), 1_000, 80, 120, 128),
        languages={"fr": kept - 20, "": 20},
        per_user=(12, 11, 9),
        purposes=purposes(kept),
        settings={
            "selection": {"users": ["ada"], "tenants": []},
            "settings": {"consent": "required"},
            "arm": "base",
        },
        consent="Only exchanges of users who agreed.",
        users=60,
        newest_us=1_760_000_000_000_000,
        topics={"refund": 30},
    )
    return replace(made, **changes)


class Read(HTMLParser):
    """The elements and words of a page; an element that is not closed in its place fails."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _LEFT_OPEN:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.said.append(data)

    @property
    def text(self) -> str:
        """All words, with single spaces."""
        return " ".join(" ".join(self.said).split())

    def attributes(self, *names: str) -> Iterator[tuple[str, str]]:
        """Attributes of these names, wherever they are."""
        for tag, found in self.elements:
            yield from ((tag, found[name] or "") for name in names if name in found)


@pytest.fixture
def portrait() -> Portrait:
    points = tuple(
        Point(10 * n, 1000 - 10 * n, "refund" if n % 3 else "delivery", "train", f"q {n}") for n in range(90)
    )
    pairs = (
        Pair("contradiction", "number 9 or 10", "better rated", "When?\n→ At 9", "When?\n→ At 10"),
        Pair("duplicate", "", "newer", "Who?\n→ Me", "Who?\n→ Me"),
    )
    return Portrait(points, pairs, (File("trl/train.jsonl", "ab" * 32, 5_000, 360),))


def test_the_page_begins_with_the_verdict(portrait: Portrait) -> None:
    read = Read(page(outcome(), portrait))
    assert [tag for tag, _ in read.elements].count("h1") == 1
    assert "Ready: 400 examples, enough for classification." in read.text
    assert read.text.index("Ready: 400") < read.text.index("Is it enough?")


def test_every_number_of_the_outcome_is_on_the_page(portrait: Portrait) -> None:
    said = Read(page(outcome(), portrait)).text
    for words in (
        "style 50–100 reached",
        "analysis 500–1,000 100 more",
        "exchanges in the log 1,000 consent −190 19 % the user did not agree",
        "examples made of them 800 short −100 12 % too few characters 1 sample taken out Hi? → ok",
        "contradiction −100 20 %",
        "kept 400",
        "Half of the examples have up to 80 tokens, 95 of 100 up to 120, the longest 128.",
        "13 % of the 1,000 that an example may have",
        "refund 30 7.5 %",
        "unknown 20 5.0 %",
        "user no. 1 12",
        "train 360 90 % 50 9,000 fr 360",
        "of 60 users and 400 examples none lies on two sides",
        "Only exchanges of users who agreed.",
        "email 31",
        "before at [email_1] after at x@example.org",
        "differ in: number 9 or 10 taken out When? → At 9 kept: the better rated one When? → At 10",
        "said twice; kept: the newer one Who? → Me",
        "trl/train.jsonl 360 5 kB " + "ab" * 32,
        "harvest.consent required",
        "Nothing to take out for: users.",
    ):
        assert words in said


def test_nobody_is_named(portrait: Portrait) -> None:
    html = page(outcome(), portrait)
    assert "ada" not in Read(html).text.split()
    assert "selection.users 1 named" in Read(html).text


def saying(text: str) -> str:
    """A page on which everything that comes from chats, files and settings says this."""
    told = outcome()
    sample = Sample(text, text, text, text)
    checks = tuple(replace(one, samples=(sample,), about=text) for one in told.funnel.checks)
    form = FormatCount("trl", {"train": 1}, {text: 300})
    pairs = (Pair("duplicate", text, "newer", text, f"{text}."),)
    told = replace(
        told,
        funnel=replace(told.funnel, checks=checks),
        formats=(form,),
        topics={text: 3},
        languages={text: 1},
        settings={text: text},
        consent=text,
        notes=(text,),
    )
    return page(told, Portrait((Point(1, 1, text, "train", text),), pairs, (File(text, text, 1, 1),)))


def test_what_a_chat_says_never_becomes_markup() -> None:
    harmless, hostile = Read(saying("plainly")), Read(saying(HOSTILE))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
    assert [list(found) for _, found in hostile.elements] == [list(found) for _, found in harmless.elements]
    assert hostile.text.count("<script>alert(1)</script>") == harmless.text.count("plainly")
    assert "\x1b" not in saying(HOSTILE)
    assert saying(HOSTILE).encode("utf-8")


def test_nothing_is_loaded_from_anywhere(portrait: Portrait) -> None:
    html = page(outcome(), portrait)
    read = Read(html)
    assert all(value.startswith("#") for _, value in read.attributes("src", "href", "srcset", "action", "data"))
    assert not {tag for tag, _ in read.elements} & {"link", "img", "iframe", "object", "embed", "form", "base"}
    assert not re.search(r"https?:|@import|url\(|fetch\(|XMLHttp|import\(", html)
    policy = next(found["content"] for _, found in read.elements if "http-equiv" in found)
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_every_link_of_the_page_has_its_place(portrait: Portrait) -> None:
    read = Read(page(outcome(), portrait))
    ids = {value for _, value in read.attributes("id")}
    assert {value.removeprefix("#") for _, value in read.attributes("href")} <= ids
    assert len(ids) == len(list(read.attributes("id")))


def test_headings_go_down_one_level_at_a_time(portrait: Portrait) -> None:
    levels = [int(tag[1]) for tag, _ in Read(page(outcome(), portrait)).elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_page_stays_small_however_long_the_texts_are() -> None:
    long = "word " * 100_000
    points = tuple(Point(n % 1000, n // 2, f"area {n % 7}", "train", "x" * 160) for n in range(2_000))
    pairs = tuple(Pair(name, long, "newer", long, long) for name in ("duplicate", "contradiction") for _ in range(20))
    sample = (Sample("e", "short", long),) * 3
    checks = tuple(replace(one, samples=sample) for one in outcome().funnel.checks)
    told = outcome(funnel=replace(outcome().funnel, checks=checks))
    assert len(page(told, Portrait(points, pairs)).encode()) < 1_500_000


def test_a_harvest_that_kept_nothing_has_a_page_too() -> None:
    bare = Outcome(
        *("dst_0", "", "support", Funnel(0, 0, 0, 0), (), (), Lengths("exact"), {}, (), purposes(0), {}, "None."),
    )
    read = Read(page(bare, Portrait()))
    assert "Not ready: 0 examples" in read.text
    assert "There are no examples to measure." in read.text


@pytest.mark.parametrize(
    ("changes", "what", "then"),
    [
        ({"users": 3}, "All examples are of 3 users", "let more users talk"),
        ({"per_user": (200, 10)}, "One user gave 50 % of the examples", "harvest.per_user"),
        ({"topics": {"refund": 300}}, "75 % of the examples are on one topic, 'refund'", "harvest.per_topic"),
        ({"settings": {"settings": {"consent": "not_required"}}}, "Consent was not required", "legal ground"),
        (
            {"formats": (FormatCount("trl", {"train": 9}, {"no tools": 30}),)},
            "trl has no words for 30 examples",
            "no tools",
        ),
        ({"sides": (SideCount("train", 400, 60),)}, "No example for validation and test", "harvest.split"),
        (
            {"sides": (SideCount("train", 380), SideCount("validation", 15), SideCount("test", 5))},
            "The test has 5 examples",
            "harvest.split",
        ),
        (
            {"funnel": Funnel(1, 1000, 400, 400, (Checked("consent", "log", "not agreed", 600),))},
            "60 % went out as 'consent'",
            "user.consent(training=True)",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_is_out_of_balance_is_named_with_what_to_do_next(changes: dict[str, Any], what: str, then: str) -> None:
    told = verdict(outcome(**changes))
    assert told.ready
    (advice,) = told.advice
    assert what in advice.what
    assert then in advice.then
    assert told.headline.endswith("1 thing to look at first.")


def test_a_dataset_without_fault_has_no_advice() -> None:
    told = verdict(outcome())
    assert (told.ready, told.advice) == (True, ())


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({}, "Not ready: 45 examples, and 50 are the least that change a model's style."),
        (
            {"funnel": outcome().funnel, "sides": (SideCount("test", 400, 60),)},
            "Not ready: nothing is left to train on",
        ),
        ({"funnel": outcome().funnel, "formats": (FormatCount("trl"),)}, "Not ready: The format trl has no example."),
    ],
    ids=["few", "side", "form"],
)
def test_what_would_be_trained_on_in_vain_is_not_ready(changes: dict[str, Any], headline: str) -> None:
    told = verdict(outcome(45, **changes))
    assert not told.ready
    assert told.headline.startswith(headline)


def test_what_took_out_most_is_what_to_mend_when_there_is_too_little() -> None:
    assert "'duplicate' (200) and 'consent' (190)" in verdict(outcome(45)).advice[0].then
