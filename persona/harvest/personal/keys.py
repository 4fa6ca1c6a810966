"""Secrets: by the prefixes that services give them, by the words before them, and by how random they look."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import pairwise
from math import log2

from persona.harvest.personal.seal import is_sealed
from persona.harvest.personal.values import Span
from persona.harvest.personal.wide import SPACE

# measured on drawn keys and on the identifiers of Python's packages: docs/decisions/0018
LEAST, MIXED_BITS, STEPS = 24, 3.7, 0.34
WORDED, FEW_DIGITS, ALL_WORDS, PLAIN = 0.45, 0.13, 0.6, 0.3
_B = r"(?<![A-Za-z0-9_\-])"
_BODY = r"[A-Za-z0-9_\-]"
# how it starts, the whole prefix, which the surrogate keeps, and the rest
_PREFIXES = (
    ("sk-", r"sk-(?:[a-z]{2,8}[0-9]{0,2}-){0,3}", rf"(?=[A-Za-z_\-]{{0,60}}\d){_BODY}{{16,300}}"),
    ("sk_", r"sk_(?:live|test|prod)_", r"[A-Za-z0-9]{10,250}"),
    ("pk_", r"pk_(?:live|test|prod)_", r"[A-Za-z0-9]{10,250}"),
    ("rk_", r"rk_(?:live|test|prod)_", r"[A-Za-z0-9]{10,250}"),
    ("whsec_", r"whsec_", r"[A-Za-z0-9]{10,250}"),
    ("gh", r"gh[opusr]_", r"[A-Za-z0-9]{20,255}"),
    ("github_pat_", r"github_pat_", r"\w{20,255}"),
    ("glpat-", r"glpat-", rf"{_BODY}{{16,80}}"),
    ("AKIA", r"AKIA", r"[A-Z0-9]{12,20}(?![A-Za-z0-9])"),
    ("ASIA", r"ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("xox", r"xox[abcdeoprs]-", rf"{_BODY}{{10,250}}"),
    ("xapp-", r"xapp-", rf"{_BODY}{{10,250}}"),
    ("AIza", r"AIza", rf"{_BODY}{{30,45}}"),
    ("ya29.", r"ya29\.", rf"{_BODY}{{20,300}}"),
    ("eyJ", r"eyJ", rf"{_BODY}{{8,2000}}\.{_BODY}{{8,4000}}(?:\.{_BODY}{{0,1000}})?"),
    ("hf_", r"hf_", r"[A-Za-z0-9]{20,60}"),
    ("npm_", r"npm_", r"[A-Za-z0-9]{20,60}"),
    ("pypi-", r"pypi-", rf"{_BODY}{{40,300}}"),
    ("SG.", r"SG\.", rf"{_BODY}{{10,40}}\.{_BODY}{{20,80}}"),
    ("shp", r"shp(?:at|ca|pa|ss)_", r"[a-fA-F0-9]{24,40}"),
    ("dop_v1_", r"dop_v1_", r"[a-f0-9]{40,80}"),
    ("sq0", r"sq0(?:atp|csp|idp)-", rf"{_BODY}{{20,60}}"),
    ("r8_", r"r8_", r"[A-Za-z0-9]{30,50}"),
    ("gsk_", r"gsk_", r"[A-Za-z0-9]{30,80}"),
    ("key-", r"key-", r"[a-f0-9]{32}(?![A-Za-z0-9])"),
    ("AGE-SECRET-KEY-", r"AGE-SECRET-KEY-", r"[A-Z0-9]{40,80}"),
    ("Bearer ", "Bearer ", r"(?=[A-Za-z_.\-]{0,60}\d)[A-Za-z0-9_\-.=+/~]{16,2000}"),
)
_LEAST_BODY = 8  # characters after the prefix
_KNOWN = {start: re.compile(rf"{_B}({prefix})({rest})") for start, prefix, rest in _PREFIXES}
_PEM = re.compile(r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)([^\x00-]{20,20000}?)(?=-----END|\x00|\Z)")
_CALLED = (
    r"(?:api[_\- ]?key|apikey|key|token|jeton|secret|passw(?:or)?d|passcode|passphrase|pwd|"
    r"mot[ _]de[ _]passe|mdp|clé(?: api| d['’]api| secrète)?|cle[ _]api|kennwort|passwort|credentials?|"
    r"identifiants?|bearer)"
)
_NAMED = re.compile(
    rf"(?<![A-Za-z0-9]){_CALLED}"
    r"(?:[\"'`]?\s{0,3}(?::=|=>|[:=])\s{0,3}|\s+(?:is|was|est|c'est|ist|lautet)\s*:?\s{1,3}|"
    r"\s{1,2}(?=[\"'`«]|[0-9A-Fa-f]{32,128}(?![\w-])))[\"'`«]{0,3}\s?([^\s\x00\"'`<>«»]{6,300})",
    re.IGNORECASE,
)
_LEAST_PASSWORD, _LEAST_NAMED = 6, 10  # "key" and "token" mean much else
# a digit beside a letter, or beside a sign that people put into passwords
_MIXED = re.compile(r"\d(?:[^\W\d]|(?<=[^\W\d]\d)|[!@#*&^~+]|(?<=[!@#*&^~+]\d))")
_PASSWORD = re.compile(r"(?i)pass|pwd|mot|mdp|kennw|secret|cred|ident")
_DUMMY = re.compile(
    r"(?i)your|example|changeme|change_me|placeholder|dummy|redacted|x{4,}|\*{3,}|\.{3}|<|>|\$\{|\{\{|"
    r"process\.env|environ|getenv|"
    r"config|settings|self\.|this\.|request|null|none|true|false|undefined|required|string|password|passwort"
)
_OPAQUE = re.compile(
    rf"(?<![A-Za-z0-9_+/=\-.@#%&])"
    rf"(?=[A-Za-z+/_\-=]{{0,200}}\d)[A-Za-z0-9+/_\-]{{{LEAST},400}}={{0,2}}(?![A-Za-z0-9_+/=\-@])"
)
_NOT_OPAQUE = re.compile(
    r"(?i)(?:sha\d{1,3}[-:=]|md5|base64,|integrity|checksum|digest|hash|commit|uuid|guid|etag|fingerprint|"
    r"revision)\W{0,12}(?:\w{0,12}\W{1,4}){0,2}$"
)
_HEX = re.compile(r"(?:0x)?[0-9A-Fa-f]+")
_SEAM = re.compile(r"[-_/+]")
_PLAIN = re.compile(r"[A-Z]?[a-z]{2,}\d{0,3}|\d+|[A-Z]{1,6}\d{0,4}|[A-Z]?\d{1,3}[A-Z]{0,2}|(?:[A-Z][a-z]{2,}){1,3}")
_WORD = re.compile(r"[a-z]{3,}")
_CODE = re.compile(r"[(\[{]|::|->|://|^\d+[.,]?\d*$|^[a-z_]+(?:\.[a-z_]+)+")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
SIGNS = {
    "prefix": f"(?:^|[^A-Za-z0-9_-])(?:{'|'.join(prefix for _, prefix, _ in _PREFIXES)})"
    rf"[0-9A-Za-z_.=+/~\x{{80}}-\x{{10ffff}}-]{{{_LEAST_BODY}}}",
    "pem": "-----BEGIN ",
    "named": f"(?i){_CALLED}"
    rf"(?:[\"'`]?{SPACE}{{0,3}}(?::=|=>|[:=]){SPACE}{{0,3}}|{SPACE}+(?:is|was|est|c'est|ist|lautet){SPACE}*:?{SPACE}{{1,3}}|"
    rf"{SPACE}{{1,2}}(?:[\"'`«]|[0-9A-Fa-f]{{31}}))[\"'`«]{{0,3}}{SPACE}?[^\s\x00\"'`<>«»]",
    "opaque": f"[A-Za-z0-9+/_-]{{{LEAST}}}",
}


def find_keys(text: str, signs: Collection[str]) -> Iterator[Span]:
    """Every secret in a text; `signs` says which kinds may be there."""
    if "prefix" in signs:
        yield from _prefixed(text)
    if "pem" in signs:
        for found in _PEM.finditer(text):
            yield _span(found.start(), found.end(2), found[1] + found[2], len(found[1]))
    if "named" in signs and _MIXED.search(text):
        yield from _named(text)
    if "opaque" in signs:
        yield from _opaque(text)


def _prefixed(text: str) -> Iterator[Span]:
    for start, known in _KNOWN.items():
        at = text.find(start)
        while at >= 0:
            found = known.match(text, at)
            if found:
                yield _span(at, found.end(), found.group(), len(found[1]))
            at = text.find(start, found.end() if found else at + 1)


def looks_random(token: str) -> bool:
    """Whether a token of upper, lower and digits is rather drawn than written.

    Its characters must differ (Shannon entropy in bits) and its kinds of characters alternate (steps from one kind to
    another, as a share). Identifiers also do, but are made of words: runs of small letters, with few digits, or words
    and numbers between seams.
    """
    body = token.rstrip("=")
    kinds = [0 if one.isdigit() else 1 if one.islower() else 2 if one.isupper() else 3 for one in body]
    if not {0, 1, 2} <= set(kinds) or kinds.count(3) > len(body) // 6:
        return False
    worded = sum(map(len, _WORD.findall(body))) / len(body)
    if worded > ALL_WORDS or (worded > WORDED and kinds.count(0) < FEW_DIGITS * len(body)):
        return False
    if sum(len(one) for one in _SEAM.split(body) if _PLAIN.fullmatch(one)) > PLAIN * len(body):
        return False
    steps = sum(first != second for first, second in pairwise(kinds)) / (len(kinds) - 1)
    return steps >= STEPS and entropy(body) >= MIXED_BITS


def entropy(text: str) -> float:
    """Bits a character (Shannon), of the text's own frequencies."""
    return -sum(n / len(text) * log2(n / len(text)) for n in Counter(text).values())


