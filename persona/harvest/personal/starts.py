"""Where a phone number may start: what stands before it, and the shapes of its first digits."""

import re

from persona.harvest.personal.fiction import OUR_STARTS

# between the groups of a number, written for both engines
_JOIN = "[ ./\u00a0\u202f\u2009\u2011\u2013()-]"
_NO_DATE = "[ \u00a0\u202f\u2009\u2011\u2013()]"  # those of them that no date has
JOINS = re.compile(f"{_JOIN}{{1,3}}")


def _more(digits: int) -> str:
    return f"(?:{_JOIN}{{0,3}}[0-9]){{{digits}}}"


# with a zero, and then as no date does: three digits; another gap; after the second group three digits or another gap;
# after the third one more, or as many digits as no year has; two kinds of gaps
_ZERO = (
    f"0(?:[0-9]{{2}}{_more(4)}|[0-9]?(?:(?:{_NO_DATE}{_JOIN}{{0,2}}|[./-]{_JOIN}{{1,2}})[0-9]{_more(4)}"
    f"|[./-][0-9]{{3}}{_more(2)}|[./-][0-9]{{1,2}}(?:{_NO_DATE}{_JOIN}{{0,2}}|[./-]{_JOIN}{{1,2}})[0-9]"
    f"|[./-][0-9]{{1,2}}[./-](?:[0-9]{{1,4}}{_JOIN}{{1,3}}[0-9]|[0-9]{{5}}|[0-9]{{3}}(?:[^0-9]|$))"
    r"|(?:\.[0-9]{1,2}[/-]|/[0-9]{1,2}[.-]|-[0-9]{1,2}[./])[0-9]{2}))"
)
_GROUPED = f"(?:1{_JOIN}{{1,3}})?[0-9]{{3}}{_JOIN}{{1,3}}(?:[0-9]{{3}}{_JOIN}{{1,3}}[0-9]{{4}}|[0-9]{{7}})"  # American
_BARE = f"(?:1{_JOIN}{{1,3}})?[0-9]{{10}}"
_OURS = f"(?:{'|'.join(f'{_JOIN}{{0,3}}'.join(start) for start in OUR_STARTS)}){_more(2)}"
SIGNS = {
    "phone": "(?:^|[^0-9A-Za-z_$€£#%.,/:–-]|(?:^|[^0-9A-Za-z])[.,/:–-]|[A-Za-z],)"
    rf"(?:{_ZERO}|{_GROUPED}|{_BARE})|\+[^0-9]?[0-9]{_more(6)}|{_OURS}"
}
_IS_OURS = f"(?:[0-9]{_JOIN}{{0,3}}){{0,5}}{_OURS}"
_SHAPE = re.compile(f"{_ZERO}|{_GROUPED}|{_BARE}|{_IS_OURS}".replace("[0-9]", r"\d"))
_OUR_SHAPE = re.compile(_IS_OURS)


def may_start(text: str, start: int, any_shape: bool) -> bool:
    """Whether a number may start at these digits; `any_shape` where those of any country may stand without theirs."""
    before = text[max(0, start - 2) : start]
    if not (any_shape or "+" in before or _SHAPE.match(text, start)):
        return False
    if not before or before[-1] in " \n\t\x00":
        return True
    if before[-1] in "+(":
        return not before[0].isalnum() or len(before) == 1
    if before[-1].isalnum() or before[-1] in "_$€£#%":
        return False
    if before[-1] == ",":
        return not before[0].isdigit()  # a cell of a table; with a digit it is a number with decimals
    return not (before[-1] in "./:-–" and before[0].isalnum())


def may_be_ours(text: str, start: int) -> bool:
    """Whether these digits may be a number that we made."""
    return _OUR_SHAPE.match(text, start) is not None
