"""International bank account numbers."""

import re
from collections.abc import Iterator
from functools import lru_cache

from persona.harvest.personal.values import Span

# country → length: the IBAN registry of SWIFT (ISO 13616), release 99
_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
# country → the least digits of an account: a third of it (`_spoken`), after groups of letters that are no words
_LEAST_DIGITS = {
    least: [country for country, length in _LENGTHS.items() if low <= length <= high]
    for low, high, least in ((0, 18, 4), (19, 22, 5), (23, 27, 7), (28, 99, 8))
}
_GAP = "[ \\-.\u00a0\u202f]"
_FIRST = f"{_GAP}?(?:[A-Za-z]{{1,4}}{_GAP})*[A-Za-z]*[0-9]"
_NEXT = f"[A-Za-z]*(?:{_GAP}(?:[A-Za-z]{{1,4}}{_GAP})*[A-Za-z]*)?[0-9]"
SIGNS = {
    "iban": "(?:^|[^0-9A-Za-z])(?:"
    + "|".join(
        f"(?i:{'|'.join(countries)}) ?[0-9]{{2}}{_FIRST}(?:{_NEXT}){{{least - 1}}}"
        for least, countries in _LEAST_DIGITS.items()
    )
    + ")"
}
# digits first, which are rarer than letters
_CHECK = re.compile(
    r"\d(?<=[A-Za-z ]\d)\d(?=[ \-.\u00a0\u202f]?[A-Za-z0-9])(?:(?<=[A-Za-z]{2}\d\d)|(?<=[A-Za-z]{2} \d\d))"
)
_SEPARATOR = re.compile(r"[ \-.\u00a0\u202f]")
NOBODYS_BANK = "9999"


def find_ibans(text: str) -> Iterator[Span]:
    """Every IBAN with the length of its country and the right check digits, however it is spaced."""
    for check in _CHECK.finditer(text):
        start = check.start() - (3 if text[check.start() - 1] == " " else 2)
        country = text[start : start + 2].upper()
        length = _LENGTHS.get(country)
        found = length and not text[max(0, start - 1) : start].isalnum() and _rest(length).match(text, check.end())
        if not found:
            continue
        account = "".join(filter(str.isalnum, found.group())).upper()
        if account.isascii() and not _spoken(found.group()) and iban_check(country, account) == check.group():
            yield Span(start, found.end(), "iban", f"{country}{check.group()}{account}", is_nobodys(account))


def _spoken(account: str) -> bool:
    """Whether it is made of words: "it 25 hours ago and noted a closed" passes the check once in a hundred.

    An account has more digits, and no group of letters alone that is longer than four.
    """
    groups = _SEPARATOR.split(account)
    signs = "".join(groups)
    return 3 * sum(map(str.isdigit, signs)) < len(signs) or any(len(one) > 4 and one.isalpha() for one in groups)


def iban_check(country: str, account: str) -> str:
    """The two check digits (ISO 7064, mod 97-10)."""
    return f"{98 - int(''.join(str(int(one, 36)) for one in f'{account}{country}00')) % 97:02}"


def is_nobodys(account: str) -> bool:
    """Whether the account is at the bank that does not exist."""
    return account[:4] == nobodys(account)


def nobodys(account: str) -> str:
    """How an account of this form starts at the bank that does not exist: 9999, ZZZZ, or a mixture."""
    return "".join(NOBODYS_BANK[0] if one.isdigit() else "Z" for one in account[:4])


@lru_cache(maxsize=64)
def _rest(length: int) -> re.Pattern[str]:
    return re.compile(rf"(?:[ \-.\u00a0\u202f]?[A-Za-z0-9]){{{length - 4}}}(?![A-Za-z0-9])")
