"""What was updated goes before what it replaces, and a lasting wish is heard when a suggestion is asked for."""

import numpy as np
import pytest
from persona_embedded.embed import StaticWords

from persona.memory.changes import CHANGE, EVENT, NOTHING, stated, told
from persona.memory.index import OwnerIndex
from persona.memory.intent import Wanted, intent_of
from persona.memory.postings import Postings, key, terms_of
from persona.memory.recall import merge, query_of
from persona.memory.vectors import pack
from persona.memory.wordings import UNREAD, Wordings, packed
from persona.values.memory import MemoryRow, Recalled
from persona.values.owner import Owner

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
        ("Where does Robin live?", "Robin lives in Leeds.", "Robin has moved to a flat in York."),
        ("Où travaille Zoé ?", "Zoé travaille dans une banque.", "Zoé a quitté la banque, elle est infirmière."),
    ],
)
def test_the_latest_of_two_statements_comes_first(question: str, before: str, after: str) -> None:
    found = [hit.id for hit in ask(question, before, after)]
    assert found.index(after) < found.index(before)


@pytest.mark.parametrize(
    ("question", "before", "after"),
    [
        ("Where did I live before Bristol?", "I'm based in Manchester.", "I relocated to Bristol over the summer."),
        ("J'habitais où avant Grenoble ?", "Je vis à Lille.", "Depuis septembre je suis à Grenoble."),
        ("What was my previous job?", "I work as a baker.", "I left the bakery, I am a nurse now."),
    ],
)
def test_what_held_before_comes_first_for_who_asks_for_it(question: str, before: str, after: str) -> None:
    found = [hit.id for hit in ask(question, before, after)]
    assert found.index(before) < found.index(after)


def test_who_asks_in_french_how_something_of_theirs_is_asks_for_no_suggestion() -> None:
    assert intent_of("C'est comment mon bureau ?").now
    assert intent_of("Je vais au travail comment ?").now
    assert not intent_of("Comment nettoyer un four ?").now


def test_the_latest_still_comes_first_among_the_hits_of_several_owners() -> None:
    before, after = "Mon loyer est de 780 euros.", "Mon loyer est passé à 1 150 euros."
    hits = ask("Combien je paie de loyer ?", before, after)
    assert [hit.id for hit in merge({Owner("acme", "ada"): hits}, 10, "Combien je paie de loyer ?")][:2] == [
        after,
        before,
    ]
    assert hits[0].newer > 0
    assert not any(hit.newer for hit in ask("Where did I live before?", "I live in Leeds.", "I have moved to York."))


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
    assert intent_of(question).suggestion
    assert not intent_of("Where do I live?").suggestion


@pytest.mark.parametrize("question", ["Where did I live?", "Où est-ce que j'habitais ?", "What was my rent in 2024?"])
def test_questions_about_the_past_are_recognised(question: str) -> None:
    assert not intent_of(question).now
    assert intent_of("Où est-ce que j'habite ?").now


def test_a_question_about_oneself_is_told_from_one_about_others() -> None:
    assert intent_of("Where do I live?").of_oneself
    assert intent_of("Quelle voiture est-ce qu’on a ?").of_oneself
    assert not intent_of("Where does Caroline live?").of_oneself


@pytest.mark.parametrize(
    "question",
    [
        "How do I get to work?",
        "How much is my rent?",
        "Comment je vais au travail ?",
        "Est-ce que je cherche un logement ?",
    ],
)
def test_how_things_are_done_is_no_wish_for_a_suggestion_alone(question: str) -> None:
    assert intent_of(question).now
    assert not intent_of("How can I sleep better?").now


def test_what_one_has_in_french_is_not_what_one_has_done() -> None:
    assert intent_of("Quelle voiture on a ?").now
    assert intent_of("Quelle voiture on a vendu ?").then


