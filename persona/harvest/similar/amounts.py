"""The amounts that a text names, each in one form: times, dates, durations, prices, shares, measures and counts.

"5 pm", "17:00" and "17 h" are one time, "two weeks" and "14 jours" one duration, "1,200.00" and "1 200" one number.
French and English.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from persona.harvest.similar.text import words_in
from persona.values import words


class Amount(NamedTuple):
    """One amount: what kind of thing it measures, how much, and the noun that it counts ("" for none)."""

    kind: str
    value: str
    noun: str = ""


_SMALL = {
    **dict.fromkeys(("zero",), 0), **dict.fromkeys(("two", "deux"), 2), **dict.fromkeys(("three", "trois"), 3),
    **dict.fromkeys(("four", "quatre"), 4), **dict.fromkeys(("five", "cinq"), 5), "six": 6,
    **dict.fromkeys(("seven", "sept"), 7), **dict.fromkeys(("eight", "huit"), 8), "nine": 9, "neuf": 9,
    **dict.fromkeys(("ten", "dix"), 10), **dict.fromkeys(("eleven", "onze"), 11),
    **dict.fromkeys(("twelve", "douze", "dozen", "douzaine"), 12), **dict.fromkeys(("thirteen", "treize"), 13),
    **dict.fromkeys(("fourteen", "quatorze"), 14), **dict.fromkeys(("fifteen", "quinze"), 15),
    **dict.fromkeys(("sixteen", "seize"), 16), "seventeen": 17, "eighteen": 18, "nineteen": 19,
    **dict.fromkeys(("twenty", "vingt"), 20), **dict.fromkeys(("thirty", "trente"), 30),
    **dict.fromkeys(("forty", "quarante"), 40), **dict.fromkeys(("fifty", "cinquante"), 50),
    **dict.fromkeys(("sixty", "soixante"), 60), "seventy": 70, "eighty": 80, "ninety": 90,
    "septante": 70, "huitante": 80, "nonante": 90,
}  # fmt: skip
_ONES = {"one": 1, "un": 1, "une": 1, "a": 1, "an": 1}
_LARGE = {"hundred": 100, "cent": 100, "cents": 100, "thousand": 1000, "mille": 1000}
_MONTHS = {
    start: number
    for number, starts in enumerate(
        ("jan", "feb fev", "mar", "apr avr", "may mai", "jun juin", "jul juil", "aug aou", "sep", "oct", "nov", "dec"),
        1,
    )
    for start in starts.split()
}
_DAYS = {
    day: number
    for number, both in enumerate(
        ("monday lundi", "tuesday mardi", "wednesday mercredi", "thursday jeudi", "friday vendredi", "saturday samedi",
         "sunday dimanche"), 1
    )
    for day in both.split()
}  # fmt: skip
_MINUTES = {
    "s": 0, "second": 0, "seconde": 0, "sec": 0, "min": 1, "mn": 1, "minute": 1, "h": 60, "hr": 60, "hour": 60,
    "heure": 60, "day": 1440, "jour": 1440, "journee": 1440, "week": 10080, "semaine": 10080, "month": 43200,
    "mois": 43200, "year": 525600, "an": 525600, "annee": 525600, "fortnight": 20160, "quinzaine": 21600,
}  # fmt: skip
_MONEY = {
    "€": "€", "eur": "€", "euro": "€", "$": "$", "usd": "$", "dollar": "$", "£": "£", "gbp": "£", "pound": "£",
    "livre": "£", "chf": "chf", "franc": "chf",
}  # fmt: skip
_MEASURES = {
    "kilo": "kg", "kilogram": "kg", "kilogramme": "kg", "gramme": "g", "gram": "g", "litre": "l", "liter": "l",
    "metre": "m", "meter": "m", "centimetre": "cm", "centimeter": "cm", "kilometre": "km", "kilometer": "km",
    "gb": "go", "mb": "mo", "tb": "to", "watt": "w", "volt": "v", "degree": "°", "degre": "°", "°c": "°",
    "millimetre": "mm", "millimeter": "mm",
    **{unit: unit for unit in sorted(words_in("kg g mg l cl ml m cm mm km go mo to w kw kwh v mah mbps ° m2 m3"))},
}  # fmt: skip

_NUMBER = r"\d+(?:\.\d+)?"
_SOME = "|".join((*_SMALL, *_LARGE, "vingts"))
_SPELLED = re.compile(
    rf"\b(?:(?:{_SOME})(?:[ -](?:et |and |et-)?(?:{_SOME}|one|un|une)\b)*"
    rf"|(?:one|a) (?:hundred|thousand)(?: (?:and )?(?:{_SOME})\b)*"
    rf"|(?:{'|'.join(_ONES)}))\b"
)
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3})((?:[.,' ]\d{3})+)(?![\d])")
_MONTH = (
    r"(?P<month>jan(?:uary|vier|v)?|feb(?:ruary)?|fev(?:rier|r)?|mar(?:ch|s)?|apr(?:il)?|avr(?:il)?|may|mai|june?|juin|"
    r"july?|juil(?:let)?|aug(?:ust)?|aout|sept?(?:ember|embre)?|oct(?:ober|obre)?|nov(?:ember|embre)?|"
    r"dec(?:ember|embre)?)\b\.?"
)
_OF_DIGITS = "|".join(
    (
        r"(?P<iso>\b(?P<iy>(?:19|20)\d\d)-(?P<im>\d\d)-(?P<id>\d\d)\b)",
        r"(?P<phone>\+?(?<!\d)\d{1,4}(?:[ .-]\d{2,4}){3,}\b)",
        r"(?P<slash>\b(?P<sa>\d{1,2})(?P<sep>[/.])(?P<sb>\d{1,2})(?:(?P=sep)(?P<sy>(?:20)?\d\d)|(?<!\.\d)(?<!\.\d\d))\b(?![/.]\d))",
        rf"(?P<dm>\b(?P<dmd>\d{{1,2}})(?:st|nd|rd|th|er|e)?(?:\s(?:of|de))?\s(?:{_MONTH})(?:,?\s(?P<dmy>(?:19|20)\d\d)\b)?)",
        r"(?P<half>\b(?P<hh>\d{1,2})(?:[:.h](?P<hm>\d\d))?\s?(?P<hx>[ap])\.?\s?m\b\.?)",
        r"(?P<colon>\b(?P<ch>\d{1,2}):(?P<cm>\d\d)(?::\d\d)?\b)",
        r"(?P<french>\b(?P<fh>\d{1,2})\s?h(?:eures?)?\b(?:\s?(?P<fm>[0-5]\d)\b)?|\b(?P<gh>\d{1,2})h(?P<gm>[0-5]\d)\b)",
        r"(?P<oclock>\b(?P<oh>\d{1,2}) o'clock)",
        r"(?P<plain>(?<![\w.,])(?P<pv>\d+(?:[.,]\d+)?)[ -]?(?P<pu>%|°c?|[€$£](?P<pc>\d\d)?|[^\W\d_]+(?:[23]\b)?|))",
    )
)  # fmt: skip
_OF_LETTERS = "|".join(
    (
        rf"(?P<md>\b{_MONTH.replace('month', 'mmonth')}\s(?:the\s)?(?P<mdd>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s?[:h])"
        r"(?:,?\s(?P<mdy>(?:19|20)\d\d)\b)?)",
        r"(?P<noon>\b(?:noon|midday|midi|midnight|minuit)\b)",
        r"(?P<free>\b(?:free of charge|for free|free|gratuite?s?|gratuitement|offerte?s?"
        r"|(?:no|without|sans|aucuns?)"
        r" (?:extra |additional |delivery |shipping )?(?:charge|cost|fee|frais|cout)s?)\b)",
        rf"(?P<day>\b(?:{'|'.join(_DAYS)})s?\b)",
    )
)  # fmt: skip
# by the sign that they begin with: most places of a text have none of these
_FORMS, _FORMS_WITH_MAIL = (
    re.compile(
        rf"(?P<url>(?:https?://|www\.)\S+{mail})"
        rf"|(?=[\d+])(?:{_OF_DIGITS})"
        r"|(?P<before>[€$£]\s?(?P<bv>\d+(?:[.,]\d+)?))"
        rf"|\b(?=[adfgjlmnostvw])(?:{_OF_LETTERS})"
    )
    for mail in ("", r"|\S+@\S+\.\w+")  # which may begin anywhere, and takes twice the time
)
_NOUN = re.compile(r"[^\W\d_]{3,}")
_DIGITS_OF_A_NAME = 6  # a number so long is an order's, an account's or a phone's, and claims nothing


def amounts(text: str) -> frozenset[Amount]:
    """The amounts in `text`."""
    return frozenset(_scan(_plain(text)))


def _plain(text: str) -> str:
    """Lower case without accents, one form of thousands and of spelled-out numbers."""
    said = words.fold(unicodedata.normalize("NFKC", text).replace("’", "'").lower())
    said = _THOUSANDS.sub(_joined, said)
    return _SPELLED.sub(_in_digits, said)


def _joined(found: re.Match[str]) -> str:
    return found[1] + re.sub(r"\D", "", found[2])


def _in_digits(found: re.Match[str]) -> str:
    parts = re.findall(r"[a-z]+", found[0])
    if len(parts) == 1 and (parts[0] in _ONES or parts[0] in ("cent", "cents", "neuf")):
        after = re.match(r"[ -](?:full |whole |working |business |calendar )?([a-z]+)", found.string[found.end() :])
        unit = after[1] if after else ""
        known = _singular(unit) in _MINUTES or _singular(unit) in _MONEY or unit in ("pm", "am", "percent", "pour")
        if not known or parts[0] == "cents":
            return found[0]
    total = run = 0
    for part in parts:
        if part in ("et", "and"):
            continue
        if part in _LARGE:
            run = max(run, 1) * _LARGE[part]
            if _LARGE[part] == 1000:
                total, run = total + run, 0
        elif part in ("vingt", "vingts") and run % 100 == 4:
            run += 76
        else:
            run += 20 if part == "vingts" else _SMALL.get(part, _ONES.get(part, 0))
    return str(total + run)


def _singular(word: str) -> str:
    return word if word in _MINUTES or word in _MONEY or word in _MEASURES else word.removesuffix("s")


def _scan(said: str) -> Iterator[Amount]:
    waiting: list[str] = []  # numbers that a later one of a range gives its unit
    for found in (_FORMS_WITH_MAIL if "@" in said else _FORMS).finditer(said):
        kind = found.lastgroup or ""  # the whole of a form closes after its parts
        if kind == "plain" and _opens_range(said, found):
            waiting.append(found["pv"])
            continue
        yield from _READERS[kind](found, waiting)
        waiting.clear()


def _opens_range(said: str, found: re.Match[str]) -> bool:
    """Whether another number follows that has the unit: "9 to 11 am", "3-5 days"."""
    unit = found["pu"]
    rest = said[found.end("pv") :]
    if unit and not re.fullmatch(r"to|and|or|a|et|ou|au", unit):
        return False
    return re.match(r"\s?(?:-|–|—|to|and|or|a|et|ou|au)\s?(?=[\d€$£]|noon|mid)", rest) is not None


def _date(year: str | None, month: int, day: int) -> Iterator[Amount]:
    yield Amount("date", f"{month:02}-{day:02}")
    if year:
        yield Amount("year", year if len(year) == 4 else f"20{year}")


def _nothing(_: re.Match[str], __: list[str]) -> Iterator[Amount]:
    return iter(())


def _iso(found: re.Match[str], _: list[str]) -> Iterator[Amount]:
    yield from _date(found["iy"], int(found["im"]), int(found["id"]))


def _slash(found: re.Match[str], _: list[str]) -> Iterator[Amount]:
    one, two = int(found["sa"]), int(found["sb"])
    if max(one, two) <= 12 and one != two and words.language(found.string) != "fr":
        yield Amount("numeric date", f"{one}/{two}")  # the day or the month first
        return
    day, month = (one, two) if two <= 12 else (two, one)
    yield from _date(found["sy"], month, day)


def _day_month(found: re.Match[str], _: list[str]) -> Iterator[Amount]:
    yield from _date(found["dmy"], _month(found["month"]), int(found["dmd"]))


def _month_day(found: re.Match[str], _: list[str]) -> Iterator[Amount]:
    yield from _date(found["mdy"], _month(found["mmonth"]), int(found["mdd"]))


def _month(name: str) -> int:
    return next(_MONTHS[name[:size]] for size in (4, 3) if name[:size] in _MONTHS)


def _clock(hour: int, minute: str | None) -> Amount:
    return Amount("time", f"{hour % 24:02}:{minute or '00'}")


def _half(found: re.Match[str], waiting: list[str]) -> Iterator[Amount]:
    later = found["hx"] == "p"
    end = int(found["hh"])
    for number in waiting:  # "9 to 5 pm" begins in the morning, "2 to 5 pm" does not
        start = int(float(number.replace(",", ".")))
        yield _clock(start % 12 + (12 if later and start % 12 <= end % 12 else 0), None)
    yield _clock(end % 12 + (12 if later else 0), found["hm"])


def _colon(found: re.Match[str], waiting: list[str]) -> Iterator[Amount]:
    yield from (_clock(int(number), None) for number in waiting if number.isdigit())
    yield _clock(int(found["ch"]), found["cm"])


def _french(found: re.Match[str], waiting: list[str]) -> Iterator[Amount]:
    hour, minute = found["fh"] or found["gh"], found["fm"] or found["gm"]
    opening = found.string[max(0, found.start() - 14) : found.start()]
    numbers = [int(number) for number in waiting if number.isdigit()]
    lasts = int(hour) > 23 or (minute is None and _LASTS.search(opening) is not None)
    for number in numbers:
        yield _duration(number, 60) if lasts else _clock(number, None)
    yield _duration(int(hour), 60) if lasts else _clock(int(hour), minute)


def _oclock(found: re.Match[str], _: list[str]) -> Iterator[Amount]:
    yield _clock(int(found["oh"]), None)


def _noon(found: re.Match[str], waiting: list[str]) -> Iterator[Amount]:
    yield from (_clock(int(number), None) for number in waiting if number.isdigit())
    yield _clock(12 if found["noon"] in ("noon", "midday", "midi") else 0, None)


def _before(found: re.Match[str], waiting: list[str]) -> Iterator[Amount]:
    sign = found["before"][0]
    yield from (Amount("price", _decimal(number) + sign) for number in (*waiting, found["bv"]))


def _free(found: re.Match[str], _: list[str]) -> Iterator[Amount]:
    if not re.match(r" to\b", found.string[found.end() :]):  # "feel free to", "you are free to"
        yield Amount("price", "0")


def _weekday(found: re.Match[str], _: list[str]) -> Iterator[Amount]:
    yield Amount("weekday", str(_DAYS[found["day"].removesuffix("s")]))


def _plain_number(found: re.Match[str], waiting: list[str]) -> Iterator[Amount]:
    unit = _unit_after(found)
    for number in (*waiting, found["pv"]):
        yield from _measured(number, unit, found)


def _unit_after(found: re.Match[str]) -> str:
    unit = found["pu"]
    if unit in ("working", "business", "full", "whole", "calendar", "to", "a", "et", "and", "or", "ou", "au"):
        after = re.match(r" ([a-z]+)", found.string[found.end() :])
        return after[1] if after and unit not in ("to", "a", "et", "and", "or", "ou", "au") else ""
    return unit


def _measured(number: str, unit: str, found: re.Match[str]) -> Iterator[Amount]:
    single = _singular(unit)
    value = _decimal(number)
    if unit[:1] in ("€", "$", "£") and unit:
        yield Amount("price", _decimal(f"{number}.{found['pc']}" if found["pc"] else number) + unit[0])
    elif single in _MONEY:
        yield Amount("price", value + _MONEY[single])
    elif unit == "%" or unit in ("percent", "pct") or (unit == "pour" and found.string[found.end() :][:5] == " cent"):
        yield Amount("percent", value)
    elif single in _MINUTES:
        yield _duration(int(float(value)), _MINUTES[single])
    elif single in _MEASURES:
        yield Amount(_MEASURES[single], value)
    elif len(re.sub(r"\D", "", number)) < _DIGITS_OF_A_NAME:
        yield Amount("count", value, _noun(found, unit))


def _duration(number: int, minutes: int) -> Amount:
    years, rest = divmod(number, 12)
    if minutes == _MINUTES["month"] and not rest:
        number, minutes = years, _MINUTES["year"]  # 24 months are two years, and not 720 days
    return Amount("duration", str(number * minutes) if minutes else f"{number}s")


def _noun(found: re.Match[str], unit: str) -> str:
    lang = ""
    for word in (unit, *_NOUN.findall(found.string[found.end() : found.end() + 24])[:1]):
        if len(word) > 2 and words.term(word, lang):
            return words.term(word, lang).removesuffix("s")
    return ""


def _decimal(number: str) -> str:
    whole, _, part = number.replace(",", ".").partition(".")
    part = part.rstrip("0")
    return str(int(whole)) + (f".{part}" if part else "")


_LASTS = re.compile(
    r"(?:within|in|for|under|of|than|sous|dans|pendant|durant|d'ici|moins de|plus de|delai de|apres|every|toutes les|"
    r"about|environ|takes?|lasts?|dure|prend|faut|up to|les|next|last|prochaines|premieres) $"
)
_READERS = {
    "iso": _iso, "slash": _slash, "dm": _day_month, "md": _month_day, "half": _half, "colon": _colon,
    "french": _french, "oclock": _oclock, "noon": _noon, "before": _before, "free": _free, "day": _weekday,
    "plain": _plain_number, "url": _nothing, "phone": _nothing,
}  # fmt: skip
