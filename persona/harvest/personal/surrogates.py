"""What stands for a value instead: of the same form, nobody's, and the same one for the same conversation and seed."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache

from persona.harvest.personal import pools
from persona.harvest.personal.births import dates_of, written_as
from persona.harvest.personal.fiction import numbers_like
from persona.harvest.personal.iban import iban_check, nobodys
from persona.harvest.personal.names import fold, fold_latin, words_of
from persona.harvest.personal.numbers import CARD_CHECK, CARD_RANGE, NOBODYS_AREA, NOBODYS_TOWN, luhn, nir_key
from persona.harvest.personal.places import address_key, our_streets
from persona.harvest.personal.seal import Dice, check_digits, scrambled, sealed
from persona.harvest.personal.values import Kind, Known, Span
from persona.harvest.personal.webs import OUR_DOMAINS, email_check

_LOGIN = "guest:"  # who lets himself in with a secret that we made up
_LEAST_KEY = 14  # characters, for a checksum to be in them
_LANGUAGE = {"FR": "fr", "BE": "fr", "CH": "fr", "DE": "de", "AT": "de"}


_APART = re.compile(r"\D+")


class Cast:
    """Who stands for whom in one conversation.

    `taken` is what must not be handed out, the surrogates of ours that the conversation holds already, and
    `text` is all of it, so that no stand-in has the name of somebody who is in it; `beyond` as for `fold_latin`.
    """

    def __init__(
        self,
        dice: Dice,
        known: Sequence[Known],
        regions: Sequence[str],
        taken: Iterable[Span],
        text: str,
        beyond: bool,
    ) -> None:
        self._dice, self._known, self._regions, self._text, self._beyond = dice, known, regions, text, beyond
        self._folded = ""
        self._by_key: dict[tuple[Kind, str], str | None] = {}
        self._given = {(span.kind, span.key) for span in taken}
        self._orders: dict[str, int] = {}
        self._language = next((_LANGUAGE[one] for one in regions if one in _LANGUAGE), "en")

    def replacement(self, span: Span, raw: str) -> str | None:
        """What stands for a span whose text is `raw`; None when there is nobody left to stand for it."""
        if span.kind in ("name", "place", "organisation"):
            return self._named(span, raw)
        value = self._value(span, raw)
        return None if value is None else self._written(span, raw, value)

    def _value(self, span: Span, raw: str) -> str | None:
        where = (span.kind, span.key)
        if where not in self._by_key:
            order = self._orders[span.kind] = self._orders.get(span.kind, -1) + 1
            self._by_key[where] = _MAKERS[span.kind](self, span, raw, order)
        return self._by_key[where]

    def _pick(self, kind: Kind, pool: Sequence[str], order: int, key: Callable[[str], str] = str) -> str | None:
        """The one of the pool whose turn it is; those that the conversation has already are passed over."""
        first = self._dice.number(kind) + order
        turns = (pool[(first + step) % len(pool)] for step in range(len(pool)))
        made = next(
            (one for one in turns if (kind, key(one)) not in self._given and not self._is_there(kind, one)), None
        )
        if made is not None:
            self._given.add((kind, key(made)))
        return made

    def _is_there(self, kind: Kind, one: str) -> bool:
        """Whether a name is somebody's in the text or in the profile."""
        if kind not in ("name", "place", "organisation"):
            return False
        if not self._folded:
            profile = fold("\x00".join([one.text for one in self._known]))
            self._folded = f"{fold_latin(self._text, self._beyond)}\x00{profile}"
        return _folded(one) in self._folded

    def _digits(self, kind: str, count: int, order: int) -> str:
        """A number of so many digits; another for every order below their number."""
        return f"{(self._dice.number(kind) + order) % 10**count:0{count}}"

    # one maker a kind: what stands for it, before it is written in the form of the raw text

    def _phone(self, span: Span, raw: str, order: int) -> str | None:
        country, national = span.form
        picked = (
            self._pick("phone", alike, order, lambda one: f"+{country}{one}")
            for alike in numbers_like(country, national)
        )
        return next((one for one in picked if one is not None), None)

    def _email(self, span: Span, raw: str, order: int) -> str | None:
        firsts, lasts = pools.LOCAL_FIRST, pools.LOCAL_LAST
        for step in range(len(firsts) * len(lasts)):
            drawn = self._dice.number("email") + order + step
            local = f"{firsts[drawn % len(firsts)]}.{lasts[drawn // len(firsts) % len(lasts)]}"
            made = f"{local}{email_check(local)}@{OUR_DOMAINS[drawn % len(OUR_DOMAINS)]}"
            if ("email", made) not in self._given:
                self._given.add(("email", made))
                return made
        return None

    def _card(self, span: Span, raw: str, order: int) -> str | None:
        free = len(span.key) - len(CARD_RANGE) - CARD_CHECK - 1
        for step in range(order, order + 999):
            body = CARD_RANGE + self._digits("card", free, step)
            body += check_digits(body, CARD_CHECK)
            made = f"{body}{luhn(body)}"
            if ("card", made) not in self._given:
                self._given.add(("card", made))
                return made
        return None

    def _iban(self, span: Span, raw: str, order: int) -> str | None:
        account = span.key[4:]
        drawn = scrambled(account, 0, self._dice.stream("iban", order))
        account = nobodys(account) + drawn[4:]
        if span.key[:2] == "FR" and account[:10].isdigit() and account[21:].isdigit():
            account = _with_french_key(account)
        return f"{span.key[:2]}{iban_check(span.key[:2], account)}{account}"

    def _nir(self, span: Span, raw: str, order: int) -> str | None:
        born = span.key[:3] + f"{self._dice.number('nir', order) % 12 + 1:02}"
        body = born + NOBODYS_TOWN + self._digits("nir", 3, order)
        return f"{body}{nir_key(body):02}"

    def _ssn(self, span: Span, raw: str, order: int) -> str | None:
        drawn = self._dice.number("ssn") + order
        return f"{NOBODYS_AREA}{drawn % 99 + 1:02}{drawn // 99 % 9999 + 1:04}"

    def _ip(self, span: Span, raw: str, order: int) -> str | None:
        drawn = self._dice.number("ip") + order
        if ":" in span.key:
            return f"2001:db8:{drawn % 65535 + 1:x}::{drawn // 65535 % 65535 + 1:x}"  # RFC 3849
        return f"{('192.0.2', '198.51.100', '203.0.113')[drawn // 254 % 3]}.{drawn % 254 + 1}"  # RFC 5737

    def _birth(self, span: Span, raw: str, order: int) -> str | None:
        decade = int(span.key[:4]) // 10 * 10
        for ten in (decade, 1980, 1970, 1990, 1960, 1950):
            if made := self._pick("birth", dates_of(ten), order):
                return made
        return None

    def _address(self, span: Span, raw: str, order: int) -> str | None:
        language, town = span.form
        towns = pools.TOWNS[language]
        if town == "alone":
            return self._pick("address", towns, order, address_key)
        street = self._pick("address", our_streets(language), order, address_key)
        return street and f"{street}\n{towns[self._dice.number('town', order) % len(towns)]}"

    def _key(self, span: Span, raw: str, order: int) -> str | None:
        kept = int(span.form[0])
        if len(raw) - kept < _LEAST_KEY:
            return sealed(raw[:kept] + self._secret("key", order), kept)
        return scrambled(raw, kept, self._dice.stream("key", order))

    def _url(self, span: Span, raw: str, order: int) -> str | None:
        if ":" in raw:
            return f"{_LOGIN}{self._secret('url', order)}"
        return (
            self._secret("url", order) if len(raw) < _LEAST_KEY else scrambled(raw, 0, self._dice.stream("url", order))
        )

    def _secret(self, kind: str, order: int) -> str:
        return scrambled("a0b1" * 4, 0, self._dice.stream(kind, order))

    def _opaque(self, span: Span, raw: str, order: int) -> str | None:
        return scrambled(raw, 0, self._dice.stream("value", order))

    # names, which are written as they were

    def _named(self, span: Span, raw: str) -> str | None:
        index, at = map(int, span.key.split("/"))
        known = self._known[index]
        if at >= 0:
            word = self._word(known, index, at)
            return word and _cased(word, raw)
        words = (self._word(known, index, one) or "" for one in range(len(words_of(known))))
        return _cased("".join(words).lower(), raw)

    def _word(self, known: Known, index: int, at: int) -> str | None:
        where: tuple[Kind, str] = (known.kind, f"{index}/{at}")
        if where not in self._by_key:
            self._by_key[where] = self._pick(known.kind, self._pool(known, at), self._dice.number(index, at))
        return self._by_key[where]

    def _pool(self, known: Known, at: int) -> Sequence[str]:
        if known.kind == "organisation":
            return pools.ORGANISATIONS
        if known.kind == "place":
            return pools.PLACES["fr" if self._language == "fr" else "en"]
        words = words_of(known)
        if at and at == len(words) - 1:
            return pools.LAST[self._language]
        first = words[0]
        gender = "f" if first[-1:] in ("a", "e") and first not in pools.MEN else "m"
        return pools.FIRST[self._language, gender]

    def _written(self, span: Span, raw: str, value: str) -> str:
        if span.kind == "birth":
            return written_as(date.fromisoformat(value), raw, self._regions)
        return _WRITERS[span.kind](raw, value, span) if span.kind in _WRITERS else value


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    return fold(name)


