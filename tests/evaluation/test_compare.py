"""Two arms on one holdout: asked alike, measured, told, kept; whatever fails on the way is said."""

import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from evaluation.holdouts import Models, asked_in, chosen, compared, written

from persona import AuthenticationFailed, InvalidInput, NotFound, Overloaded, Refused
from persona.assistant.database import prepared
from persona.store import evaluations
from persona.values.request import Request

HOURS = [(f"When do you open on day {n}?", f"At {n} o'clock.") for n in range(12)]
WANTED = dict(HOURS)


def right(request: Request) -> str:
    return WANTED.get(asked_in(request), "At nine.")


def wrong(request: Request) -> str:
    return "I do not know."


def half(request: Request) -> str:
    return right(request) if len(asked_in(request)) % 2 else wrong(request)


def everyone(**answers: object) -> Models:
    told = {"base": wrong, "tuned": right, "judge": lambda request: '{"winner": "tie"}'}
    return Models({**told, **answers})  # type: ignore[dict-item]


async def test_the_better_arm_is_said_to_be_better_with_its_figures(tmp_path: Path) -> None:
    found = await compared(tmp_path, everyone(), written(tmp_path / "test.jsonl", HOURS))
    assert (found.verdict, found.by, found.pairs, found.users) == ("better", "chrf", 12, 12)
    exact = found.of("exact")
    assert exact
    assert (exact.base, exact.other, exact.difference, exact.wins, exact.losses) == (0.0, 1.0, 1.0, 12, 0)
    assert exact.mcnemar == 2 / 2**12
    assert exact.low is not None
    assert exact.low > 0.4
    assert found.words.startswith("tuned is better than base: chrf")
    assert "the file names no users: each of its rows counts as a user of its own" in found.notes
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!doctype html>")
    assert found.report == str(tmp_path / "out" / "report.html")


async def test_the_report_is_named_by_its_whole_path_wherever_a_receipt_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = await compared(tmp_path, everyone(), written(tmp_path / "test.jsonl", HOURS), out=Path("out"))
    assert found.report == str(tmp_path / "out" / "report.html")


async def test_answers_that_cannot_be_kept_are_asked_of_nobody(tmp_path: Path) -> None:
    models, file = everyone(), written(tmp_path / "test.jsonl", HOURS)
    with pytest.raises(InvalidInput, match="cannot keep answers in"):
        await compared(tmp_path, models, file, out=file)
    assert not any(model.requests for model in models.models.values())


async def test_arms_that_say_the_same_are_not_told_apart(tmp_path: Path) -> None:
    found = await compared(tmp_path, everyone(base=right), written(tmp_path / "test.jsonl", HOURS), by="exact")
    assert found.verdict == "cannot tell"
    assert "12 examples of 12 users cannot tell tuned from base" in found.words
    noworse = await compared(
        tmp_path, everyone(base=right), written(tmp_path / "test.jsonl", HOURS), by="exact", margin=0.3
    )
    assert noworse.verdict == "not worse"
    worse = await compared(
        *(tmp_path, everyone(base=right, tuned=wrong), written(tmp_path / "test.jsonl", HOURS)),
        **{"by": "exact", "out": tmp_path / "other"},
    )
    assert worse.verdict == "worse"


async def test_each_arm_is_asked_with_its_own_instructions_and_not_those_of_the_file(tmp_path: Path) -> None:
    models = everyone()
    await compared(tmp_path, models, written(tmp_path / "test.jsonl", HOURS[:2]))
    (base, *_), (tuned, *_) = models.models["base"].requests, models.models["tuned"].requests
    assert [one.text for one in tuned.messages][:1] == ["Be brief."]
    assert base.messages[0].text.startswith("You are a helpful assistant")
    assert not any("Somebody else" in one.text for one in (*base.messages, *tuned.messages))
    assert [one.text for one in base.messages[1:]] == [one.text for one in tuned.messages[1:]]


async def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    on = written(tmp_path / "test.jsonl", HOURS)
    first, again = everyone(), everyone()
    one = await compared(tmp_path, first, on, judge="judging")
    other = await compared(tmp_path, again, on, judge="judging")
    assert [first.calls(name) for name in ("base", "tuned", "judge")] == [12, 12, 24]
    assert [again.calls(name) for name in ("base", "tuned", "judge")] == [0, 0, 0]
    assert [m.difference for m in one.measured] == [m.difference for m in other.measured]
    assert one.costs == other.costs