@pytest.mark.parametrize(
    ("text", "how_far"),
    [
        ("I moved to York.", CHANGE),
        ("We no longer eat meat.", CHANGE),
        ("Je ne fume plus.", CHANGE),
        ("On est passés au gaz.", CHANGE),
        ("We got the keys to our own house!", EVENT),
        ("J'ai mangé à midi.", EVENT),
        ("J'aime les pommes.", 0),
        ("My rent is 780 euros.", 0),
        ("Have I moved?", NOTHING),
        ("Explain what changed.", NOTHING),
    ],
)
def test_the_wording_tells_how_far_something_changed(text: str, how_far: float) -> None:
    assert told(stated(text)) == how_far


@pytest.mark.parametrize(
    "text", ["I moved to York.", "Explain what changed.", "Ma sœur a 780 euros.", "Sorry, no: at 5."]
)
def test_what_is_stored_of_a_wording_is_what_its_text_tells(text: str) -> None:
    stored, unread, others = Wordings(), Wordings(), Wordings()
    terms, slot = terms_of(text), np.arange(1)
    stored.extend([terms + packed(text)])
    unread.extend([terms])
    others.extend([terms + packed(text)[:1] + b"\xff"])  # by other rules
    assert unread.known(slot) == others.known(slot) == UNREAD
    assert stored.known(slot) == unread.read(slot, lambda _: text) == others.read(slot, lambda _: text)


def test_the_terms_of_a_text_are_found_whatever_is_stored_behind_them() -> None:
    text = "We adopted a beagle."
    alone, told = Postings(), Postings()
    alone.extend([terms_of(text)])
    told.extend([terms_of(text) + packed(text)])
    keys = np.array([key("beagl")])
    assert told.holding(keys).tolist() == alone.holding(keys).tolist() == [0]
    assert told.nbytes == alone.nbytes


def test_what_names_the_old_value_follows_it_whatever_else_it_says() -> None:
    old, new = "Ma voiture, c'est une Zoé.", "On a revendu la Zoé, bonjour le Berlingo."
    found = [hit.id for hit in ask("C'est quoi ma voiture ?", old, new)]
    assert found.index(new) < found.index(old)


def test_what_shares_only_common_words_with_the_answer_stays_behind_it() -> None:
    answer = "My landlord is Mr Petrov."
    assert ask("Who is my landlord?", answer, "I finally painted the fence, it is green now.")[0].id == answer


def test_what_is_newer_is_found_where_no_word_is_shared_with_the_question_or_the_answer() -> None:
    old, new = "I live in Leeds, near the park.", "We have just settled into a cottage in York."
    assert ask("Where do I live?", old, new)[0].id == new


def test_of_two_statements_with_a_change_the_one_that_holds_what_was_asked_for_goes_first() -> None:
    old, amount, other = (
        "My rent is 780 euros.",
        "The landlord raised the rent to 850.",
        "My landlord changed the locks.",
    )
    assert ask("How much rent do I pay?", old, other, amount)[0].id == amount
    assert ask("How much rent do I pay?", old, amount, other)[0].id == amount


@pytest.mark.parametrize("vector", [True, False])
def test_what_is_newer_is_found_among_rows_without_vectors(vector: bool) -> None:
    old, new = "My car is a Clio.", "I sold the Clio, my car is a Berlingo now."
    embedder = StaticWords()
    packed = pack(embedder.embed([old, new])) if vector else [b"", b""]
    names = [embedder.name if one else "" for one in packed]
    bare = MemoryRow("bare", "turn", "The weather is fine.", 3, "", b"", at_us=DAY_US * 3)
    index = OwnerIndex(embedder.name)
    index.apply(
        [
            bare,
            *(
                MemoryRow(text, "turn", text, at, name, one, at_us=at * DAY_US)
                for at, (text, name, one) in enumerate(zip([old, new], names, packed, strict=True), start=1)
            ),
        ]
    )
    question = "What car do I have?"
    for asked in (None, embedder.embed([question])[0]):
        assert [hit.id for hit in index.search(asked, query_of(question).terms, 5, question)][:2] == [new, old]


