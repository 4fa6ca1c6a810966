"""What was updated goes before what it replaces, and a lasting wish is heard when a suggestion is asked for."""

import pytest
from persona_embedded.embed import StaticWords

from persona.memory.index import OwnerIndex
from persona.memory.intent import asks_about_now, tells_of_change, wants_suggestion
from persona.memory.recall import query_of
from persona.memory.vectors import pack
from persona.values.memory import MemoryRow, Recalled

DAY_US = 86_400_000_000
REST = [
    "My two cats are called Miso and Soba.",
    "I am seeing the dentist on Tuesday.",
    "Can you explain how a heat pump works?",
    "The train to Lyon was late again.",
    "We painted the kitchen yellow.",
]


def ask(question: str, *texts: str) -> list[Recalled]:
    """The hits among texts that were said a day apart, in this order."""
    embedder = StaticWords()
    said = [*texts, *REST]
    index = OwnerIndex(embedder.name, cosine_floor=embedder.cosine_floor)
    index.apply(
        [
            MemoryRow(text, "turn", text, at, embedder.name, vector, at_us=at * DAY_US)
            for at, (text, vector) in enumerate(zip(said, pack(embedder.embed(said)), strict=True), start=1)
        ]
    )
    (vector,) = embedder.embed([question])
    return index.search(vector, query_of(question).terms, 10, question)


@pytest.mark.parametrize(
    ("question", "before", "after"),
    [
        ("What is my rent?", "My rent is 780 euros a month.", "My rent is 1,150 euros a month."),
        ("Where do I live?", "I live in Leeds.", "I have moved to a flat in York."),
        ("Am I vegan?", "I have been vegan for years.", "I eat cheese again, so vegetarian rather than vegan."),
        ("Combien je paie de loyer ?", "Mon loyer est de 780 euros.", "Mon loyer est passé à 1 150 euros."),
        ("Dans quelle ville est-ce que j'habite ?", "J'habite à Lyon.", "J'ai déménagé, je vis à Nantes maintenant."),
    ],
)
def test_the_latest_of_two_statements_comes_first(question: str, before: str, after: str) -> None:
    found = [hit.id for hit in ask(question, before, after)]
    assert found.index(after) < found.index(before)


def test_age_alone_moves_nothing() -> None:
    old, new = "I live in Leeds, near the park.", "My sister sings in a choir."
    assert ask("Where do I live?", old, new)[0].id == old


def test_a_question_about_the_past_is_answered_in_the_order_of_the_scores() -> None:
    hits = ask("Where did I live before?", "I live in Leeds.", "I have moved to a flat in York.")
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_lasting_wish_is_lifted_when_a_suggestion_is_asked_for() -> None:
    wish = "I hate spicy dishes."
    lifted = {hit.id: hit.standing for hit in ask("Can you suggest a restaurant?", wish)}
    assert lifted[wish] > 0
    assert not any(hit.standing for hit in ask("When did I say that I hate spicy dishes?", wish))


@pytest.mark.parametrize("question", ["Propose-moi une recette", "Any ideas for Rome?", "Que cuisiner ce soir ?"])
def test_who_asks_for_a_suggestion_is_recognised(question: str) -> None:
    assert wants_suggestion(question)
    assert not wants_suggestion("Where do I live?")


@pytest.mark.parametrize("question", ["Where did I live?", "Où est-ce que j'habitais ?", "What was my rent in 2024?"])
def test_questions_about_the_past_are_recognised(question: str) -> None:
    assert not asks_about_now(question)
    assert asks_about_now("Où est-ce que j'habite ?")


def test_a_question_tells_of_no_change() -> None:
    assert tells_of_change("I moved to York.")
    assert tells_of_change("Je ne fume plus.")
    assert not tells_of_change("Have I moved?")
    assert not tells_of_change("J'aime les pommes.")