async def test_a_line_that_a_crash_cut_is_asked_again_and_the_others_are_not(tmp_path: Path) -> None:
    on = written(tmp_path / "test.jsonl", HOURS)
    await compared(tmp_path, everyone(), on)
    journal = tmp_path / "out" / "answers.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    for expected in (1, 0):
        models = everyone()
        found = await compared(tmp_path, models, on)
        assert models.calls("base") + models.calls("tuned") == expected
        assert found.pairs == 12


async def test_the_limit_is_never_passed_and_what_was_left_out_is_said(tmp_path: Path) -> None:
    on = written(tmp_path / "test.jsonl", HOURS)
    models = everyone()
    found = await compared(tmp_path, models, on, limit_usd=Decimal("0.001"), concurrency=8)
    paid = sum(Decimal(cost) for cost in found.costs.values())
    assert 0 < paid <= Decimal("0.001")
    assert 0 < found.pairs < 12
    assert found.left_out == 12 - found.pairs
    assert f"{found.left_out} examples were not asked: they might have passed the limit of $0.001" in found.notes
    rest = everyone()
    whole = await compared(tmp_path, rest, on)
    assert (whole.left_out, rest.calls("base")) == (0, 12 - models.calls("base"))


async def test_a_limit_on_what_has_no_price_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    models = Models({"base": wrong, "tuned": right, "judge": wrong}, price=None)
    with pytest.raises(InvalidInput, match="the price of base:any is not known"):
        await compared(tmp_path, models, written(tmp_path / "t.jsonl", HOURS), limit_usd=Decimal(1))
    assert models.calls("base") == 0
    found = await compared(tmp_path, models, written(tmp_path / "t.jsonl", HOURS))
    assert found.costs == {"base": "", "tuned": ""}
    assert found.of("cost_usd") is None


async def test_a_failure_that_stays_counts_against_the_arm_and_one_that_may_pass_does_not(tmp_path: Path) -> None:
    on = written(tmp_path / "test.jsonl", HOURS)

    def failing(request: Request) -> object:
        asked = asked_in(request)
        if "day 3?" in asked:
            return Refused("no", target="tuned:any")
        return Overloaded("busy", target="tuned:any") if "day 4?" in asked else right(request)

    settled = await compared(tmp_path, everyone(base=right, tuned=failing), on, by="exact")
    assert settled.failures == {"tuned": {"Overloaded": 1, "Refused": 1}}
    assert settled.pairs == 11
    assert [settled.of(name).other for name in ("exact", "answered", "refused")] == [10 / 11, 10 / 11, 1 / 11]  # type: ignore[union-attr]
    assert "1 examples lack an answer since a provider failed; the same command asks for them again" in settled.notes
    later = everyone(base=right)
    whole = await compared(tmp_path, later, on)
    assert (whole.pairs, later.calls("tuned"), later.calls("base")) == (12, 1, 0)


async def test_no_answer_has_a_form_whatever_the_pattern_takes(tmp_path: Path) -> None:
    models = everyone(base=right, tuned=lambda request: Refused("no", target="tuned:any"))
    found = await compared(tmp_path, models, written(tmp_path / "test.jsonl", HOURS), pattern=".*")
    assert (found.by, found.verdict, found.of("format").other) == ("format", "worse", 0.0)  # type: ignore[union-attr]


async def test_what_every_call_would_meet_stops_the_comparison_and_keeps_the_answers(tmp_path: Path) -> None:
    on = written(tmp_path / "test.jsonl", HOURS)
    models = everyone(tuned=lambda request: AuthenticationFailed("no key", target="tuned:any"))
    with pytest.raises(AuthenticationFailed):
        await compared(tmp_path, models, on, concurrency=1)
    assert models.calls("tuned") == 1