def test_what_is_newer_is_found_when_it_lies_more_than_a_thousand_rows_back() -> None:
    old, new = "My landlord is Mr Petrov.", "Mr Petrov sold the house, my landlord is Mrs Quill now."
    index = OwnerIndex("none")
    said = [old, new, *(f"It rains on day {number}." for number in range(1_100))]
    index.apply([MemoryRow(f"{at}", "turn", text, at, at_us=at * DAY_US) for at, text in enumerate(said, start=1)])
    question = "Who is my landlord?"
    assert [hit.text for hit in index.search(None, query_of(question).terms, 5, question)][:2] == [new, old]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How much rent do I pay?", Wanted.AMOUNT),
        ("À quelle heure est-ce que je me lève ?", Wanted.AMOUNT),
        ("What is our budget?", Wanted.AMOUNT),
        ("Who is my landlord?", Wanted.NAME),
        ("Comment s'appelle mon chien ?", Wanted.NAME),
        ("Do I smoke?", Wanted.ANYTHING),
    ],
)
def test_what_would_answer_a_question_is_told_by_its_wording(question: str, wanted: Wanted) -> None:
    assert intent_of(question).wanted is wanted


@pytest.mark.parametrize(
    "question",
    ["What are some good hotels in Rome?", "Which sofa would you recommend?", "Quelles idées pour ce soir ?"],
)
def test_who_asks_for_advice_does_not_ask_how_things_are(question: str) -> None:
    assert not intent_of(question).now


@pytest.mark.parametrize("question", ["Am I still looking for a flat?", "Je cherche toujours un stage ?"])
def test_who_asks_whether_something_still_holds_asks_how_things_are(question: str) -> None:
    assert intent_of(question).now


def test_a_correction_goes_before_what_was_said_right_before_it() -> None:
    embedder = StaticWords()
    said = ["Mon train pour Brest part à 13 h.", "Non pardon, 14 h.", "J'ai acheté des fraises.", *REST]
    index = OwnerIndex(embedder.name, cosine_floor=embedder.cosine_floor)
    index.apply(
        [
            MemoryRow(
                *(text, "turn", text, at, embedder.name, vector),
                at_us=at * 60_000_000,
                conversation_key=1,
                depth=at,
            )
            for at, (text, vector) in enumerate(zip(said, pack(embedder.embed(said)), strict=True), start=1)
        ]
    )
    question = "Mon train part à quelle heure ?"
    (vector,) = embedder.embed([question])
    found = [hit.id for hit in index.search(vector, query_of(question).terms, 10, question)]
    assert found[:2] == [said[1], said[0]]


def test_what_is_said_of_somebody_else_does_not_replace_what_holds_for_oneself() -> None:
    mine = "My shoe size is a 43."
    found = [hit.id for hit in ask("What is my shoe size?", mine, "Farid has a 46 and never finds shoes.")]
    assert found[0] == mine


def test_what_one_of_several_speakers_says_later_stays_behind_what_answers_better() -> None:
    before, after = "Robin: I live in Leeds.", "Robin: I have moved to a flat in York."
    found = [hit.id for hit in ask("Where does Robin live?", before, after)]
    assert found.index(before) < found.index(after)


def test_both_of_two_things_that_hold_are_brought_back() -> None:
    first, second = "I have a tortoise called Gerald.", "And now there is Pancake, the rabbit."
    assert {first, second} <= {hit.id for hit in ask("What are my pets called?", first, second)}


def test_a_statement_that_also_asks_for_something_is_one() -> None:
    old, new = "My phone is an iPhone 11.", "I got a new Pixel phone. How do I move my photos across?"
    assert ask("Which phone do I have?", old, new)[0].id == new
    assert stated("Have I moved? Explain it. We moved to York!").strip() == "We moved to York!"


def test_requests_that_share_the_words_of_a_question_follow_what_was_stated() -> None:
    stating, asking = "I bank with Monzo.", "Explain which bank is the best one for my savings."
    assert ask("Which bank am I with?", stating, asking)[0].id == stating


@pytest.mark.parametrize("question", ["j'ai quoi comme voiture ?", "Quand ai-je aquagym ?"])
def test_what_one_has_is_asked_of_the_present(question: str) -> None:
    assert intent_of(question).now
    assert intent_of("Quand ai-je mangé ?").then
