"""Phone numbers: by the shapes in which France, the US, the UK and Germany write them, and by `phonenumbers` elsewhere.

A number in a usual shape of these four is taken as it stands, given out or not. What could be anything, a bare run of
digits, must be a valid number, and have the words before it or the user's region on its side.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from persona.harvest.personal.context import is_an_answer, is_something_else, speaks_of_a_phone
from persona.harvest.personal.fiction import ours_among, phone_is_ours
from persona.harvest.personal.starts import JOINS, may_be_ours, may_start
from persona.harvest.personal.values import Span
from persona.harvest.personal.words import words

REGIONS = ("FR", "US", "GB", "DE")
_COUNTRY = {"FR": "33", "US": "1", "CA": "1", "GB": "44", "DE": "49"}
_LENGTHS = {"33": range(9, 10), "1": range(10, 11), "44": range(9, 11), "49": range(7, 13)}
_GROUP = re.compile(r"\d+")
_MOST_DIGITS, _MOST_GROUPS = 15, 8
_BETWEEN = (" / ", " - ", " – ")  # what stands between two numbers
_LEAST_ALONE = 10  # digits of a German landline that no words announce
_BRITISH_CITIES = frozenset(words("0113 0114 0115 0116 0117 0118 0121 0131 0141 0151 0161 0191"))
_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d)(?![./-]?\d)|\d{4}([./-])\d\d\2\d\d")
_FRENCH = {(2, 2, 2, 2, 2), (10,), (4, 2, 2, 2), (4, 3, 3), (1, 3, 3, 3), (2, 4, 4), (2, 8), (1, 1, 2, 2, 2, 2), (1, 9)}
_BRITISH = {(3, 4, 4), (4, 3, 4), (5, 6), (5, 3, 3), (6, 5), (4, 7), (3, 8), (5, 5)}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Some groups of digits, and what is around them."""

    text: str
    start: int
    end: int
    groups: tuple[str, ...]
    joins: tuple[str, ...]
    regions: tuple[str, ...]
    asked_for: bool

    @property
    def digits(self) -> str:
        return "".join(self.groups)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(len, self.groups))

    @property
    def uniform(self) -> bool:
        return len(set(self.joins)) < 2


def is_abroad(regions: Sequence[str]) -> bool:
    """Whether there is a region whose numbers have shapes that we do not know: any seven digits may be one."""
    return not _SHAPED.keys() >= set(regions)


def find_phones(text: str, begin: int, end: int, regions: Sequence[str], any_shape: bool) -> Iterator[Span]:
    """The phone numbers in a run of digits and separators; `regions` (ISO 3166) are tried first.

    `any_shape` has numbers looked for where none of the usual shapes starts: those of other countries have theirs.
    """
    groups = [(found.start(), found.end()) for found in _GROUP.finditer(text, begin, end)]
    order = tuple(dict.fromkeys((*regions, *REGIONS)))
    at, last = 0, begin
    while at < len(groups):
        start = groups[at][0]
        taken = None
        beside = at > 0 and start == last and text[start - 1] == "/"  # right after another one
        if (beside or may_start(text, start, any_shape)) and not is_something_else(text, start):
            asked = speaks_of_a_phone(text, start)
            if asked or start == last or text[start - 1] in "+(":
                taken = _longest(text, groups, at, order, asked)
        if taken is None:
            abroad = text[max(0, start - 1) : start] == "+"
            at += 1
            while abroad and at < len(groups) and JOINS.fullmatch(text, groups[at - 1][1], groups[at][0]):
                at += 1  # without its country a number means nothing
            continue
        used, span = taken
        yield span
        at += used
        last = groups[at][0] if at < len(groups) else end


