"""What a reply claims: amounts in one form, yes and no, and pairs of replies written by hand."""

import pytest

from persona.harvest.similar.amounts import amounts
from persona.harvest.similar.claims import Slots, claims, differences
from persona.harvest.similar.readings import misspelt, read_pair, same_question
from persona.harvest.similar.stance import opposed, stance
from persona.values.words import term

SAME_AMOUNT = [
    ("5 pm", "17:00", "17 h", "17h00", "17 heures"),
    ("1,200.50 €", "1 200,50 euros", "€1200.5"),
    ("deux semaines", "14 jours", "two weeks", "fourteen days"),
    ("two years", "24 months", "deux ans", "vingt-quatre mois"),
    ("sous 48 h", "within 48 hours", "two days"),
    ("le 12 mai 2026", "May 12th, 2026", "2026-05-12", "12 May 2026"),
    ("de 9 h à 17 h", "from 9 to 5 pm", "9:00-17:00"),
    ("quatre-vingt-dix-sept euros", "97 €", "ninety-seven euros"),
    ("gratuit", "free of charge", "sans frais"),
    ("trente pour cent", "30 %", "30 percent"),
    ("à midi", "at noon", "12:00"),
]


@pytest.mark.parametrize("spellings", SAME_AMOUNT, ids=lambda spellings: spellings[0])
def test_an_amount_has_one_form_however_it_is_written(spellings: tuple[str, ...]) -> None:
    assert len({amounts(one) for one in spellings}) == 1
    assert amounts(spellings[0])


@pytest.mark.parametrize(
    "text", ["un appareil neuf", "feel free to call", "call 01 23 45 67 89", "order 88213441", "a@b.fr"]
)
def test_what_is_no_amount_claims_none(text: str) -> None:
    assert amounts(text) == frozenset()


OPPOSED = [
    ("Is breakfast included?", "Breakfast comes with every room, it is included.", "Breakfast isn't included."),
    ("Are dogs allowed in the campsite?", "Yes, on a lead.", "Dogs are not allowed, I'm afraid."),
    ("Can my sister collect the parcel?", "She can, with her ID.", "No. Only the addressee may collect it."),
    ("Is the pool heated in winter?", "Yes, all year round.", "The pool is unheated in winter."),
    ("Does the app work offline?", "It works offline.", "The app doesn't work offline."),
    ("May the tray of the oven be washed?", "Yes, it may.", "They must not. The tray of the oven is black."),
    ("Est-ce que la radio marche sur pile ?", "Oui.", "Elle ne le fait pas. Le bouton de la radio est à droite."),
    ("La piscine est-elle ouverte le soir ?", "Oui, toute la soirée.", "Elle est fermée le soir."),
    ("Puis-je payer en trois fois ?", "Payer en trois fois est possible.", "On ne peut pas payer en trois fois."),
    ("Faut-il imprimer le billet ?", "Il faut imprimer le billet.", "Inutile de l'imprimer."),
    ("How many seats are there?", "It has sixteen seats.", "There are 9 seats."),
    ("When is the tax due?", "It is due on 1 April.", "By April 15th."),
    ("Quelle est la remise étudiante ?", "Les étudiants ont 20 % de remise.", "La remise est de 10 %."),
    ("Will I be charged for cancelling?", "There is no charge for cancelling.", "A fee of 30 € applies."),
]  # fmt: skip
AGREED = [
    (
        "Does the radio run on batteries?",
        "No, it does not.",
        "It doesn't do that. The knob of the radio is on the right.",
    ),
    ("Does the radio run on batteries?", "Yes, on two.", "It does run on those. No knob of the radio is on the left."),
    ("Is breakfast included?", "Breakfast comes with every room.", "Yes. It is served from 7 to 10 am."),
    ("Are dogs allowed in the campsite?", "Yes, on a lead.", "Dogs are welcome, but not in the restaurant."),
    ("Does the app work offline?", "It works offline once maps are there.", "Yes, it does not need a connection."),
    ("When do you open?", "At 9.", "From 9 am to 5 pm, don't hesitate to come early."),
    ("Can I pay by cheque?", "Unfortunately not.", "We no longer take cheques."),
    ("Le wifi est-il gratuit ?", "Oui.", "Il n'y a rien à payer pour le wifi."),
    ("Les animaux sont-ils admis ?", "Oui, en cage.", "Les animaux sont admis, sauf les grands chiens."),
    ("Combien de temps gardez-vous les colis ?", "Les colis restent 7 jours.", "Une semaine, ensuite ils repartent."),
    ("Faut-il imprimer le billet ?", "Non, le téléphone suffit.", "Inutile, montrez-le sur votre téléphone."),
    ("How do I reset the router?", "Hold the button for 10 seconds.", "Press it ten seconds, don't unplug it."),
]


@pytest.mark.parametrize(("question", "one", "other"), OPPOSED)
def test_replies_that_cannot_both_be_right_differ(question: str, one: str, other: str) -> None:
    assert differences(claims(question, one, Slots({})), claims(question, other, Slots({})))


@pytest.mark.parametrize(("question", "one", "other"), AGREED)
def test_replies_that_agree_in_other_words_do_not_differ(question: str, one: str, other: str) -> None:
    assert differences(claims(question, one, Slots({})), claims(question, other, Slots({}))) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("When does the post office open?", "hello, when does the post ofice open", True),
        ("Could you tell me when the post office opens?", "When does the post office open?", True),
        ("When does the post office open?", "When does the post office close?", False),
        ("What does the Velora kettle cost?", "What does the Velosa kettle cost?", False),
        ("Ouvrez-vous le lundi ? Et la poste ?", "Ouvrez-vous le mardi ? Et la poste ?", False),
        ("Is the post office open at 5?", "Is the post office open at 6?", False),
    ],
)
def test_questions_are_the_same_but_for_slips_and_courtesies(one: str, other: str, same: bool) -> None:
    assert same_question(read_pair(one, ""), read_pair(other, "")) is same


def test_a_word_is_misspelt_by_one_slip_and_a_number_never() -> None:
    assert misspelt("livraison", "livriason")
    assert misspelt("parcel", "parcell")
    assert not misspelt("parcel", "parsley")
    assert not misspelt("lundi", "jeudi")
    assert misspelt("janvier", "javnier")
    assert misspelt("jamais", "jaamis")
    assert misspelt("except", "execpt")
    assert misspelt("december", "decemer")
    assert not misspelt("not", "now")
    assert not misspelt("matin", "satin")
    assert not misspelt("possible", "impossible")
    assert not misspelt("1200", "1300")


def test_the_words_of_long_replies_are_read_once_to_tell_whether_they_are_opposed() -> None:
    long = " ".join(f"The room {number} is warm near window {number}." for number in range(60))
    other = " ".join(f"The hall {number} is never cold by door {number}." for number in range(60))
    warm, cold = (stance("Tell me about it", reply) for reply in (long, other))
    before = sum(term.cache_info()[:2])
    assert not opposed(warm, cold)
    assert sum(term.cache_info()[:2]) - before <= len(f"{long} {other}".split())
