"""How fast memory grows with the number of answers: a line through samples, and how steep it may really be. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
_LEAST_SAMPLES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Bytes per 1,000 runs: the slope of the line, and the bound below which the true slope is with 95 % confidence."""

    slope: float
    upper: float
    samples: int


def measure_growth(runs: Sequence[int], sizes: Sequence[int]) -> Growth:
    """Fit a line through sizes in bytes, each taken after so many runs. Raises `ValueError` for fewer than 8 samples."""
    count = len(runs)
    if count < _LEAST_SAMPLES:
        raise ValueError(f"{count} samples are too few for a line: {_LEAST_SAMPLES} are needed")
    slope, base = statistics.linear_regression(runs, sizes)
    errors = [size - (base + slope * at) for at, size in zip(runs, sizes, strict=True)]
    middle = statistics.fmean(runs)
    freedom = count - 2
    spread = math.sqrt(sum(error**2 for error in errors) / freedom / sum((at - middle) ** 2 for at in runs))
    upper = slope + student_quantile(CONFIDENCE, freedom) * spread
    return Growth(slope=1_000 * slope, upper=1_000 * upper, samples=count)


def student_quantile(confidence: float, freedom: int) -> float:
    """Return the one-sided quantile of Student's t distribution, right to a thousandth for 6 degrees of freedom or more.

    By the expansion in Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    z = statistics.NormalDist().inv_cdf(confidence)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
