"""The sections of the page of a dataset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from persona.reports import charts
from persona.reports.markup import Child, Markup, joined, table, tag
from persona.reports.words import count, share, split_rule, told_settings
from persona.values.harvest import Checked, Outcome, Sample
from persona.values.portrait import Pair, Portrait

_UNKNOWN = "unknown"
_LONGEST = 1_000  # characters of a text that are shown
_PERSONAL = "personal: "  # how the names of its kinds begin
_KEPT = {"": "taken out later, by another check", "on another side": "kept: the one on another side"}
_ALIKE = ("duplicate", "near duplicate", "crosses sides")


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the page."""

    anchor: str
    title: str
    content: Markup


def sections(outcome: Outcome, portrait: Portrait) -> list[Section]:
    """All sections, in the order in which a person asks."""
    return [
        Section("size", "Is it enough?", _size(outcome)),
        Section("funnel", "From the log to the files", _funnel(outcome)),
        Section("lengths", "How long the examples are", _lengths(outcome)),
        Section("about", "Topics, languages, users", _about(outcome)),
        Section("map", "A map of the questions", _map(outcome, portrait)),
        Section("alike", "Duplicates and contradictions", _alike(outcome, portrait)),
        Section("split", "The split", _split(outcome)),
        Section("personal", "Consent and personal data", _personal(outcome)),
        Section("files", "Files", _files(outcome, portrait)),
        Section("settings", "How it was made", _settings(outcome)),
    ]


def _size(outcome: Outcome) -> Markup:
    kept = outcome.funnel.kept
    text = f"{count(kept, 'example')} {'is' if kept == 1 else 'are'} kept. What a purpose needs, as a rule of thumb:"
    note = "More of the same rarely makes up for mistakes: look at the samples below before you add to the number."
    return joined(tag("p", text), charts.scale(outcome.purposes, kept), tag("p", note, class_="soft"))


def _funnel(outcome: Outcome) -> Markup:
    funnel = outcome.funnel
    logged = [*funnel.stage("selection"), *funnel.stage("log")]
    made = [one for one in (*funnel.stage("example"), *funnel.stage("dataset")) if not _is_personal(one)]
    whole = max(funnel.exchanges, funnel.examples)
    silent = ", ".join(one.name for one in (*logged, *made) if not one.number)
    return joined(
        tag("p", "Every check in its order, with what it took out of what came to it. Samples show no personal data."),
        tag(
            "ol",
            _total("exchanges in the log", funnel.exchanges, whole),
            *_drops(logged, funnel.exchanges, whole),
            _total("examples made of them", funnel.examples, whole),
            *_drops(made, funnel.examples, whole),
            _total("kept", funnel.kept, whole),
            class_="funnel",
        ),
        tag("p", f"Nothing to take out for: {silent}.", class_="soft") if silent else None,
    )


def _is_personal(check: Checked) -> bool:
    return check.name.startswith(_PERSONAL)


def _total(name: str, number: int, whole: int) -> Markup:
    head = tag("div", tag("span", name, class_="name"), tag("span", f"{number:,}", class_="number"), class_="head")
    return tag("li", head, charts.bar(number, whole), class_="total")


def _drops(checks: Sequence[Checked], left: int, whole: int) -> Iterator[Markup]:
    for one in checks:
        if not one.number:
            continue
        came, left = left, max(0, left - one.number)
        head = tag(
            "div",
            tag("span", one.name, class_="name"),
            tag("span", f"−{one.number:,}", class_="number"),
            tag("span", share(one.number, came), class_="share"),
            class_="head",
        )
        picture = charts.bar(left, whole, one.number)
        yield tag("li", head, picture, tag("p", one.about, class_="reason"), _samples(one))


def _samples(check: Checked) -> Markup | None:
    if not check.samples:
        return None
    told = {check.about, check.name, check.name.removeprefix(_PERSONAL)}
    kind = f"{check.name.removeprefix(_PERSONAL)}: " if _is_personal(check) else ""
    samples = (_sample(one, one.reason if one.reason not in told else "") for one in check.samples)
    return _folded(f"{kind}{count(len(check.samples), 'sample')}", *samples)


def _sample(one: Sample, reason: str) -> Markup:
    texts = [("before", one.before), ("after", one.after)] if one.after else [("taken out", one.before)]
    return tag("div", tag("p", reason, dir="auto") if reason else None, _texts(texts), class_="sample")


def _texts(told: Sequence[tuple[str, str]]) -> Markup:
    """Texts side by side, or one below the other where there is no room."""
    each = [
        tag("div", tag("p", name, class_="label"), tag("p", _cut(text.strip()), class_="said", dir="auto"))
        for name, text in told
    ]
    return tag("div", *each, class_="texts")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _folded(summary: str, *content: Child) -> Markup:
    return tag("details", tag("summary", summary), *content)


def _lengths(outcome: Outcome) -> Markup:
    lengths = outcome.lengths
    if not lengths.edges:
        return tag("p", "There are no examples to measure.")
    told = (
        f"Half of the examples have up to {lengths.median:,} tokens, 95 of 100 up to {lengths.percentile_95:,}, "
        f"the longest {lengths.longest:,}."
    )
    limit = (
        f"The longest takes {share(lengths.longest, lengths.limit)} of the {lengths.limit:,} that an example may have."
        if lengths.limit
        else "No limit is known."
    )
    about = (
        "A column holds the examples of up to as many tokens as is written below it, and more than the column before. "
        f"Counted by {lengths.counter}: the whole request with its reply."
    )
    return joined(tag("p", f"{told} {limit}"), charts.histogram(lengths), tag("p", about, class_="soft"))