def _named(text: str) -> Iterator[Span]:
    for found in _NAMED.finditer(text):
        value = found[1].rstrip(".,;:!?)]}\\")
        least = _LEAST_PASSWORD if _PASSWORD.match(found.group()) else _LEAST_NAMED
        if len(value) >= least and _is_secret(value) and not _DUMMY.search(value):
            yield _span(found.start(1), found.start(1) + len(value), value, 0)


def _is_secret(value: str) -> bool:
    """Whether what is named a secret is one, and neither a word nor code nor a number of things."""
    kinds = sum(any(map(test, value)) for test in (str.isdigit, str.islower, str.isupper)) + (not value.isalnum())
    called = _CODE.search(value)
    return len(value) >= 6 and any(map(str.isdigit, value)) and kinds >= 2 and not called and not _UUID.fullmatch(value)


def _opaque(text: str) -> Iterator[Span]:
    for found in _OPAQUE.finditer(text):
        token = found.group()
        if (
            looks_random(token)
            and not _HEX.fullmatch(token)
            and not _UUID.search(token)
            and not _NOT_OPAQUE.search(text[max(0, found.start() - 40) : found.start()])
        ):
            yield _span(found.start(), found.end(), token, 0)


def _span(start: int, end: int, value: str, kept: int) -> Span:
    return Span(start, end, "key", value, is_sealed(value, kept), (str(kept),))
