"""Numbers on both sides of a condition's limit, with and without a baseline."""

from collections.abc import Iterator
from dataclasses import dataclass

from runbook.model.quantity import (
    Above,
    AboveBaseline,
    Below,
    BelowBaseline,
    Measured,
    Quantity,
    Regained,
    Settled,
)

FAR = 0.3
"""How far from the limit a number is, as a share of it: farther than any interval reaches."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A value of the quantity, the baseline where there is one, and whether the alert must fire."""

    quantity: Quantity
    value: float
    baseline: float | None
    fires: bool
    word: str


def bounds(condition: Measured, *, holds: bool) -> Iterator[Bound]:
    """What is far over the limit, and what is far under it; `holds`: the alert fires where the condition is NO."""
    over = isinstance(condition, Above | AboveBaseline) if not holds else isinstance(condition, Below | Settled)
    match condition:
        case Above(quantity, limit) | Below(quantity, limit):
            yield from _sides(quantity, limit, None, over=over)
        case AboveBaseline(quantity, factor, floor, ceiling) | Settled(quantity, factor, floor, ceiling):
            usual = _usual(factor, floor, ceiling)
            yield from _sides(quantity, factor * usual, usual, over=over)
            yield from _without(quantity, floor, over=over, known=isinstance(condition, AboveBaseline) or bool(floor))
        case BelowBaseline(quantity, factor, bottom) | Regained(quantity, factor, bottom):
            usual = _usual(factor, bottom, None)
            yield from _sides(quantity, factor * usual, usual, over=over)
            yield from _without(quantity, bottom, over=over, known=bool(bottom))


def _usual(factor: float, floor: float, ceiling: float | None) -> float:
    """A baseline at which the limit is neither the floor nor the ceiling."""
    low = floor / factor
    return (low + ceiling / factor) / 2 if ceiling is not None else 2 * low or 1e8


def _sides(quantity: Quantity, limit: float, baseline: float | None, *, over: bool) -> Iterator[Bound]:
    told = "" if baseline is None else "-baseline"
    bad, good = (1 + FAR, 1 - FAR) if over else (1 - FAR, 1 + FAR)
    yield Bound(quantity, limit * bad if limit else 1.0, baseline, fires=True, word=f"bad{told}")
    yield Bound(quantity, limit * good, baseline, fires=False, word=f"good{told}")


def _without(quantity: Quantity, limit: float, *, over: bool, known: bool) -> Iterator[Bound]:
    """Without a baseline the absolute limit counts; where there is none, nobody knows."""
    if known:
        yield from _sides(quantity, limit, None, over=over)
        return
    yield Bound(quantity, 1e12 if over else 1e-12, None, fires=False, word="no-baseline")