def _longest(
    text: str, groups: Sequence[tuple[int, int]], at: int, regions: tuple[str, ...], asked: bool
) -> tuple[int, Span] | None:
    """The longest number that starts at a group: how many groups it has, and where it is."""
    digits, last = 0, at
    joins: list[str] = []
    ends: list[int] = []
    while last < min(len(groups), at + _MOST_GROUPS):
        join = text[groups[last - 1][1] : groups[last][0]] if last > at else ""
        if (digits >= 7 and join in _BETWEEN) or (digits >= 10 and join == "/" and text[groups[last][0]] == "0"):
            break
        digits += groups[last][1] - groups[last][0]
        if digits > _MOST_DIGITS + 2 or (join and not JOINS.fullmatch(join)):
            break
        joins += [join] if last > at else []
        last += 1
        if digits >= 7 and _may_end(text, groups, last):
            ends.append(last)
    candidates = []
    for stop in reversed(ends):
        parts = tuple(text[begin:end] for begin, end in groups[at:stop])
        end = groups[stop - 1][1]
        candidates.append(_Candidate(text, groups[at][0], end, parts, tuple(joins[: stop - at - 1]), regions, asked))
    for judge in (_our_phone, _phone) if may_be_ours(text, groups[at][0]) else (_phone,):
        for one in candidates:
            if (span := judge(one)) is not None:
                return len(one.groups), span
    return None


def _may_end(text: str, groups: Sequence[tuple[int, int]], stop: int) -> bool:
    end = groups[stop - 1][1]
    after = text[end : end + 2]
    if not after:
        return True
    if after[0].isalpha() or after[0] in "_%€$£":
        return False
    if after[0] in ",/" and (after[1:].isalpha() or after == "/0"):
        return True  # the next cell of a table, or the next number
    return not (after[0] in ".,/:-–" and after[1:].isalnum())


def _our_phone(one: _Candidate) -> Span | None:
    number = ours_among(one.digits)
    return number and _span(one, *number)


def _phone(one: _Candidate) -> Span | None:
    number = _abroad(one) or _at_home(one)
    return number and _span(one, *number)


def _span(one: _Candidate, country: str, national: str) -> Span:
    start, end = one.start, one.end
    while start and one.text[start - 1] in "+(" and start > one.start - 2:
        start -= 1
    if one.text[start] == "(" and ")" not in one.text[start:end]:
        start += 1
    return Span(start, end, "phone", f"+{country}{national}", phone_is_ours(country, national), (country, national))


def _abroad(one: _Candidate) -> tuple[str, str] | None:
    """Country and number of what starts with + or 00."""
    before = one.text[max(0, one.start - 2) : one.start]
    digits = one.digits
    if digits.startswith("00") and digits[2] != "0":
        digits = digits[2:]
    elif "+" not in before:
        return None
    for country, lengths in _LENGTHS.items():
        national = digits[len(country) :]
        if digits.startswith(country):
            if national.startswith("0") and country != "1":
                national = national[1:]
            return (country, national) if len(national) in lengths else None
    return _parsed(f"+{digits}", None) if 8 <= len(digits) <= _MOST_DIGITS else None


def _at_home(one: _Candidate) -> tuple[str, str] | None:
    """Country and number of what is written as at home in one of the regions."""
    if set(one.joins) == {"."} and len(one.groups) == 4 and max(map(int, one.groups)) < 256:  # a host
        return None
    if _DATE.match(one.text, one.start) and one.shape != (2, 2, 2, 2, 2):
        return None
    for region in one.regions:
        shaped = _SHAPED.get(region)
        if shaped and (national := shaped(one)):
            return _COUNTRY[region], national
    return _announced(one) if one.asked_for else None


def _announced(one: _Candidate) -> tuple[str, str] | None:
    """Country and number of digits in no usual shape, which the words before them say are a number."""
    for country, lengths in _LENGTHS.items():
        national = one.digits[len(country) :]
        written_out = one.digits.startswith(country) and len(national) in lengths and len(national) >= 9
        if len(one.shape) == 1 and country != "1" and written_out:
            return country, national
    if 7 <= len(one.digits) <= 12:
        for region in one.regions:
            if region in _SHAPED and one.digits[0] != "0":
                continue  # written without its zero it could be anything
            if found := _parsed(one.digits, region):
                return found
    return None


