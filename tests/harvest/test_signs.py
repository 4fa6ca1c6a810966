"""Signs of personal data: what a finder finds has its sign in the text, so that nothing is missed for want of one."""

import random
import subprocess
import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.personal_texts import CLEAN, KINDS, plant
from persona.harvest.personal.find import find, search
from persona.harvest.personal.signs import ALL, ANY_PHONE, signs_of, signs_of_all
from persona.harvest.personal.values import Known, Span

KNOWN = (Known("name", "Zoë Åkesson"), Known("name", "Wałęsa"), Known("organisation", "Saint-Éloi Ltd"))
REGIONS = ((), ("FR",), ("US", "GB"), ("DE",), ("ES",))
TEXTS = (
    "12 bis rue des Lilas, 75011 Paris",
    "J'habite à 69003 Lyon",
    "I live in London NW1 6XE",
    "address: Springfield IL 62704",
    "Lindenstraße 12\n10969 Berlin",
    "Ich wohne Am Alten Mühlbach 7",
    "my address is 12 Étoile Street",
    "née le 03/02/1961",
    "born March\n12, 1984",
    "12 March 1984 is my birthday",
    "DOB: 1990-04-05",
    "my server is 81.2.69.142 or 2606:4700:4700::1111",
    "https://bob:s3cretpw@host.com/x?token=a8f7d6e5c4b3",
    "password: hunter2!",
    "secret 8142b7f530b60bfe98560b70ff1cacbf",
    "write to jean (at) gmail (dot) com",
    "marie arobase free point fr",
    "ma sécu : 1 85 05 2A 006 084 35",
    "my social 123456789",
    "once 219-09-9999",
    "call me 4155552671 or (415) 5552671",
    "Yes, 2125551234",
    "tel 33612345678 or 63998 1234 or 33 6 39 98 00 12",
    "00.33.6.12.34.56.78",
    "mobile 0344-0575, fax 0 30 123456",
    "tel 03/07-2025 or 01/02/34567 or 09.12.2024 12 34",
    "MT84MALT011000012345MTLCAST001S, nl91 abna 0417 1643 00",
    "Zoe Akesson (ZOË), wałęsa, at saint-eloi ltd, ĀKESSON",
    "visa 4111 1111 1111 1111",
    "tel 612345678",
    "export TOKEN ghp_Zx3cVbNmAsDfGhJkLqWeRtYuIoPmNb42Q or aB3dE5gH7jK9mN1pQ3sT5vW7",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----",
)
ODD = (
    *" \n\t\x00\x1c\x85\u00a0\u202f\u2009\u2011\u2013-.,/()+_@:=#'’\"",
    *("0", "7", "00", "+33", "2A", "k", "é", "É", "ß"),
    *("\u0660", "\u0663", "\uff11", "ſ", "\u212a", "İ", "ı", "ł", "Ā", "\u3000", "\ud800"),
)
MANGLED = st.tuples(
    st.sampled_from([*TEXTS, *KINDS, "clean"]),
    st.integers(0, 10**6),
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(["put", "change", "drop"]), st.sampled_from(ODD)), max_size=5
    ),
)
SHAPES = st.sampled_from(
    [
        r"(tel|Yes,|\+|#)? ?[0(]?\d{2,4}[ ./-]{0,2}\d{2,4}[ .-]?\d{2,4}([ .-]\d\d){0,3}",
        r"(né|DOB|born on|geboren am)\W{0,4}\d{1,2}([ ./-])\d{1,2}\2(19|20)?\d\d",
        r"\d{1,2} (Mai|march|Août)\s(19|20)\d\d[ ,(]{0,3}(birthday|anniversaire|né)",
        r"(DE|fr|Gb|LB) ?\d\d([ -]?[A-Z0-9]{4}){2,7}",
        r"(my )?(api key|Token|mot de passe|clé)( is|:|=|\s{1,2}['\"])\s?\w{5,9}\d[a-z!]{1,5}",
        r"\W?(sk-|ghp_|AKIA|xoxb-|hf_|key-)[A-Za-z0-9]{9,40}",
        r"(ssn|social)? ?\d{3}[- ]?\d{2}[- ]?\d{4}",
        r"[1278] ?\d\d ?0[1-9] ?2[AB] ?\d{3} ?\d{3} ?\d\d",
        r"[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}",
        r"(habite|live|address)[ :\n][^\n]{0,9}[ :](\d{5} [A-Z][a-z]{3}|[A-Z]{1,2}\d \d[A-Z]{2})",
        r"\d{1,3}( bis|B)?,?\s(rue|Avenue|Main|É\w{2})\s(du )?[A-Z]\w{2,5}( Street| Rd)?",
        r"[A-ZÄÖ][a-z]{3,6}(weg|straße) \d{1,3}|(Am|Zur) [A-Z][a-z]{2,5} \d",
        r"(\d{1,3}\.){3}\d{1,3}|[23][0-9a-f]{3}:[0-9a-f:]{5,20}",
        r"\w{2,5}( at | \(at\) | arobase )\w{2,5}( dot |\.| \[point\] )(com|de)",
    ]
).flatmap(st.from_regex)


