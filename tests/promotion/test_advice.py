"""Prompt, retrieval, fine-tuning or not yet: from figures to an answer, and from a real log to the figures."""

import json
from dataclasses import replace

import pytest
from tuning_backend import CARD, Backend
from typer.testing import CliRunner

from persona import InvalidInput, NotFound
from persona.assistant.advising import advise_on
from persona.cli.app import app
from persona.promotion.advice import Advice, Judged, Prices, Seen, advise, detectable, fault, saved
from persona.settings import load
from persona.values.tuning import TuningCard

from .conftest import Shop

PRICES = Prices(read=2.0, cached=0.5, training=10.0, hosting=0.0)
SEEN = Seen(
    *("support", 10_000, 30.44, 800.0, 400.0, 2_000.0, 200.0, 0.0),
    *(200, (), 1_200, 3_000, 400, True, PRICES),
)
STYLE = Judged("we open at nine in the morning", "we open at nine")
LOST = Judged("I do not know")


def test_a_correction_in_other_words_of_the_same_is_style_and_one_with_other_content_is_not() -> None:
    assert fault(STYLE) == "style"
    assert fault(Judged("the shop is open", "refunds take thirty days")) == "knowledge"
    assert fault(Judged("the shop is open", "refunds take thirty days", recalled=True)) == "unclear"
    assert fault(Judged(malformed=True, recalled=True)) == "style"


def test_replies_that_lacked_knowledge_ask_for_retrieval() -> None:
    found = advise(replace(SEEN, bad=[LOST] * 30 + [STYLE] * 10))
    assert (found.answer, found.bad_share, found.faults) == (
        "retrieval",
        0.2,
        {"knowledge": 30, "style": 10, "unclear": 0},
    )
    assert "30 were shown nothing that was recalled: see what its knowledge lacks" in found.because[0]
    assert "give the route knowledge" in advise(replace(SEEN, bad=[LOST] * 30, has_knowledge=False)).because[0]


def test_replies_in_the_wrong_style_ask_for_shots_first_and_for_tuning_once_there_are_examples() -> None:
    bad = replace(SEEN, bad=[STYLE] * 30 + [LOST] * 10)
    assert advise(bad).answer == "fine-tuning"
    assert advise(replace(bad, shots=0.0, usable=60)).answer == "prompt"
    few = advise(replace(bad, usable=30, waiting=40))
    assert few.answer == "not yet"
    assert few.because[1] == "30 examples are usable, and style needs 50 to 100; 40 more wait only for a good rating"
    assert few.purposes == {"style": False, "classification": False, "analysis": False, "generation": False}


def test_without_a_fault_only_a_saving_speaks_for_tuning() -> None:
    saving = saved(SEEN)  # 1,200 tokens of 10,000 turns a month at $2; 1,200 examples of 1,000 tokens, three times
    assert saving.usd_a_month == pytest.approx(24.0)
    assert saving.training_usd == pytest.approx(36.0)
    assert saving.months == pytest.approx(1.5)
    assert advise(SEEN).answer == "fine-tuning"
    assert advise(replace(SEEN, usable=200)).answer == "not yet"


def test_what_was_read_from_the_cache_saves_less() -> None:
    assert saved(replace(SEEN, cached=1_200.0)).usd_a_month == pytest.approx(6.0)
    assert saved(replace(SEEN, cached=600.0)).usd_a_month == pytest.approx(15.0)


def test_hosting_that_costs_more_than_it_saves_is_said() -> None:
    found = advise(replace(SEEN, prices=replace(PRICES, hosting=1.0)))
    assert (found.answer, found.because[1]) == ("not yet", "a tuned model would cost more than it saves")
    assert found.to_dict()["saving"]["months"] is None
    assert found.to_dict()["saving"]["pays"] is False


@pytest.mark.parametrize("missing", ["read", "training", "hosting"])
def test_an_unknown_price_stays_unknown(missing: str) -> None:
    found = advise(replace(SEEN, prices=replace(PRICES, **{missing: None})))
    assert (found.answer, found.saving.months) == ("not yet", None)
    assert found.because[1] == "whether a tuned model would pay is unknown: a price is missing"


