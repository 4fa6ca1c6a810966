"""Quantiles of the normal distribution and of Student's t, which numpy does not have."""

from statistics import NormalDist

_NORMAL = NormalDist()


def normal(share: float) -> float:
    """The value that a standard normal variable is below with this probability (0 to 1)."""
    return _NORMAL.inv_cdf(share)


def below(value: float) -> float:
    """The probability that a standard normal variable is below the value."""
    return _NORMAL.cdf(value)


def student(share: float, freedom: int) -> float:
    """The same for Student's t with so many degrees of freedom.

    Fisher and Cornish's expansion around the normal quantile (Abramowitz and Stegun, 26.7.5): right to a thousandth
    from 4 degrees on at the levels used here; below that a little too small.
    """
    x = normal(share)
    terms = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92_160,
    )
    return x + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))