def _mangled(made: tuple[str, int, list[tuple[int, str, str]]]) -> str:
    """A text with personal data in it, some characters put in, changed and left out."""
    what, seed, edits = made
    draw = random.Random(seed)
    whole = plant(draw, what).text if what in KINDS else draw.choice(CLEAN)(draw) if what == "clean" else what
    text = list(whole)
    for at, how, new in edits:
        place = at % (len(text) + 1)
        text[place : place + (how != "put")] = [] if how == "drop" else [new]
    return "".join(text)


@settings(max_examples=300, deadline=None)
@given(text=MANGLED.map(_mangled) | SHAPES, regions=st.sampled_from(REGIONS))
@example(text="Token 8142b7f530b60bfe98560b70ff1cacbf", regions=())
@example(text="J'habite à\x8569003 Lyon", regions=())
@example(text="İAKIA6YQBQ2Q5MD8TS512M", regions=())
@example(text="\u0665Bearer tZeri8lNiaaBHRDif2k8t3", regions=())
def test_signs_hide_nothing(text: str, regions: tuple[str, ...]) -> None:
    assert find(text, KNOWN, regions) == search(text, ALL, KNOWN, regions)


@pytest.mark.parametrize("sign", sorted(ALL - {"odd"}))
def test_every_sign_is_needed(sign: str) -> None:
    def without(text: str) -> list[Span]:
        signs = signs_of(text) | {ANY_PHONE}
        return search(text, signs - {sign, ANY_PHONE} if sign == "phone" else signs - {sign}, KNOWN, ("ES",))

    assert any(without(text) != find(text, KNOWN, ("ES",)) for text in TEXTS)


@pytest.mark.parametrize("text", ["How do I change the name on my order?", "Le colis est arrivé, merci !", "3 + 4 = 7"])
def test_a_text_of_every_day_has_no_sign(text: str) -> None:
    assert not signs_of(text)


@pytest.mark.parametrize(
    "text", ["order LB550684453FR", "le 03/07/2025", "commande 259590-4847", "version 9.8.22", "1ZB58V1437351957"]
)
def test_dates_and_order_numbers_have_no_sign_of_a_phone(text: str) -> None:
    assert not signs_of(f"{text} :") & {"phone", "iban", "host", "card"}


def test_digits_of_every_script_are_digits() -> None:
    scripts = [one for one in map(chr, range(sys.maxunicode + 1)) if one.isdecimal() and int(one) == 0]
    assert len(scripts) > 50
    for zero in scripts:
        number = "".join(chr(ord(zero) + int(one)) for one in "33612345678")
        assert "phone" in signs_of(f"+{number}")


@pytest.mark.parametrize(
    "text", ["\ud800 06 12 34 56 78", "tel\udfff: 06 12 34 56 78", "password: \ud83d1a!xx, 06 12 34 56 78"]
)
def test_half_a_character_hides_nothing(text: str) -> None:
    assert "phone" in {span.kind for span in find(text)}


def test_texts_that_are_looked_through_together_have_the_signs_that_each_has_alone() -> None:
    some = [*TEXTS, "", "+\u0663\u0663612345678", "\ud800 06 12 34 56 78", "İAKIA6YQBQ2Q5MD8TS512M"]
    assert signs_of_all(some) == list(map(signs_of, some))


def test_re2_is_loaded_by_the_first_text() -> None:
    script = (
        "import sys; from persona.harvest.personal.find import find; before = 're2' in sys.modules; find('x'); "
        "print(before, 're2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("alphabet", ["0123456789 .-", "né0 born1:\u00a0", "Am Rd St 1 A", "abcdefghij0123456789-_"])
def test_signs_of_any_text_take_time_in_proportion(alphabet: str) -> None:
    text = "".join(random.Random(1).choices(alphabet, k=100_000))
    start = time.process_time()
    found = signs_of(f"{text}\n+33 6 12 34 56 78")
    assert time.process_time() - start < 2.0
    assert "phone" in found
