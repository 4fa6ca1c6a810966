"""Personal data: found, replaced by what is nobody's, the same value by the same, and nothing else touched."""

import json
import random
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.personal_texts import CLEAN, KINDS, plant
from persona.harvest.personal.find import find
from persona.harvest.personal.mend import Mender
from persona.harvest.personal.names import fold
from persona.harvest.personal.numbers import luhn
from persona.harvest.personal.values import Known, Mended, Rules
from persona.values.message import Message, Text, ToolCall, ToolResult, say

ADA = (Known("name", "Ada Lovelace"), Known("place", "Lyon"), Known("value", "CLI-88213-X"))


def _mended(*texts: str, known: tuple[Known, ...] = ADA, rules: Rules | None = None, seed: int = 1) -> Mended:
    """Texts of a user and an assistant in turn, mended; the assistant's carry loss."""
    messages = [say("user" if at % 2 == 0 else "assistant", text) for at, text in enumerate(texts)]
    weights = [at % 2 == 1 for at in range(len(texts))]
    return Mender(rules).mend(messages, weights, known, ("FR",), seed, "c-42")


def _text(*texts: str, known: tuple[Known, ...] = ADA, rules: Rules | None = None, seed: int = 1) -> list[str]:
    return [message.text for message in _mended(*texts, known=known, rules=rules, seed=seed).messages]


@pytest.mark.parametrize("kind", KINDS)
def test_what_people_write_is_found(kind: str) -> None:
    draw, mender = random.Random(7), Mender()
    missed = []
    for _ in range(120):
        one = plant(draw, kind)
        known = (Known("name", one.name),) if one.name else ()
        mended = mender.mend([say("user", one.text)], [False], known, (one.region,), 1, "c")
        if one.secret.split("\n")[-2 if kind == "pem" else 0] in mended.messages[0].text:
            missed.append(one.text)
    assert not missed


def test_what_only_looks_personal_is_left_alone() -> None:
    draw, mender = random.Random(8), Mender()
    known = (Known("name", "Rose Baker"), Known("name", "May Blanc"))
    texts = [make(draw) for _ in range(6) for make in CLEAN]
    touched = [text for text in texts if mender.mend([say("user", text)], [False], known, ("FR",), 1, "c").counts]
    assert len(touched) <= len(texts) * 2 / 1000, touched


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**9), pieces=st.lists(st.sampled_from([*KINDS, "clean"]), min_size=1, max_size=5))
def test_mending_what_is_mended_changes_nothing(seed: int, pieces: list[str]) -> None:
    draw = random.Random(seed)
    texts = [draw.choice(CLEAN)(draw) if kind == "clean" else plant(draw, kind).text for kind in pieces]
    messages = [say("user", " ".join(texts)), say("assistant", draw.choice(texts))]
    mender = Mender()
    once = mender.mend(messages, [False, True], ADA, ("FR",), seed, "c")
    twice = mender.mend(once.messages, [False, True], ADA, ("FR",), seed + 1, "c")
    assert twice.messages == once.messages
    assert not twice.counts


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet="0123456789 +-./()@:abZé\n\x00", max_size=80))
def test_no_text_breaks_it_and_a_second_pass_finds_nothing(text: str) -> None:
    once = _text(text)[0]
    assert _text(once)[0] == once


def test_the_same_value_gets_the_same_surrogate_however_it_is_spelt() -> None:
    first, second, third = _text(
        "Mon numéro : 06 12 34 56 78, mail Ada.L@gmail.com",
        "C'est noté, le +33 6 12 34 56 78.",
        "oui 0612345678 et ada.l@GMAIL.com",
    )
    digits = "".join(filter(str.isdigit, first))[:10]
    assert digits[1:] in second.replace(" ", "")
    assert digits in third
    mails = {part.lower() for text in (first, third) for part in text.split() if "@" in part}
    assert len(mails) == 1


def test_different_values_get_different_surrogates() -> None:
    numbers = [f"06 12 34 56 {last:02}" for last in range(40)]
    found = _text("; ".join(f"tel {one}" for one in numbers))[0].split("; ")
    assert len(set(found)) == len(numbers)


def test_a_value_without_its_words_is_known_again() -> None:
    kept, mended = "415 5552671", _text("call me at 4155552671", "Noted: 4155552671", "4155552671")
    assert kept not in " ".join(mended)
    assert "4155552671" not in " ".join(mended)


def test_surrogates_depend_on_seed_and_conversation_alone() -> None:
    text = "tel 06 12 34 56 78, carte 4111 1111 1111 1111"
    assert _text(text) == _text(text)
    assert _text(text, seed=2) != _text(text)