def _with_french_key(account: str) -> str:
    """The account with its two last digits right: the clé RIB of the CFONB."""
    letters = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")
    bank, branch, number = account[:5], account[5:10], account[10:21].translate(letters)
    return account[:21] + f"{97 - (89 * int(bank) + 15 * int(branch) + 3 * int(number)) % 97:02}"


def _cased(word: str, raw: str) -> str:
    if raw.isupper() and len(raw) > 1:
        return word.upper()
    return word.lower() if raw.islower() else word


def _laid_out(raw: str, value: str, span: Span) -> str:
    """The letters and digits of the value, where the raw text has its own; separators stay."""
    letters = iter(value)
    made = "".join(next(letters, one) if one.isalnum() else one for one in raw)
    return made.lower() if raw.islower() else made


def _phone_laid_out(raw: str, value: str, span: Span) -> str:
    """The national digits from the right; what stands before them, country or zero, stays."""
    places = [at for at, one in enumerate(raw) if one.isdigit()][-len(span.form[1]) :]
    if len(value) == len(places):
        made = list(raw)
        for at, digit in zip(places, value, strict=True):
            made[at] = digit
        return "".join(made)
    # a German number of a length that none of ours has: its first separator stays
    apart = next((found for found in _APART.finditer(raw) if places[0] < found.start() < places[-1]), None)
    area = 3 if value[:3] in ("221", "171", "176") else 2
    return f"{raw[: places[0]]}{value[:area]}{apart.group() if apart else ''}{value[area:]}"


def _address_laid_out(raw: str, value: str, span: Span) -> str:
    street, _, town = value.partition("\n")
    return f"{street}{chr(10) if chr(10) in raw else ', '}{town}" if span.form[1] == "with" else street


_MAKERS = {
    "phone": Cast._phone,
    "email": Cast._email,
    "card": Cast._card,
    "iban": Cast._iban,
    "nir": Cast._nir,
    "ssn": Cast._ssn,
    "ip": Cast._ip,
    "birth": Cast._birth,
    "address": Cast._address,
    "key": Cast._key,
    "url": Cast._url,
    "value": Cast._opaque,
}
_WRITERS = {
    "card": _laid_out,
    "iban": _laid_out,
    "ssn": _laid_out,
    "nir": _laid_out,
    "phone": _phone_laid_out,
    "address": _address_laid_out,
}
