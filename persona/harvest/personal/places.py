"""Street addresses, as they are written in France, in Germany and in English-speaking countries."""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from persona.harvest.personal.homes import is_a_home
from persona.harvest.personal.pools import STREETS, TOWNS
from persona.harvest.personal.seal import is_ours
from persona.harvest.personal.values import Span
from persona.harvest.personal.wide import AFTER, CAPITAL_SET, SPACE, SPACE_SET

_BARE = r"[A-ZÀ-ÖØ-Þ][\w'’\-]{0,30}(?:\.[\w'’\-]{1,30}){0,4}"  # a capitalised word
_W = rf"{_BARE}(?:(?<!\w{{4}})\.)?"  # with the point of a short one, which is no end of a sentence
_T = rf"{_BARE}(?:(?:(?<=\bSt)|(?<=\bSte))\.)?"  # of a town's name
_SMALL = r"(?:de|du|des|la|le|les|et|aux?|à|sur|sous|en|lès|the|of|and)"
_TOWN = rf"(?:{_T}|(?:[LlDd]['’]){_T})(?:[ \-](?:(?:{_SMALL}|[LlDd]['’])[ \-]?){{0,2}}{_T}){{0,4}}"
_RANK = r"(?:\s?(?:bis|ter|quater|[A-Da-d])(?!\w))?"
_SURE = r"(?i:rue|avenue|av\.?|ave\.?|boulevard|bd\.?|bld\.?|blvd\.?|impasse|all[ée]es?|ruelle|faubourg|fbg)"
_MAYBE = (
    r"(?i:chemin|quai|place|pl\.?|cours|route|rte\.?|square|passage|villa|r[ée]sidence|lotissement|hameau|sentier|"
    r"esplanade|promenade|rond-point|mont[ée]e|cit[ée]|clos|traverse|voie)"
)
_FRENCH = re.compile(
    rf"(?<![\w.,/\-])(\d{{1,4}}{_RANK}\s?,?\s(?:(?:{_SURE})\s(?:(?:{_SMALL}\s|[dlDL]['’]){{0,3}}(?:{_W}|"
    rf"\d{{1,2}}(?=\s\w{{3,9}}\s\d{{4}}))"
    rf"|(?:(?:de|du|des|la|le|les)\s|[dl]['’]){{1,3}}[a-zà-ÿ]{{3,20}})"
    rf"|(?:{_MAYBE})\s(?:{_SMALL}\s|[dl]['’]){{0,3}}{_W})"
    rf"(?:[ \-](?:(?:{_SMALL}|[dl]['’])[ \-]?){{0,2}}(?:{_W}|(?<=\d\s)\w{{3,9}}\s\d{{4}})){{0,5}})"
    rf"(\s?[,\n–-]?\s{{1,2}}(?:F-|FR-)?\d{{2}}[ ]?\d{{3}}\s(?:{_TOWN}|[a-zà-ÿ\-]{{3,30}}))?(?!\w)"
)
_STREETS = (
    r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Boulevard|Blvd|Drive|Dr|Terrace|Crescent|Circle|Cir|Highway|Hwy|Parkway|"
    r"Pkwy|Mews|Court|Ct"
)
_STREETS_MAYBE = r"Way|Place|Pl|Square|Sq|Close|Gardens|Row|Park|Walk|Hill|Green|Grove|Trail|Trl|Loop|Alley"
_UK = r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}"
_STATE = (
    r"(?:A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|"
    r"O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY])"
)
_ENGLISH = re.compile(
    rf"(?<![\w.,/$£€\-])(\d{{1,5}}[A-Za-z]?,?\s(?:[NSEW]\.?\s|North\s|South\s|East\s|West\s)?(?:{_W}\s|"
    rf"\d{{1,3}}(?:st|nd|rd|th)\s){{1,4}}?"
    rf"(?:({_STREETS})|(?:{_STREETS_MAYBE}))\b\.?(?:\s[NSEW]{{1,2}}\b)?(?:,?\s(?:Apt|Apartment|Suite|Ste|Unit|"
    rf"Flat|Floor|#)\.?\s?\w{{1,5}})?)"
    rf"(,?\s(?:{_TOWN},\s){{0,2}}(?:{_TOWN},?\s)?(?:{_STATE}\s\d{{5}}(?:-\d{{4}})?|{_UK}))?(?!\w)"
)
_FRENCH_TOWN = re.compile(
    rf"(?:(?:habit\w+|vi[st]|loge\w*|domicili\w+|résid\w+|adresse|code postal|livr\w+|"
    rf"déménag\w+)\b[^\n\x00.!?]{{0,30}}?[\s:])((?<!\d)(?:0[1-9]|[1-8]\d|9\d)\d{{3}}\s{_TOWN})",
)
_ENGLISH_TOWN = re.compile(
    rf"(?<!\w)(?:(?:live[sd]?|living|address|zip|postcode|postal code|deliver\w*|ship\w*|moved?|moving|based|"
    rf"resid\w+)\b[^\n\x00!?]{{0,40}}?[\s:])"
    rf"({_TOWN},?\s(?:{_STATE}\s\d{{5}}(?:-\d{{4}})?|{_UK})|{_UK})(?!\w)"
)
# the name of a German street, found from its number
_WAYS = (
    *("straße", "strasse", "str.", "gasse", "weg", "allee", "platz", "ring", "damm", "ufer", "steig", "chaussee"),
    *("Straße", "Strasse", "Str.", "Gasse", "Weg", "Allee", "Platz", "Ring", "Damm", "Ufer", "Steig", "Chaussee"),
)
_LONGEST_NAME = 40  # characters
_NUMBERED = re.compile(
    r"[A-ZÄÖÜ][\w\-]+\.?\s(\d{1,4}(?:\s?[a-z])?(?![\w%€]|[.,:]\d|\s(?:Uhr|Euro|Prozent|Minuten|km)\b))"
)
_GERMAN_STREET = re.compile(
    rf"(?<![\w\-])(?!(?:D(?:er|ie|as|en|em)|Eine?n?|Kein|Welcher|Dieser)\s)"
    rf"(?:(?:(?:(?:An|Auf|In)\sde[rmn]|{_W})\s)?{_W}\s{_W}|{_W}[\-a-zäöüß](?:{'|'.join(map(re.escape, _WAYS))}))$"
)
_NO_LANE = (  # what a number follows after "im" and "am" as well
    r"(?!\w*(?:tag|woch|abend)\b|Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|"
    r"Jahr|Raum|Saal|Zimmer|Alter|Umkreis|Preis|Schnitt|Durchschnitt|Haus|Kapitel|Abschnitt|Gleis)"
)
_GERMAN_LANE = re.compile(
    rf"(?<![\w\-])(?:Am|Im|Zum|Zur|(?:An|Auf|In|Hinter|Unter|Vor)\sde[rmn])\s{_NO_LANE}(?:{_W}\s)?{_W}$"
)
_GERMAN_TOWN = re.compile(rf"\s?[,\n–-]?\s{{1,2}}(?:D-|DE-)?\d{{5}}\s{_TOWN}")
_A_YEAR = re.compile(r"(?:19|20)\d\d\s")
_RANKED = rf"(?:{SPACE}?(?:bis|ter|quater|[A-Da-d]))?"
_NAME = f"[{CAPITAL_SET}][^\\s\\x00]*"
_FIVE = rf"[0-9]{{5}}{SPACE}(?:[LlDd]['’])?[{CAPITAL_SET}]"
_CODE = rf"(?:[A-Z]{{2}}{SPACE}[0-9]{{5}}|[A-Z]{{1,2}}[0-9][A-Z0-9]?{SPACE}?[0-9][A-Z]{{2}})"
SIGNS = {
    "french street": f"[0-9]{_RANKED}{SPACE}?,?{SPACE}(?:{_SURE}|{_MAYBE}){SPACE}",
    "english street": f"[0-9][A-Za-z]?,?{SPACE}(?:[0-9{CAPITAL_SET}][^\\s\\x00]*{SPACE}){{1,5}}"
    f"(?:{_STREETS}|{_STREETS_MAYBE}){AFTER}",
    "german street": f"(?:{'|'.join(map(re.escape, _WAYS))}){SPACE}[0-9]"
    f"|(?:Am|Im|Zum|Zur|de[rmn]){SPACE}(?:{_NAME}{SPACE}){{1,2}}[0-9]",
    "french town": r"(?:habit|vi[st]|loge|domicili|résid|adresse|code postal|livr|déménag)"
    rf"[^\n\x00.!?]*[{SPACE_SET}:]{_FIVE}",
    "english town": r"(?:live|living|address|zip|postcode|postal code|deliver|ship|move|moving|based|resid)"
    rf"[^\n\x00!?]*[{SPACE_SET}:](?:[^\x00!?]*{SPACE})?{_CODE}",
}