def test_surrogates_have_the_form_and_the_check_digits_of_what_they_stand_for() -> None:
    card, iban = _text("4111-1111-1111-1111", "IBAN FR76 3000 6000 0112 3456 7890 189")
    digits = card.replace("-", "")
    assert [len(part) for part in card.split("-")] == [4, 4, 4, 4]
    assert luhn(digits[:-1]) == int(digits[-1])
    account = iban.removeprefix("IBAN ").replace(" ", "")
    assert len(account) == 27
    assert int("".join(str(int(one, 36)) for one in account[4:] + account[:4])) % 97 == 1


def test_names_are_found_in_any_case_and_keep_it() -> None:
    first, second = _text("je m'appelle ada lovelace", "Bonjour ADA, bonjour Mme Lovelace, Ada's order")
    assert "ada" not in first
    assert "lovelace" not in first
    assert first.islower()
    assert "ADA" not in second
    assert "Lovelace" not in second
    assert "'s order" in second


@pytest.mark.parametrize("written", ["Søren Wałęsa", "soren walesa", "SOREN WAŁĘSA", "Sören Walęsa"])
def test_a_name_is_found_with_and_without_its_strokes(written: str) -> None:
    known = (Known("name", "Søren Wałęsa"),)
    assert _mended(f"signed {written}", known=known).counts == {"name": 2}


def test_letters_are_folded_the_same_whatever_stands_beside_them() -> None:
    every = [*map(chr, range(0x180)), "’", "\u2011", "\u202f"]
    beside_one_that_latin_1_lacks = [fold(f"{one}ł")[:-1] for one in every]
    assert [fold(one) for one in every] == beside_one_that_latin_1_lacks
    assert fold("Élodie L’Œuvre") == "elodie l'œuvre"


@pytest.mark.parametrize("beside", ["", "12 € — ", "Łódź, "])
@pytest.mark.parametrize("written", [str, str.upper, lambda name: name.translate(str.maketrans("aeiou", "áēĭŏů"))])
def test_a_stand_in_has_the_name_of_nobody_who_is_there(beside: str, written: Callable[[str], str]) -> None:
    stand_in = _text("Ada is here.")[0].split()[0]
    assert stand_in != "Ada"
    there = written(stand_in)
    mended = _text(f"{beside}Ada is here, and so is {there}.")[0]
    assert mended.endswith(f" is here, and so is {there}.")
    assert fold(stand_in) not in fold(mended.removesuffix(f"{there}."))


def test_a_name_that_the_profile_holds_twice_is_found_whole_in_small_letters() -> None:
    known = (Known("name", "Loïc Rivière"), Known("name", "Loïc-Rivière"))
    (text,) = _text("je m'appelle loïc rivière", known=known)
    assert "loïc" not in text
    assert "rivière" not in text


@pytest.mark.parametrize(
    "text",
    [
        "The carrier scanned it 25 hours ago and noted a closed gate.",
        "Pourquoi ma facture LB144690823FR affiche 570 euros de plus que la dernière ?",
    ],
)
def test_a_sentence_that_passes_the_check_of_an_account_is_none(text: str) -> None:
    assert _text(text) == [text]


@pytest.mark.parametrize("key", ["whsec_dR5sK2mX8pQ1", "rk_prod_4Tz9bLw3Yc", "xoxb-1234567890"])
def test_a_short_key_is_known_by_its_prefix(key: str) -> None:
    assert key[8:] not in _text(f"it sends {key}, I think")[0]


@pytest.mark.parametrize("word", ["secret", "API key", "jeton"])
def test_a_key_in_hexadecimal_right_after_its_word_is_found(word: str) -> None:
    key = "8142b7f530b60bfe98560b70ff1cacbfd2cf0cdf"
    assert key not in _text(f"I use the {word} {key} in the app")[0]
    assert key in _text(f"see commit {key} please")[0]


@pytest.mark.parametrize(
    "text", ["Rose is red.", "The rose is red", "Mark my words", "Will you come?", "On May 3, we close"]
)
def test_a_name_that_is_a_word_stays_where_it_is_one(text: str) -> None:
    known = tuple(Known("name", name) for name in ("Rose", "Mark", "Will", "May"))
    assert _text(text, known=known) == [text]


@pytest.mark.parametrize(
    "text", ["I'm Rose.", "Hi Rose, welcome", "the order is for Rose", "je m'appelle rose", "Rose Martin"]
)
def test_a_name_that_is_a_word_goes_where_it_is_a_name(text: str) -> None:
    known = (Known("name", "Rose Martin"),)
    assert "rose" not in _text(text, known=known)[0].lower()