def _french(one: _Candidate) -> str:
    digits = one.digits
    if len(digits) != 10 or digits[0] != "0" or digits[1] == "0" or not one.uniform:
        return ""
    if one.shape == (2, 2, 2, 2, 2) and _counts_up(one):
        return ""
    usual = one.shape in _FRENCH or (digits[1] in "67" and one.joins and one.joins[0] in " .-/\u00a0\u202f")
    return digits[1:] if usual else ""


def _counts_up(one: _Candidate) -> bool:
    """Whether it is a piece of a longer row of pairs, or one that is counted."""
    numbers = [int(group) for group in one.groups]
    steps = {second - first for first, second in itertools.pairwise(numbers)}
    after = one.text[one.end : one.end + 4]
    before = one.text[max(0, one.start - 4) : one.start]
    more = re.fullmatch(rf"{re.escape(one.joins[0])}[1-9]\d\D?", after) or re.fullmatch(
        rf"\D?\d\d{re.escape(one.joins[0])}", before
    )
    return len(steps) == 1 or (more is not None and one.joins[0] != "")


def _american(one: _Candidate) -> str:
    digits = one.digits[1:] if len(one.digits) == 11 and one.digits[0] == "1" else one.digits
    if len(digits) != 10 or digits[0] in "01" or digits[3] in "01":
        return ""
    shape = one.shape[1:] if len(one.digits) == 11 and one.shape[0] == 1 else one.shape
    if shape == (3, 3, 4) or (shape == (3, 7) and one.text[one.start - 1 : one.start] == "("):
        return digits
    return digits if len(shape) == 1 and (one.asked_for or _is_told(one, "US", "CA")) else ""


def _british(one: _Candidate) -> str:
    digits = one.digits
    if len(digits) not in (10, 11) or digits[0] != "0" or digits[1] in "0456":
        return ""
    if digits[1] == "7":
        mobile = (len(digits) == 11 and digits[2] != "0") or one.shape == (5, 6)
        return digits[1:] if mobile and len(digits) == 11 else ""
    if one.shape in _BRITISH and len(digits) == (10 if one.shape == (5, 5) else 11):
        sure = one.shape not in {(3, 8), (5, 5), (6, 5)} and (one.shape != (4, 7) or digits[:4] in _BRITISH_CITIES)
        return digits[1:] if sure or _valid(one, "GB") else ""
    return (
        digits[1:] if len(one.shape) == 1 and len(digits) == 11 and _valid(one, "GB") and _believed(one, "GB") else ""
    )


def _german(one: _Candidate) -> str:
    digits = one.digits
    if digits[0] != "0" or digits[1] == "0" or not 7 <= len(digits) <= 13:
        return ""
    if digits[1] == "1" and digits[2] in "567":
        right = len(digits) in (11, 12) and (len(one.shape) == 1 or one.shape[0] in (4, 5))
        return digits[1:] if right else ""
    if digits[1] == "1" or not _valid(one, "DE"):
        return ""
    if one.asked_for or _is_told(one, "DE"):
        return digits[1:]
    if len(digits) < _LEAST_ALONE or len(one.shape) == 1 or not 3 <= one.shape[0] <= 6:
        return ""
    marked = one.joins[0].strip() in ("/", ")", ") /")
    return digits[1:] if marked or (one.regions[0] == "DE" and one.joins[0] in " -" and len(one.shape) == 2) else ""


_SHAPED = {"FR": _french, "US": _american, "CA": _american, "GB": _british, "DE": _german}


def _is_told(one: _Candidate, *regions: str) -> bool:
    """Whether somebody of that region answers with it, and says little else."""
    return one.regions[0] in regions and is_an_answer(one.text, one.start, one.end)


def _believed(one: _Candidate, region: str) -> bool:
    return one.regions[0] == region or one.asked_for


def _valid(one: _Candidate, region: str) -> bool:
    return _parsed(one.digits, region) is not None


def _parsed(digits: str, region: str | None) -> tuple[str, str] | None:
    """Country and number of what is a valid number there."""
    import phonenumbers  # 60 ms, and only for the one number in a hundred that no shape decides

    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    country, national = str(number.country_code), phonenumbers.national_significant_number(number)
    if phonenumbers.is_valid_number(number) or phone_is_ours(country, national):
        return country, national
    return None
