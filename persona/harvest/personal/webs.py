"""What machines call people by: e-mail addresses, IP addresses, and secrets in URLs."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from persona.harvest.personal.context import REACH, is_something_else
from persona.harvest.personal.seal import check_digits, is_sealed
from persona.harvest.personal.values import Span
from persona.harvest.personal.wide import LETTERS
from persona.harvest.personal.words import words

OUR_DOMAINS = ("example.com", "example.org", "example.net")  # RFC 2606
_LOCAL = re.compile(r"[\w.+%'&!#$*/=?^{}|~-]{1,64}$")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}([^\W\d_]{2,24}|xn--\w{2,20})(?![\w@])", re.ASCII | re.I)
_DOMAIN_ANY = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}([^\W\d_]{2,24}|xn--\w{2,20})(?![\w@])", re.I)
_DOT = r"(?: ?[(\[] ?(?:dot|point|punkt|\.) ?[)\]] ?| (?:dot|point|punkt) )"
_TOP = r"[a-z]{2,8}"
_WORDS = rf"[\w+-]{{1,40}}(?:(?:\.|{_DOT})[\w+-]{{1,40}}){{0,4}}"
_SIGN = r" ?(?:\(at\)|\[at\]|\{at\}|<at>|\( at \)|\[ at \]|\(arobase\)|\[arobase\]|(?<= )arobase(?= )|\[@\]|\(@\)) ?"
_SPOKEN = re.compile(
    rf"(?<![\w.+-])({_WORDS})"
    rf"(?:{_SIGN}([\w-]{{1,40}}(?:(?:\.|{_DOT})[\w-]{{1,40}}){{0,2}}(?:\.|{_DOT}){_TOP})"
    rf"| (?:at|chez|ät) ([\w-]{{1,40}}(?:{_DOT}[\w-]{{1,40}}){{0,2}}{_DOT}{_TOP}))(?!\w)",
    re.IGNORECASE,
)
_SPOKEN_REACH = 240  # characters on either side of the sign
_SIGNS = ("at)", "at]", "at}", "<at>", "at )", "at ]", "@)", "@]")
_SPELT_DOT = re.compile(_DOT, re.IGNORECASE)
_FILES = frozenset(
    words("""
        png jpg jpeg gif svg webp avif ico bmp css js jsx ts tsx mjs json yaml yml md txt py rb rs go""")
)
# top-level domains of more than two letters that people have addresses under; of two letters all are taken
_LONG = frozenset(
    words("""
        com org net edu gov mil int info biz name pro dev app tech online site shop store cloud email mail xyz club
        live world company agency studio design digital solutions services paris bzh alsace corsica london berlin
        hamburg koeln bayern wien swiss museum travel jobs coop mobi tel asia cat eus gal scot wales nyc example
        test invalid local lan social art blog news media page space website group team work life health care legal
        law consulting ltd gmbh inc fun one zone science academy school university bank finance money family love
        house""")
)
_MACHINES = frozenset({"git", "hg", "svn"})
_IPV4 = re.compile(r"(?<![\w.\-/])(?:\d{1,3}\.){3}\d{1,3}(?![\w])(?!\.\d)(?!-\w)")
_IPV6 = re.compile(r"(?<![\w:])[23][0-9a-f]{3}:[0-9a-f:]{2,40}(?:\.\d{1,3}){0,3}(?![\w:])", re.IGNORECASE)
_SAYS_IP = re.compile(
    r"\bip\b|ipv4|address|adresse|serve(?:u)?r|host|ping|ssh|connect|login|logged|log|vpn|dns|router|firewall|proxy|gateway|://",
    re.IGNORECASE,
)
_RESOLVERS = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"})  # everybody's
_USERINFO = re.compile(r"[^\s/@:\x00\"'<>\\]{1,80}:[^\s/@\x00\"'<>\\]{1,120}(?=@[\w\[])")
_IN_URL = re.compile(r"://[^\s/?#@]{1,80}:$")
_PARAMETER = (
    r"[?&;#](?:access_token|refresh_token|id_token|auth_token|auth|token|api_?key|apikey|x-api-key|secret|client_secret|"
    r"password|passwd|pwd|sig|signature|session(?:_?id)?|sid|jwt|key|code|otp|reset|invite|x-amz-signature|"
    r"x-amz-security-token)="
)
_QUERY = re.compile(rf"{_PARAMETER}([^\s&;#\x00\"'<>\\)\]]{{6,512}})", re.IGNORECASE)
_AROUND_AT = r"[(\[{<] ?(?:at|arobase|@) ?[)\]}>]| arobase "
_SPOKEN_SIGN = re.compile(rf"{_AROUND_AT}| (?:at|chez|ät) (?=[\w-]{{1,40}}{_DOT})", re.IGNORECASE)
WORDED_SIGNS = {
    "spoken": rf"(?i){_AROUND_AT}| (?:at|chez|ät) {LETTERS}{_DOT}",
    "url": r"(?i)://(?:[^\s/@:\x00\"'<>\\]+:[^\s/@\x00\"'<>\\]+@"
    rf"|[^\s\x00\"'<>]*{_PARAMETER}[^\s&;#\x00\"'<>\\)\]]{{6}})",
}
HOST_SIGNS = {"host": r"(?i)[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[23][0-9a-f]{3}:[0-9a-f]*:"}
_PLACEHOLDER = re.compile(
    r"(?i)^(?:[<{$\[%].*|x{4,}|\*{3,}|\.{3,}|your[\w-]*|my[_-][\w-]*|user(?:name)?:pass(?:word)?|\w+:\*+|\w+:<.*)$"
)


def find_emails(text: str) -> Iterator[Span]:
    """Every address, from its sign outwards; looks no further than an address may be long."""
    at = text.find("@")
    while at > 0:
        if (found := _email(text, at)) is not None:
            yield found
        at = text.find("@", at + 1)


def find_spoken_emails(text: str) -> Iterator[Span]:
    """Addresses in words: "jean (at) exemple (point) fr"."""
    last = 0
    for sign in _SPOKEN_SIGN.finditer(text):
        for found in _SPOKEN.finditer(text, max(last, sign.start() - _SPOKEN_REACH), sign.end() + _SPOKEN_REACH):
            key = _SPELT_DOT.sub(".", f"{found[1]}@{found[2] or found[3]}").casefold()
            yield Span(found.start(), found.end(), "email", key)
            last = found.end()


def email_check(local: str) -> str:
    """The two digits at the end of an address that we made."""
    return check_digits(local, 2)


def find_ips(text: str) -> Iterator[Span]:
    """Addresses of hosts that anyone can reach; four small numbers only where the words speak of hosts."""
    for found in _IPV4.finditer(text):
        if sum(map(str.isdigit, found.group())) < 8 and not _SAYS_IP.search(
            text, max(0, found.start() - REACH), found.start()
        ):
            continue
        if not is_something_else(text, found.start()):
            yield from _ip(found)
    for found in _IPV6.finditer(text):
        yield from _ip(found)


def find_url_secrets(text: str) -> Iterator[Span]:
    """`user:password` before a host, and the values of parameters that let one in."""
    at = text.find("://")
    while at >= 0:
        end = _url_end(text, at + 3)
        found = _USERINFO.match(text, at + 3, end)
        if found and not _PLACEHOLDER.match(found.group()):
            yield _url_span(found.start(), found.end(), found.group())
        for query in _QUERY.finditer(text, at + 3, end):
            value = query[1]
            opaque = any(map(str.isdigit, value)) or len(value) >= 20
            long = len(value) >= 16 or not query.group().lower()[1:].startswith(("key=", "code=", "sid="))
            if opaque and long and not _PLACEHOLDER.match(value):
                yield _url_span(query.start(1), query.end(1), value)
        at = text.find("://", end)


def _url_span(start: int, end: int, value: str) -> Span:
    login, _, rest = value.partition(":")
    return Span(start, end, "url", value, is_sealed(rest if rest and login == "guest" else value))


def _url_end(text: str, start: int) -> int:
    end = start
    for end in range(start, min(len(text), start + 2048)):
        if text[end].isspace() or text[end] in "\x00\"'<>":
            return end
    return end + 1


def _email(text: str, at: int) -> Span | None:
    local = _LOCAL.search(text, max(0, at - 64), at)
    domain = (_DOMAIN if text[at + 1 : at + 2].isascii() else _DOMAIN_ANY).match(text, at + 1, at + 256)
    if local is None or domain is None:
        return None
    name = local.group().lstrip(".-'/=?&*#{}|~!$^%")
    if "=" in name or "/" in name or "?" in name:  # a URL's or a file's
        name = re.split(r"[=/?&]", name)[-1]
    top = domain[1].lower()
    if not name or name.lower() in _MACHINES or top in _FILES or not (len(top) == 2 or top in _LONG):
        return None
    if (top == "example" or top == "test") and not name[0].isalnum():
        return None
    if _IN_URL.search(text, max(0, at - len(name) - 160), at - len(name)):  # a login, which is found as such
        return None
    key = f"{name}@{domain.group()}".casefold()
    ours = domain.group() in OUR_DOMAINS and name[-2:] == email_check(name[:-2])
    return Span(at - len(name), domain.end(), "email", key, ours)


def _ip(found: re.Match[str]) -> Iterator[Span]:
    shown = found.group().rstrip(":")
    try:
        address = ip_address(shown)
    except ValueError:
        return
    if address.is_global and shown not in _RESOLVERS:
        yield Span(found.start(), found.start() + len(shown), "ip", address.compressed)


def may_be_spoken(text: str) -> bool:
    """Whether an address may be in a text in words."""
    lowered = text.lower()
    if ("(" in text or "[" in text or "{" in text or "<" in text) and any(sign in lowered for sign in _SIGNS):
        return True
    return (
        "arobase" in lowered
        or (" dot " in lowered and " at " in lowered)
        or (" point " in lowered and " chez " in lowered)
    )
