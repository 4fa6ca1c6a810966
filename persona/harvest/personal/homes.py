"""Whether an address is somebody's, by what is around it: that of a museum, a shop or a ministry is no secret."""

import re

from persona.harvest.personal.values import Span

_BEFORE, _AFTER = 60, 40  # characters on either side that are read
_FEW = 3  # words beside it: a line that holds little else is an answer, or the lines of an envelope
_LINE = "\n\x00"
_SAYS_SO = re.compile(
    r"\b(?:(?<!who )liv(?:e[sd]?|ing)|address|deliver\w*|ship(?:s|ped|ping|ment)?|mov(?:e|ed|ing)\b(?! on)|home|house"
    r"|flat|resid\w+|send|stay(?:s|ing)?|come (?:over |round |by )?to|pick \w+ up|collect \w+ from|post it"
    r"|adresse|habit\w*|livr\w*|domicil\w*|logement|logeons|loge|envoy\w*|chez (?:moi|nous|elle|lui|ma|mon|mes)"
    r"|emm[ée]nag\w*|d[ée]m[ée]nag\w*|r[ée]side\w*"
    r"|wohn\w*|anschrift|liefer\w*|schick\w*|send(?:en|et)|zu ?hause|umgezogen|gezogen|bei (?:mir|uns))\b",
    re.IGNORECASE,
)
_SAYS_SO_AFTER = re.compile(
    r"\W{0,3}(?:apt|apartment|flat|\w+ floor|\d+\w* floor|code|digicode|interphone|\d+\w* [ée]tage|\w+ [ée]tage"
    r"|b[âa]t(?:iment)?\b|\d\. stock|hinterhaus|c'est chez|is (?:my|where (?:i|we)) )",
    re.IGNORECASE,
)
_DWELLING = re.compile(r"\b(?:apt|apartment|flat|unit|floor)\b|#", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")


def is_a_home(text: str, span: Span) -> bool:
    """Whether words before or after it speak of living and delivering, or its line holds little else."""
    return bool(
        _SAYS_SO.search(text, max(0, span.start - _BEFORE), span.start)
        or _DWELLING.search(text, span.start, span.end)
        or _SAYS_SO_AFTER.match(text, span.end, span.end + _AFTER)
        or _stands_alone(text, span)
    )


def _stands_alone(text: str, span: Span) -> bool:
    begin = max(text.rfind(one, 0, span.start) for one in _LINE) + 1
    ends = [at for one in _LINE if (at := text.find(one, span.end)) >= 0]
    rest = text[begin : span.start] + text[span.end : min(ends, default=len(text))]
    return "?" not in rest and len(_WORD.findall(rest)) <= _FEW
