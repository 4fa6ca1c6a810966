"""Replaces what is personal in a conversation, the same value by the same surrogate wherever it stands."""

from collections.abc import Sequence

from persona.harvest.personal.find import find
from persona.harvest.personal.seal import Dice
from persona.harvest.personal.signs import signs_of
from persona.harvest.personal.surrogates import Cast
from persona.harvest.personal.texts import Laid, Piece, lay, put_back
from persona.harvest.personal.values import Finder, Kind, Known, Mended, Rules, Sample, Span
from persona.values.message import Message

_AROUND = 40  # characters of a sample on either side
_MOST_LETTERS = 3  # that one becomes where case does not count


class Mender:
    """Mends conversations by rules; it keeps nothing of them, and may be used from anywhere at once."""

    def __init__(self, rules: Rules | None = None, further: Sequence[Finder] = ()) -> None:
        self._rules = rules or Rules()
        self._further = tuple(further)
        self._kept = {(span.kind, span.key) for text in self._rules.keep for span in find(text)}
        self._kept_texts = {_bare(text) for text in self._rules.keep}
        self._shortest_kept = min(map(len, self._kept_texts), default=0)

    def mend(
        self,
        messages: Sequence[Message],
        weights: Sequence[bool],
        known: Sequence[Known] = (),
        regions: Sequence[str] = (),
        seed: int = 0,
        conversation: str = "",
    ) -> Mended:
        """The messages of one conversation without personal data: `mend_laid` of messages that were not laid yet."""
        laid = lay(messages)
        return self.mend_laid(laid, signs_of(laid.text), weights, known, regions, seed, conversation)

    def mend_laid(
        self,
        laid: Laid,
        signs: frozenset[str],
        weights: Sequence[bool],
        known: Sequence[Known] = (),
        regions: Sequence[str] = (),
        seed: int = 0,
        conversation: str = "",
    ) -> Mended:
        """The messages of one conversation, laid end to end, without the personal data that these signs speak of.

        `weights` says which messages carry loss; `known` is what the profile holds about the user, `regions` (ISO 3166)
        where they are, first the likeliest. The same arguments give the same messages, in any process.
        """
        known = (*known, *(one for further in self._further for one in further(laid.text)))
        spans = find(laid.text, known, regions, signs)
        placed = self._placed(laid, spans) if spans else []
        if not placed:
            return Mended(laid.messages, {}, ())
        dice = Dice(seed, conversation)
        cast = Cast(dice, known, regions, (span for span in spans if span.sealed), laid.text, "folded" in signs)
        plain = self._without_surrogate(placed, weights)
        return _replaced(laid, placed, cast, plain)

    def _placed(self, laid: Laid, spans: Sequence[Span]) -> list[tuple[Piece, Span]]:
        """The spans that are to be replaced, with the piece that each is in."""
        placed, at = [], 0
        for span in spans:
            while laid.pieces[at].end < span.end and at + 1 < len(laid.pieces):
                at += 1
            piece = laid.pieces[at]
            if piece.start <= span.start and span.end <= piece.end and self._is_wanted(laid.text, span):
                placed.append((piece, span))
        return placed

    def _is_wanted(self, text: str, span: Span) -> bool:
        if span.sealed or span.kind not in self._rules.kinds or (span.kind, span.key) in self._kept:
            return False
        if _MOST_LETTERS * (span.end - span.start) < self._shortest_kept:
            return True
        return not self._kept_texts or _bare(text[span.start : span.end]) not in self._kept_texts

    def _without_surrogate(
        self, placed: Sequence[tuple[Piece, Span]], weights: Sequence[bool]
    ) -> set[tuple[Kind, str]]:
        """The values that get a placeholder: by the rules, those that no text with loss holds."""
        if self._rules.elsewhere == "surrogate":
            return set()
        loss = {(span.kind, span.key) for piece, span in placed if weights[piece.message]}
        return {(span.kind, span.key) for _, span in placed} - loss


def _replaced(
    laid: Laid,
    placed: Sequence[tuple[Piece, Span]],
    cast: Cast,
    plain: set[tuple[Kind, str]],
) -> Mended:
    text = laid.text
    samples: dict[Kind, Sample] = {}
    numbers: dict[Kind, dict[str, int]] = {}
    made: dict[Piece, list[str]] = {}
    last: dict[Piece, int] = {}
    for at, (piece, span) in enumerate(placed):
        values = numbers.setdefault(span.kind, {})
        placeholder = f"[{span.kind}_{values.setdefault(span.key, len(values) + 1)}]"
        surrogate = None if (span.kind, span.key) in plain else cast.replacement(span, text[span.start : span.end])
        new = placeholder if surrogate is None else surrogate
        since = last.get(piece, piece.start)
        made.setdefault(piece, []).extend((text[since : span.start], new))
        last[piece] = span.end
        if span.kind not in samples:
            until = placed[at + 1][1].start if at + 1 < len(placed) else piece.end
            left = text[max(since, span.start - _AROUND) : span.start]
            right = text[span.end : min(until, span.end + _AROUND, piece.end)]
            samples[span.kind] = Sample(span.kind, f"{left}{placeholder}{right}", f"{left}{new}{right}")
    mended = {piece: "".join([*parts, text[last[piece] : piece.end]]) for piece, parts in made.items()}
    kinds = [span.kind for _, span in placed]
    counts = {kind: kinds.count(kind) for kind in sorted(numbers)}
    return Mended(put_back(laid.messages, mended), counts, tuple(samples.values()))


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
