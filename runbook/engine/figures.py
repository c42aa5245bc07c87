"""Numbers for people: as few digits as read well, as many as it takes to compare them by hand."""

import math

DIGITS = 3  # what people read at a glance
ALL_DIGITS = 17  # every float has its own text


def figure(value: float, digits: int = DIGITS) -> str:
    """A number for people: three significant digits, no exponent for what people meet."""
    if not math.isfinite(value):
        return str(value)
    if value == 0 or 1e-4 <= abs(value) < 1e6:  # noqa: PLR2004 - where digits read better than an exponent
        places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:.{places}f}"
    return f"{value:.{digits - 1}e}"


def digits_to_tell(value: float, base: float, factor: float = 1.0) -> int:
    """The digits that it takes for value and factor x base to compare as written as they do in truth."""

    def order(left: float, right: float) -> int:
        return (left > right) - (left < right)

    def told(digits: int) -> int:
        return order(float(figure(value, digits)), factor * float(figure(base, digits)))

    true = order(value, factor * base)
    return next((digits for digits in range(DIGITS, ALL_DIGITS) if told(digits) == true), ALL_DIGITS)
