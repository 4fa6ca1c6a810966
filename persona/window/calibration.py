"""Correcting a counter by what a provider reports: one factor per model, and a margin from its error.

Counts themselves never change (they are stored); the limit is divided instead.
"""

from dataclasses import dataclass

_WEIGHT = 0.2  # of the newest report; five reports forget a wrong start
_STARTING_MARGIN = 0.05  # of the limit, before the first report; it fades as reports come in
_LEAST_SEEN = 0.5  # below, a provider leaves out what it had cached: no vocabulary differs that much
_WIDENED = 1.15  # after the provider says that the context is too long


@dataclass(frozen=True, slots=True)
class Calibration:
    """`ratio` is reported over counted tokens, smoothed; `error` its mean absolute deviation."""

    ratio: float = 1.0
    error: float = 0.0
    samples: int = 0

    def after(self, counted: int, reported: int | None) -> "Calibration":
        """The calibration with one more report; unchanged when the provider reported nothing."""
        if not reported or counted <= 0:
            return self
        seen = max(reported / counted, _LEAST_SEEN)
        if not self.samples:
            return Calibration(seen, _STARTING_MARGIN / 2, 1)
        ratio = self.ratio + _WEIGHT * (seen - self.ratio)
        error = self.error + _WEIGHT * (abs(seen - self.ratio) - self.error)
        return Calibration(ratio, error, self.samples + 1)

    def widened(self) -> "Calibration":
        """The calibration after the provider refused a request as too long."""
        return Calibration(max(self.ratio, 1.0) * _WIDENED, self.error, max(1, self.samples))

    def scale(self, exact: bool) -> float:
        """Tokens to expect at the provider for one that is counted, margin included."""
        if exact and not self.samples:
            return 1.0
        if not self.samples:
            return 1.0 + _STARTING_MARGIN
        return self.ratio + 2 * self.error