def _about(outcome: Outcome) -> Markup:
    kept = outcome.funnel.kept
    languages = {name or _UNKNOWN: number for name, number in outcome.languages.items()}
    users = {f"user no. {rank}": number for rank, number in enumerate(outcome.per_user, 1)}
    by_user = "By how much they gave; who they are is not told."
    return tag(
        "div",
        tag("div", tag("h3", "Topics"), charts.bars(outcome.topics, kept, "all others")),
        tag(
            "div",
            *(tag("h3", "Languages"), charts.bars(languages, kept, "all others")),
            *(tag("h3", "Users"), tag("p", by_user, class_="soft"), charts.bars(users, kept, "all others")),
        ),
        class_="columns",
    )


def _map(outcome: Outcome, portrait: Portrait) -> Markup:
    points, kept = portrait.points, outcome.funnel.kept
    if not points:
        return tag("p", "There is no map: nothing here makes vectors of texts.")
    some = f"{len(points):,} of the {count(kept, 'example')}, evenly over the log." if len(points) < kept else ""
    return joined(
        tag("p", f"Questions that mean much the same lie close to each other; an area is named by its words. {some}"),
        charts.legend(points),
        charts.plot(points),
        tag("p", "Point at a mark, or touch it, to read what is asked.", class_="pointed", dir="auto"),
        tag("p", "Only nearness tells something: the directions and the size of a gap do not.", class_="soft"),
    )


def _alike(outcome: Outcome, portrait: Portrait) -> Markup:
    found = {one.name: one for one in outcome.funnel.stage("dataset")}
    alike = sum(found[name].number for name in _ALIKE if name in found)
    against = found["contradiction"].number if "contradiction" in found else 0
    listed = any(one.path == "contradictions.jsonl" for one in portrait.files)
    text = (
        f"{count(alike, 'example')} said what another one says, and {against:,} contradicted another one. "
        "rows.jsonl lists all of them, each with the example that was kept instead"
        f"{'; contradictions.jsonl has every contradiction with both texts' if listed else ''}."
    )
    return joined(tag("p", text), *_pairs_of(found, portrait.pairs))


def _pairs_of(found: Mapping[str, Checked], pairs: Sequence[Pair]) -> Iterator[Markup]:
    for name, check in found.items():
        some = [one for one in pairs if one.check == name]
        if some:
            told = (
                f"{name}: {len(some):,} of {check.number:,}"
                if len(some) < check.number
                else f"{name}: {check.number:,}"
            )
            yield _folded(told, *(_pair(one) for one in some))


def _pair(one: Pair) -> Markup:
    kept = _KEPT.get(one.because, f"kept: the {one.because} one")
    differs = tag("p", f"differ in: {one.differs}", dir="auto") if one.differs else None
    if one.dropped == one.kept:
        return tag("div", _texts([(f"said twice; {kept}", one.kept)]), class_="sample")
    return tag("div", differs, _texts([("taken out", one.dropped), (kept, one.kept)]), class_="sample")


def _split(outcome: Outcome) -> Markup:
    kept = outcome.funnel.kept
    rows = [
        (
            *(one.side, f"{one.examples:,}", share(one.examples, kept), f"{one.users:,}", f"{one.tokens:,}"),
            ", ".join(f"{name or _UNKNOWN} {number:,}" for name, number in one.languages.items()),
        )
        for one in outcome.sides
    ]
    crossing = next((one.number for one in outcome.funnel.checks if one.name == "crosses sides"), 0)
    removed = (
        f" Before, {count(crossing, 'example')} went out that said what one on another side says." if crossing else ""
    )
    audit = (
        f"The boundary was audited after all was decided: of {count(outcome.users, 'user')} and "
        f"{count(kept, 'example')} none lies on two sides, "
        f"neither as the same user nor in nearly the same words.{removed}"
    )
    return joined(
        tag("p", split_rule(outcome.settings)),
        table(("side", "examples", "share", "users", "tokens", "languages"), rows, numbers=(1, 2, 3, 4)),
        tag("p", audit),
    )


def _personal(outcome: Outcome) -> Markup:
    mended = [one for one in outcome.funnel.checks if _is_personal(one) and one.mended]
    statement = tag("p", outcome.consent)
    if not mended:
        return joined(statement, tag("p", "No personal data was found."))
    rows = [(one.name.removeprefix(_PERSONAL), f"{one.mended:,}") for one in mended]
    text = "What was found and replaced by what is nobody's, the same value by the same one within a conversation:"
    kinds = tag("div", table(("kind", "places"), rows, numbers=(1,)), class_="tally")
    return joined(statement, tag("p", text), kinds, *map(_samples, mended))


def _files(outcome: Outcome, portrait: Portrait) -> Markup:
    rows = [
        (one.path, f"{one.examples:,}", f"{-(-one.bytes // 1024):,} kB", tag("code", one.sha256))
        for one in portrait.files
    ]
    notes = [tag("p", note) for note in outcome.notes]
    lost = [
        tag("li", f"{one.name} has no words for {count(number, 'example')}: {reason}")
        for one in outcome.formats
        for reason, number in one.unsayable.items()
    ]
    return joined(
        tag("div", table(("file", "lines", "size", "SHA-256"), rows, numbers=(1, 2)), class_="wide"),
        tag("ul", *lost) if lost else None,
        *notes,
        tag("p", "manifest.json holds these hashes and all numbers of this page for machines.", class_="soft"),
    )


def _settings(outcome: Outcome) -> Markup:
    rows = [(name, tag("code", value)) for name, value in told_settings(outcome.settings)]
    text = "The same log, with these settings, gives the same bytes."
    return joined(tag("p", text), _folded(f"{len(rows)} settings", table(("setting", "value"), rows)))
