"""The slope of a gauge with a confidence interval that survives autocorrelation.

Memory wanders: neighbouring samples are alike, so the textbook interval of a regression is far too narrow. The number
of samples is replaced by the effective number n(1-r)/(1+r), r the lag-1 autocorrelation of the residuals (Santer et
al., J. Geophys. Res. 105, 2000, 7337-7356, eqs. 3-6). Few samples show less of their autocorrelation than there is,
so 0.68/sqrt(n) is added to r (Nychka et al., Confidence Intervals for Trend Estimates with Autocorrelated
Observations, NCAR, 2000). On noise with r up to 0.8 the 95 % interval then holds the true slope in 90 % of the cases
or more from 40 samples on, in 88 % with 20, and in 83 % with 11.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from runbook.model.measurement import Sample

FEWEST_SAMPLES = 5
FEWEST_DEGREES = 1.0
NYCHKA = 0.68


@dataclass(frozen=True, slots=True)
class Slope:
    """Change per second, and the ends of its interval (far apart where there is too little to tell)."""

    value: float
    low: float
    high: float


def slope(samples: Sequence[Sample], confidence: float = 0.95) -> Slope | None:
    """Least squares over the samples, or None with fewer than five of them, no time between them, or no numbers."""
    times = [sample.at for sample in samples]
    values = [sample.value for sample in samples]
    if len(samples) < FEWEST_SAMPLES or max(times) == min(times) or not all(map(math.isfinite, values)):
        return None
    from statistics import linear_regression  # noqa: PLC0415 - 12 ms that every command would pay for

    line = linear_regression(times, values)
    residuals = [value - line.intercept - line.slope * time for time, value in zip(times, values, strict=True)]
    spread = sum(residual**2 for residual in residuals)
    # Rounding of values near 1e9 leaves residuals near 1e-7: a straight line, not noise.
    if spread <= len(values) * (1e-9 * max(map(abs, values), default=0.0)) ** 2:
        return Slope(line.slope, line.slope, line.slope)
    degrees = max(_effective_size(residuals, spread) - 2, FEWEST_DEGREES)
    middle = sum(times) / len(times)
    error = math.sqrt(spread / degrees / sum((time - middle) ** 2 for time in times))
    reach = t_quantile((1 + confidence) / 2, degrees) * error
    return Slope(line.slope, line.slope - reach, line.slope + reach)


def _effective_size(residuals: Sequence[float], spread: float) -> float:
    lagged = sum(before * after for before, after in pairwise(residuals))
    correlation = min(max(lagged / spread + NYCHKA / math.sqrt(len(residuals)), 0.0), 0.999)
    return len(residuals) * (1 - correlation) / (1 + correlation)


def t_quantile(p: float, degrees: float) -> float:
    """Student's t quantile by the Cornish-Fisher expansion (Abramowitz & Stegun 26.7.5).

    Within 1 % for 2 degrees of freedom and 0.1 % from 4 on at p = 0.975; `scipy` would cost 0.7 s of start-up. Below
    2 it is the quantile for 1, which is exact and the larger one.
    """
    if degrees < 2:  # noqa: PLR2004 - where the expansion is no longer good
        return math.tan(math.pi * (p - 0.5))
    from statistics import NormalDist  # noqa: PLC0415 - as above

    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, start=1))
