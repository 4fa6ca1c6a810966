"""A question that names a day, a month or a year brings back what was said then, or what names it."""

from datetime import UTC, datetime

import pytest
from persona_embedded.embed import StaticWords

from persona.memory.dates import Named, named
from persona.memory.index import OwnerIndex
from persona.memory.recall import query_of
from persona.memory.vectors import pack
from persona.values.memory import MemoryRow, Recalled
from persona.values.time import to_us

DENTIST = {day: f"I saw the dentist, number {at}." for at, day in enumerate(("2024-03-12", "2025-03-30", "2025-07-02"))}
REST = {"2025-01-05": "My two cats are called Miso and Soba.", "2025-05-06": "We painted the kitchen yellow."}


def ask(question: str, said: dict[str, str]) -> list[Recalled]:
    """The hits among texts by the day on which they were said; a hit's id is that day."""
    embedder = StaticWords()
    index = OwnerIndex(embedder.name, cosine_floor=embedder.cosine_floor)
    index.apply(
        [
            MemoryRow(day, "turn", text, at, embedder.name, vector, at_us=to_us(datetime.fromisoformat(day)))
            for at, ((day, text), vector) in enumerate(
                zip(said.items(), pack(embedder.embed(list(said.values()))), strict=True), start=1
            )
        ]
    )
    (vector,) = embedder.embed([question])
    return index.search(vector, query_of(question).terms, 10, question)


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("What did I do on 12 May?", Named(0, 5, 12)),
        ("What did I do on May 12th, 2025?", Named(2025, 5, 12)),
        ("What did I do on the 3rd of July 2023?", Named(2023, 7, 3)),
        ("Where was I in March?", Named(0, 3)),
        ("Where was I in March 2026?", Named(2026, 3)),
        ("Where was I in 2024?", Named(2024)),
        ("Where was I on 2026-03-12?", Named(2026, 3, 12)),
        ("Qu'ai-je fait le 1er mars 2026 ?", Named(2026, 3, 1)),
        ("Qu'ai-je fait le 12 mai ?", Named(0, 5, 12)),
        ("Où étais-je en août ?", Named(0, 8)),
        ("Quel était mon loyer au mois d’avril ?", Named(0, 4)),
        ("Où étais-je en 2024 ?", Named(2024)),
        ("Que faisais-je en févr. 2025 ?", Named(2025, 2)),
    ],
)
def test_a_time_that_is_named_is_understood_in_both_languages(question: str, meant: Named) -> None:
    assert named(question) == (meant,)


@pytest.mark.parametrize(
    "question",
    [
        "May I march in with June?",
        "Is my rent 2000 euros?",
        "Quel camion de 2014 est-ce que je conduis ?",
        "What did I say last week?",
        "What have I bought since March 2025?",
        "Où habitais-je avant mai 2024 ?",
        "",
    ],
)
def test_what_only_looks_like_a_time_is_none(question: str) -> None:
    assert named(question) == ()


def test_two_times_are_both_meant() -> None:
    assert named("Entendu, mais le 3 mai ou le 5 juin 2025 ?") == (Named(0, 5, 3), Named(2025, 6, 5))


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("When did I see the dentist in March 2024?", "2024-03-12"),
        ("When did I see the dentist in July?", "2025-07-02"),
        ("Did I see the dentist on 30 March?", "2025-03-30"),
        ("Did I see the dentist in 2024?", "2024-03-12"),
    ],
)
def test_what_was_said_at_the_time_comes_first(question: str, first: str) -> None:
    assert ask(question, DENTIST | REST)[0].id == first


def test_a_month_without_its_year_is_that_month_of_every_year() -> None:
    dated = {hit.id for hit in ask("Did I see the dentist in March?", DENTIST | REST) if hit.dated}
    assert dated == {"2024-03-12", "2025-03-30"}


def test_a_question_about_a_day_needs_no_word_of_what_was_said() -> None:
    assert ask("Qu'est-ce que j'ai raconté le 6 mai 2025 ?", REST)[0].id == "2025-05-06"


def test_a_memory_that_names_the_time_in_the_other_language_is_meant_too() -> None:
    said = REST | {"2025-02-01": "Je pars en Corse le 14 août.", "2025-02-02": "Je pars en Corse le 3 mai."}
    dated = {hit.id for hit in ask("Am I going to Corsica on August 14th?", said) if hit.dated}
    assert dated == {"2025-02-01"}


def test_a_year_far_from_the_talk_is_not_the_month_that_it_names() -> None:
    said = {"2021-02-01": "Je pars en Corse en août.", "2025-02-02": "Je pars en Corse au mois d'août."}
    dated = {hit.id for hit in ask("Est-ce que je pars en Corse en août 2025 ?", said) if hit.dated}
    assert dated == {"2025-02-02"}


def test_29_february_is_only_in_years_that_have_it() -> None:
    days = [datetime(year, 1, 1, tzinfo=UTC) for year in (2023, 2025)]
    spans = [*Named(0, 2, 29).spans(*map(to_us, days))]
    assert spans == [(to_us(datetime(2024, 2, 29, tzinfo=UTC)), to_us(datetime(2024, 3, 1, tzinfo=UTC)))]


def test_december_and_a_year_end_with_the_year() -> None:
    end = to_us(datetime(2026, 1, 1, tzinfo=UTC))
    assert [stop for one in (Named(2025, 12), Named(2025), Named(2025, 12, 31)) for _, stop in one.spans(1, 2)] == [
        end
    ] * 3


def test_a_question_that_names_no_time_lifts_nothing() -> None:
    assert not any(hit.dated for hit in ask("When did I see the dentist?", DENTIST | REST))