async def test_a_judge_that_prefers_a_place_tells_nothing_and_one_that_does_not_decides(tmp_path: Path) -> None:
    on = written(tmp_path / "test.jsonl", HOURS)
    partial = await compared(tmp_path, everyone(judge=lambda r: '{"winner": "A"}'), on, judge="judging")
    judged = partial.of("judge")
    assert judged
    assert (judged.difference, judged.ties, partial.verdict) == (0.0, 12, "cannot tell")
    assert any("changed its mind with the order on 12 of 12" in note for note in partial.notes)

    def fair(request: Request) -> str:
        told = json.loads(request.messages[-1].text.rpartition("}\n")[2])
        return json.dumps({"winner": "A" if told["A"] == told["reference"] else "B", "reason": "it is right"})

    decided = await compared(tmp_path, everyone(judge=fair), on, judge="judging", out=tmp_path / "fair")
    assert (decided.by, decided.verdict, decided.of("judge").wins) == ("judge", "better", 12)  # type: ignore[union-attr]
    assert Decimal(decided.costs["judge"]) == Decimal("0.00264")


async def test_a_judge_without_a_verdict_is_counted_and_the_same_words_need_none(tmp_path: Path) -> None:
    models = everyone(base=half, judge=lambda request: "Both are lovely.")
    found = await compared(tmp_path, models, written(tmp_path / "test.jsonl", HOURS), judge="judging", by="exact")
    unlike = models.calls("judge") // 2
    assert 0 < unlike < 12
    assert f"the judge gave no verdict on {unlike} of {unlike} examples" in found.notes
    assert found.of("judge").pairs == 12 - unlike  # type: ignore[union-attr]


async def test_topics_are_measured_on_their_own_and_corrected_for_being_several(tmp_path: Path) -> None:
    on = written(tmp_path / "test.jsonl", HOURS[:6], topic="hours")
    lines = on.read_text() + written(tmp_path / "more.jsonl", HOURS[6:], topic="days").read_text()
    on.write_text(lines)
    found = await compared(tmp_path, everyone(), on)
    assert sorted(found.topics) == ["days", "hours"]
    hours = found.of("chrf", "hours")
    assert hours
    assert (hours.pairs, hours.corrected) == (6, pytest.approx(2 * hours.p))


async def test_a_row_that_cannot_be_read_and_a_window_that_is_too_small_are_said(tmp_path: Path) -> None:
    on = written(tmp_path / "test.jsonl", [*HOURS, ("long " * 1150, "At nine.")])
    on.write_text(on.read_text() + '{"messages": []}\n')
    found = await compared(tmp_path, everyone(), on)
    assert (found.examples, found.pairs) == (14, 13)
    assert found.failures == {"tuned": {"WindowTooSmall": 1}}
    assert any(note.startswith("1 examples were not asked:") for note in found.notes)


async def test_the_numbers_are_kept_for_gates_and_hold_no_text(tmp_path: Path) -> None:
    found = await compared(tmp_path, everyone(), written(tmp_path / "test.jsonl", HOURS))
    with prepared(chosen(tmp_path)) as database:
        kept = database.run_now(lambda tx: evaluations.of_arms(tx, "support", "base", "tuned"), write=False)
        assert kept == found
        assert database.run_now(lambda tx: evaluations.newest(tx, "support", 5), write=False) == [found]
        assert database.run_now(lambda tx: evaluations.find(tx, found.id), write=False) == found
        with pytest.raises(NotFound):
            database.run_now(lambda tx: evaluations.find(tx, "evl_0"), write=False)
    with closing(sqlite3.connect(tmp_path / "persona.db")) as connection:
        (row,) = connection.execute("SELECT * FROM persona_evaluations").fetchall()
    assert not [text for text in ("o'clock", "When do you", "I do not know") if text in str(row)]


async def test_what_cannot_be_compared_is_refused_with_what_can(tmp_path: Path) -> None:
    on = written(tmp_path / "test.jsonl", HOURS[:3])
    refusals = [
        ({"arms": ("base",)}, "between two arms"),
        ({"arms": ("base", "base")}, "between two arms"),
        ({"arms": ("base", "nobody")}, "it has base, tuned"),
        ({"by": "beauty"}, "no metric 'beauty'"),
        ({"by": "format"}, "'format' was not measured"),
        ({"by": "length"}, "neither better nor worse"),
    ]
    for wish, said in refusals:
        with pytest.raises((InvalidInput, NotFound), match=said):
            await compared(tmp_path, everyone(), on, **wish)
    with pytest.raises(InvalidInput, match="no holdout at"):
        await compared(tmp_path, everyone(), tmp_path / "nothing")