def test_too_few_judged_replies_say_nothing_of_faults() -> None:
    found = advise(replace(SEEN, judged=7, bad=[LOST] * 7, usable=9))
    assert (found.answer, found.because[0][:27]) == ("not yet", "only 7 replies were judged,")
    assert advise(replace(SEEN, turns=0, judged=0)).because == (
        "no turn was answered on this route: there is nothing to go by",
    )


def test_more_users_show_smaller_differences() -> None:
    assert detectable(100) == pytest.approx((1.9842 + 0.8416) * 0.55 / 10, rel=1e-4)  # t of 99 degrees, z of 80 %
    assert detectable(2) is None
    assert detectable(0) is None


def test_the_figures_are_read_from_the_log(shop: Shop) -> None:
    shop.path.write_text(
        shop.text.replace('serve = "base"', 'serve = "base"\nshots.items = [{ user = "hi", assistant = "Hello." }]')
    )
    shop.desk.model.then("at nine", "at ten", "nothing", "who knows", "never counted")
    assistant = shop.open()
    for name, agrees in (("ada", True), ("bob", False)):
        assistant.user(name).consent(training=agrees)
    ada, bob = assistant.user("ada").conversation(), assistant.user("bob").conversation()
    first, second = ada.send("When do you open?"), ada.send("And on Sundays?")
    third, fourth = bob.send("When do you close?"), bob.send("Who are you?")
    ada.send("Never judged.")
    ada.correct(first.id, "At nine in the morning.")
    ada.rate(second.id, 5)
    bob.correct(third.id, "We close at eight.")
    bob.rate(fourth.id, 1)
    found = advise_on(load(shop.path), "support", hosting_price=0.5)
    assert found.answer == "not yet"
    assert found.bad_share == pytest.approx(3 / 4)
    assert sum(found.faults.values()) == 3
    assert (found.usable, found.waiting) == (2, 1)  # bob did not agree
    assert found.saving.tokens_a_turn > 10
    assert (found.saving.usd_a_month, found.saving.hosting_usd_a_month) == (None, 365.0)


def test_the_command_says_it_in_words_and_to_machines(shop: Shop) -> None:
    shop.desk.model.then("at nine")
    shop.open().user("ada").conversation().send("When do you open?")
    said = CliRunner().invoke(app, ["advise", "support"], catch_exceptions=False).stdout
    assert said.startswith("support: not yet\n- only 0 replies were judged")
    assert "a tuned model saves at most\tunknown\n" in said
    told = json.loads(CliRunner().invoke(app, ["advise", "support", "--json"]).stdout)
    assert (told["answer"], told["bad_share"]) == ("not yet", None)
    with pytest.raises(NotFound, match="no route named 'nowhere'"):
        advise_on(load(shop.path), "nowhere")


def test_prices_and_dates_are_those_of_the_model_that_would_be_tuned(shop: Shop) -> None:
    shop.path.write_text(shop.text + '[providers.bench]\nkind = "bench"\n')
    shop.desk.model.then("at nine")
    shop.open().user("ada").conversation().send("When do you open?")

    def on(card: TuningCard | None, **told: float) -> Advice:
        adapters = [shop.desk.model.adapter, Backend(card).adapter()]
        return advise_on(load(shop.path), "support", base="bench:small", adapters=adapters, **told)

    found = on(CARD)
    assert (found.saving.hosting_usd_a_month, found.saving.training_usd) == (pytest.approx(1.7 * 730), 0.0)
    assert (found.base, found.tuning) == ("bench:small", ("open, by sft or dpo (a price list, read 2026-11-21)",))
    assert on(CARD, hosting_price=0.0).saving.hosting_usd_a_month == 0.0
    assert (
        on(replace(CARD, serving_until="2026-01-01"))
        .tuning[0]
        .startswith("bench:small: what is tuned is not served since 2026-01-01 (a price list, read 2026-11-21); start")
    )
    assert on(None).tuning[0].startswith("unknown: nothing is known of tuning 'small'")
    with pytest.raises(InvalidInput, match="no target"):
        advise_on(load(shop.path), "support", base="small")


def test_a_model_that_is_not_tuned_any_more_is_no_advice() -> None:
    closed = advise(replace(SEEN, base="acme:small", tuning=("it is over",), closed=True))
    assert (closed.answer, closed.because[-1]) == ("not yet", "tuning acme:small: it is over")
    assert (
        advise(replace(SEEN, base="acme:small", tuning=("open, by sft",))).because[-1]
        == "tuning acme:small: open, by sft"
    )