def find_addresses(text: str, signs: Collection[str]) -> Iterator[Span]:
    """Number, way and name, with what follows of town and postcode; a town alone where the words speak of living.

    An address is somebody's when it has its postcode, or when what is around it says so. Where it stands once more it
    is theirs as well.
    """
    found = list(_found(text, signs))
    homes = {span.key for span in found if span.form[1] != "without" or span.sealed or is_a_home(text, span)}
    yield from (span for span in found if span.key in homes)


def _found(text: str, signs: Collection[str]) -> Iterator[Span]:
    if "german street" in signs:
        yield from _german(text)
    if "french street" in signs:
        for found in _FRENCH.finditer(text):
            yield _span(found.start(), found.end(), found[1], "fr", "with" if found[2] else "without")
    if "english street" in signs:
        for found in _ENGLISH.finditer(text):
            if found[3] or not _A_YEAR.match(found[1]):
                yield _span(found.start(), found.end(), found[1], "en", "with" if found[3] else "without")
    for sign, shape, language in (("french town", _FRENCH_TOWN, "fr"), ("english town", _ENGLISH_TOWN, "en")):
        for found in shape.finditer(text) if sign in signs else ():
            yield _span(found.start(1), found.end(1), found[1], language, "alone")


def _german(text: str) -> Iterator[Span]:
    for found in _NUMBERED.finditer(text):
        before = found.start(1) - 1
        shape = _GERMAN_STREET if text.endswith(_WAYS, 0, before) else _GERMAN_LANE
        if street := shape.search(text, max(0, before - _LONGEST_NAME), before):
            town = _GERMAN_TOWN.match(text, found.end())
            end = town.end() if town else found.end()
            yield _span(street.start(), end, text[street.start() : found.end()], "de", "with" if town else "without")


@lru_cache(maxsize=4)
def our_streets(language: str) -> tuple[str, ...]:
    """The streets that we hand out, with their numbers."""
    order = "{way} {number}" if language == "de" else "{number} {way}"
    numbered = (order.format(number=number, way=way) for way in STREETS[language] for number in range(2, 420))
    return tuple(one for one in numbered if is_ours(one))


def address_key(street: str) -> str:
    """The same for an address however it is punctuated and cased."""
    return "".join(filter(str.isalnum, street)).casefold()


def _span(start: int, end: int, street: str, language: str, town: str) -> Span:
    ours = street.startswith((*our_streets(language), *TOWNS[language]))
    return Span(start, end, "address", address_key(street), ours, (language, town))