def test_calls_and_results_stay_json_and_are_mended() -> None:
    arguments = '{"phone": "0612345678", "mobile": 33612345678, "who": "Ada Lov\\u0065lace", "n": 3}'
    messages = [
        Message("assistant", (Text("ok"), ToolCall("1", "find", arguments))),
        Message("tool", (ToolResult("1", "find", '[{"mail": "ada@gmail.com", "total": 12.50}]'),)),
        Message("tool", (ToolResult("1", "find", '{"cut": "ada@gmail.com'),)),
    ]
    mended = Mender().mend(messages, [True, False, False], ADA, ("FR",), 1, "c").messages
    call = mended[0].tool_calls[0]
    read = json.loads(call.arguments)
    assert read["phone"] != "0612345678"
    assert str(read["mobile"])[2:] == read["phone"][1:]
    assert read["n"] == 3
    assert "Ada" not in read["who"]
    assert call.id == "1"
    results = [part.text for message in mended[1:] for part in message.parts if isinstance(part, ToolResult)]
    assert json.loads(results[0])[0]["total"] == 12.5
    assert "gmail" not in "".join(results)


@pytest.mark.parametrize("host", ["198.51.100.213", "192.168.178.250", "10.123.45.67"])
def test_a_host_is_no_phone_where_the_words_speak_of_phones(host: str) -> None:
    assert _text(f"call me, the router is at {host}") == [f"call me, the router is at {host}"]


def test_clean_messages_come_back_as_they_are() -> None:
    messages = (Message("assistant", (ToolCall("1", "f", '{ "a" :  1.50,\n "b":"x" }'),)), say("user", "Combien ?"))
    assert Mender().mend(messages, [True, False]).messages == messages


def test_placeholders_stand_where_no_loss_repeats_the_value() -> None:
    user, reply = _text(
        "tel 06 12 34 56 78, mail ada@gmail.com", "Je rappelle le 06 12 34 56 78.", rules=Rules(elsewhere="placeholder")
    )
    assert "[email_1]" in user
    assert "[phone" not in user
    assert "[" not in reply
    assert _text(user, reply, rules=Rules(elsewhere="placeholder")) == [user, reply]


def test_what_is_to_be_kept_is_kept_in_any_spelling() -> None:
    rules = Rules(keep=("+33 1 23 45 67 89", "hello@shop.fr"))
    text = "Appelez le 01 23 45 67 89 ou hello@shop.fr, pas le 06 12 34 56 78"
    kept = _text(text, rules=rules)[0]
    assert "01 23 45 67 89 ou hello@shop.fr" in kept
    assert "06 12 34 56 78" not in kept


def test_findings_never_hold_what_was_found() -> None:
    mended = _mended("Ada Lovelace, 06 12 34 56 78, ada@gmail.com, 06 98 76 54 32", "Merci Ada !")
    shown = repr((mended.samples, mended.counts))
    assert mended.counts["phone"] == 2
    assert mended.counts["name"] == 3
    assert not [one for one in ("Ada", "Lovelace", "12 34", "gmail", "98 76") if one in shown]


@pytest.mark.parametrize(
    "text",
    [
        "born on 12 March 1984", "née le 03/02/1961", "DOB: 1990-04-05", "12 bis rue des Lilas, 75011 Paris",
        "221B Baker Street, London NW1 6XE",
        "742 Evergreen Terrace, Springfield, IL 62704",
        "my server is 81.2.69.142", "https://bob:s3cretpw@host.com/",
        "https://h.com/?access_token=a8f7d6e5c4b3",
        "password: hunter2!", "mot de passe : Soleil2019",
        "write to jean (at) gmail (dot) com", "ma sécu : 1 85 05 2A 006 084 35 et rien",
    ],
)  # fmt: skip
def test_the_other_kinds_are_found_too(text: str) -> None:
    assert [span for span in find(text) if not span.sealed]


@pytest.mark.parametrize(
    "text",
    [
        "Who lives at 10 Downing Street?", "Our shop is at 14 Market Street, open from 9 to 6",
        "Le 55 rue du Faubourg-Saint-Honoré se visite-t-il ?", "Das Museum liegt in der Bodestraße 3, an der Spree",
        "Der Weg 12 ist gesperrt", "Im Mai 12 Grad, am Montag 14",
    ],
)  # fmt: skip
def test_an_address_that_is_nobodys_is_left_alone(text: str) -> None:
    assert _text(text) == [text]


