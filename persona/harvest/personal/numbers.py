"""Numbers with a rule of their own: payment cards, French NIR, United States SSN."""

import re
from collections.abc import Iterator

from persona.harvest.personal.context import REACH, is_something_else
from persona.harvest.personal.seal import check_digits
from persona.harvest.personal.values import Span
from persona.harvest.personal.wide import BEFORE

CARD_RANGE = "424242"  # the range that payment services document for tests
CARD_CHECK = 3  # digits before the last one that are our checksum
NOBODYS_TOWN = "99999"  # department and town of a NIR: 99 is abroad, and no country there is 999
NOBODYS_AREA = "666"  # never given: Social Security Administration, POMS RM 10201.035

_CARD = re.compile(r"(?<![\w.,/-])(?<!\d[ ])\d(?:[ \-\u00a0\u202f.]?\d){12,18}(?![\w/-])(?![.,]\d)")
_GROUPED = re.compile(
    r"\d{4}([ \-\u00a0\u202f.])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{3})?|\d{4}([ \-\u00a0\u202f.])\d{6}\2\d{4,5}|\d+"
)
# issuer prefixes with their lengths: ISO/IEC 7812 ranges as the networks publish them
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|64[4-9]\d|65\d{2})\d{12}|(?:30[0-5]\d|3[689]\d{2})\d{10}|35(?:2[89]|[3-8]\d)\d{12}"
    r"|(?:50[0-9]{2}|5[6-8]\d{2}|6304|67[0-9]{2})\d{12}|62\d{14}"
)
_NIR = re.compile(
    r"(?<!\w)(?<!\d[.,-])([1278])([ .\-\u00a0]?)(\d{2})\2(0[1-9]|1[0-2]|[2-9]\d)\2(\d{2}|2[ABab])\2(\d{3})\2(\d{3})"
    r"(?:[ .\-\u00a0/|]{0,3}(\d{2}))?(?!\w)(?![ .-]?\d)"
)
_SAYS_NIR = re.compile(
    r"s[ée]cu\b|s[ée]curit[ée] sociale|\bnir\b|\binsee\b|num[ée]ro de s|assur[ée]|ameli|carte vitale", re.I
)
_SSN = re.compile(r"(?<![\w.,/-])(?<!\d[ ])(\d{3})([- \u2011\u2013])(\d{2})\2(\d{4})(?![\w/-])(?! ?\d)")
_BARE_SSN = re.compile(r"(?<![\w.,/-])(\d{3})(\d{2})(\d{4})(?![\w/-])(?! ?\d)")
_SAYS_SSN = re.compile(r"\bssn\b|social security|\bsocial\b|taxpayer|\bitin\b", re.I)
_NO_NUMBER = "(?:^|[^0-9A-Za-z_.,/-])"
_NIR_GAP = "[ .\\-\u00a0]?"
SIGNS = {
    "card": f"{_NO_NUMBER}[2-6](?:[ \\-\u00a0\u202f.]?[0-9]){{12}}",
    "nir": f"{BEFORE}[1278]{_NIR_GAP}[0-9]{{2}}{_NIR_GAP}(?:0[1-9]|1[0-2]|[2-9][0-9]){_NIR_GAP}"
    f"(?:[0-9]{{2}}|2[ABab]){_NIR_GAP}[0-9]{{3}}{_NIR_GAP}[0-9]{{3}}",
    "ssn": f"{_NO_NUMBER}[0-9]{{3}}[- \u2011\u2013][0-9]{{2}}[- \u2011\u2013][0-9]{{4}}",
    "bare": f"{_NO_NUMBER}[0-9]{{9}}",
}
WORDED_SIGNS = {"social": "(?i)ssn|social|taxpayer|itin"}


def find_numbers(text: str, begin: int, end: int) -> Iterator[Span]:
    """What of a run of digits and separators is a card, a NIR or an SSN."""
    digits = sum(map(str.isdigit, text[begin:end]))
    if digits >= 13:
        yield from _cards(text, begin, end)
        yield from _nirs(text, begin, end)
    if digits >= 9:
        yield from _ssns(text, begin, end)


def luhn(digits: str) -> int:
    """The check digit that follows these digits (ISO/IEC 7812-1)."""
    total = sum(sum(divmod(int(one) * (2 - at % 2), 10)) for at, one in enumerate(reversed(digits)))
    return -total % 10


def card_is_ours(digits: str) -> bool:
    """Whether it is a card number that we made."""
    at = len(digits) - 1 - CARD_CHECK
    return digits.startswith(CARD_RANGE) and digits[at:-1] == check_digits(digits[:at], CARD_CHECK)


def nir_key(body: str) -> int:
    """The key of the first 13 characters of a NIR; Corsica counts as 19 and 18 (INSEE)."""
    return 97 - int(body.upper().replace("2A", "19").replace("2B", "18")) % 97


def _cards(text: str, begin: int, end: int) -> Iterator[Span]:
    for found in _CARD.finditer(text, begin, end):
        digits = "".join(filter(str.isdigit, found.group()))
        if not _ISSUERS.fullmatch(digits) or luhn(digits[:-1]) != int(digits[-1]):
            continue
        grouped = _GROUPED.fullmatch(found.group())
        bare = found.group().isdigit()
        other = is_something_else(text, found.start())
        if grouped and not other and (not bare or len(digits) != 13):
            yield Span(found.start(), found.end(), "card", digits, card_is_ours(digits))


def _nirs(text: str, begin: int, end: int) -> Iterator[Span]:
    for found in _NIR.finditer(text, begin, end):
        body = "".join(found.group(1, 3, 4, 5, 6, 7)).upper()
        if found[8]:
            right = nir_key(body) == int(found[8]) and not is_something_else(text, found.start())
        else:
            right = _SAYS_NIR.search(text, max(0, found.start() - REACH), found.start()) is not None
        if right:
            yield Span(found.start(), found.end(), "nir", body, body[5:10] == NOBODYS_TOWN)


def _ssns(text: str, begin: int, end: int) -> Iterator[Span]:
    for shape in (_SSN, _BARE_SSN):
        for found in shape.finditer(text, begin, end):
            digits = "".join(filter(str.isdigit, found.group()))
            if shape is _BARE_SSN or found[2] == " ":
                right = _SAYS_SSN.search(text, max(0, found.start() - REACH), found.start()) is not None
            else:
                right = not is_something_else(text, found.start())
            if not right or digits[3:5] == "00" or digits[5:] == "0000":
                continue
            if digits[:3] == NOBODYS_AREA or ("000" < digits[:3] < "900"):
                yield Span(found.start(), found.end(), "ssn", digits, digits[:3] == NOBODYS_AREA)