@pytest.mark.parametrize(
    ("text", "street"),
    [
        ("I live at 14 Market Street, above the bakery", "14 Market"), ("14 Market Street, please", "14 Market"),
        ("C'est chez moi, 55 rue du Faubourg-Saint-Honoré", "55 rue"), ("Lindenstraße 12\n10969 Berlin", "12"),
        ("Ich wohne Am Alten Mühlbach 7", "Mühlbach"), ("Unter den Eichen 87, 12205 Berlin", "Eichen"),
        ("my parcel: 3 Old Kiln Lane, Flat 2", "Kiln"), ("bitte an Karl-Marx-Allee 34b liefern", "34b"),
    ],
)  # fmt: skip
def test_an_address_is_somebodys_by_what_is_around_it(text: str, street: str) -> None:
    (mended,) = _text(text)
    assert street not in mended
    assert _text(mended) == [mended]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("李雷", "你好,我是李雷,我想订票。"), ("김철수", "저는 김철수입니다."), ("山田太郎", "私は山田太郎です。"),
        ("สมชาย ใจดี", "ผมชื่อสมชาย ใจดี ครับ"), ("Nguyễn Van An", "Tôi là Nguyễn Van An"),
        ("Juan de la Rosa", "Soy Juan de la Rosa"), ("محمد علي", "اسمي محمد علي من فضلك"),
    ],
)  # fmt: skip
def test_a_name_in_any_script_and_with_particles_is_found(name: str, text: str) -> None:
    mended = Mender().mend([say("user", text)], [False], (Known("name", name),), (), 1, "c").messages[0].text
    assert not [word for word in name.split() if word not in ("Van", "de", "la") and word in mended]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("I live at 12 rue de la République, 69002 Lyon. We keep it", ". We keep it"),
        ("J'habite 12 rue de la République. Nous venons", ". Nous venons"),
        ("J'habite à 69002 Lyon. Merci", ". Merci"), ("3 rue du Gén. Leclerc, 01200 St. Genis. Merci", ". Merci"),
        ("Ich wohne Lindenstraße 12, 10969 Berlin. Wir kommen", ". Wir kommen"),
    ],
)  # fmt: skip
def test_the_sentence_after_an_address_stays_whole(text: str, after: str) -> None:
    (mended,) = _text(text)
    assert mended.endswith(after)
    assert not re.search("République|Lyon|Leclerc|Genis|Lindenstr|Berlin", mended)


def test_an_address_that_is_somebodys_goes_wherever_it_stands() -> None:
    asked, told = _text("I live at 14 Market Street", "Is 14 Market Street near the station?")
    assert "Market" not in asked + told
    assert asked.removeprefix("I live at ") in told


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("nom,0612345678,ville", "nom,,ville"), ("phone:+33612345678,mail:", "phone:,mail:"),
        ("call 06 12 34 56 78/07 11 22 33 44 ok", "call / ok"), ("0612345678/0711223344", "/"),
        ("+33 6 12 34 56 78/maison", "/maison"), ("a length of 3,0612345678 m", "a length of 3,0612345678 m"),
    ],
)  # fmt: skip
def test_phones_in_a_table_and_beside_each_other_are_found(text: str, left: str) -> None:
    spans = sorted((one for one in find(text, (), ("FR",)) if one.kind == "phone"), key=lambda one: -one.start)
    for one in spans:
        text = text[: one.start] + text[one.end :]
    assert text == left


@pytest.mark.parametrize(
    ("region", "text", "found"),
    [
        ("US", "Yes, it's 2125551234", True), ("US", "2125551234", True), ("US", "The sum of it is 2125551234", False),
        ("US", "The order number?\n2125551234", False), ("FR", "Oui, 2125551234", False),
        ("DE", "Ja, 02331 34567", True), ("DE", "0344-0575 is 6, isn't it?", False),
    ],
)  # fmt: skip
def test_bare_digits_are_a_phone_where_somebody_answers_with_them(region: str, text: str, found: bool) -> None:
    mended = Mender().mend([say("user", text)], [False], (), (region,), 1, "c")
    assert mended.counts == ({"phone": 1} if found else {})


@pytest.mark.parametrize(
    "unit",
    ["a", "@", "a@", "1 ", "06 ", "sk-a", "né le 12/03/1984 ", "12 rue de la ", "://a:", "a dot ", "key: a1 ", "an "],
)
def test_hostile_texts_take_time_in_proportion(unit: str) -> None:
    def cpu_s(size: int) -> float:
        text, start = (unit * size)[:size], time.process_time()
        find(text, (*ADA, Known("name", "An Nguyen")))
        return time.process_time() - start

    assert cpu_s(50_000) < 1.0


def test_a_further_finder_names_who_is_in_no_profile() -> None:
    def somebody(text: str) -> list[Known]:
        return [Known("name", "Grace Hopper")] if "Hopper" in text else []

    messages = [say("user", "Grace Hopper a appelé"), say("assistant", "Je rappelle Mme Hopper.")]
    mended = Mender(further=[somebody]).mend(messages, [False, True], ADA, ("FR",), 1, "c")
    user, reply = (message.text for message in mended.messages)
    assert mended.counts == {"name": 3}
    assert user.split()[1] == reply.split()[-1].rstrip(".")
