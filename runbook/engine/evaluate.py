"""From measurements to findings: the answer, and the arithmetic that a person can check by hand."""

import math
from dataclasses import replace
from typing import assert_never

from runbook.engine.figures import digits_to_tell, figure
from runbook.model.answer import Answer
from runbook.model.finding import Finding
from runbook.model.measurement import Measurement
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
from runbook.model.runbook import Check, Move
from runbook.model.settings import Value, same


def evaluate(question: str, condition: Measured, measured: Measurement, baseline: float | None, source: str) -> Finding:
    """Answer one condition for one node.

    Args:
        question: what is asked, in words.
        condition: what is asked, as data.
        measured: the number, or the reason why there is none.
        baseline: the same quantity of the same node when it was well; None where it was never recorded.
        source: where the number came from.
    """
    if measured.moot:
        return Finding(measured.node, question, Answer.NO, measured.moot, source, moot=True)
    if measured.value is None or not math.isfinite(measured.value):
        reason = measured.reason or "the value is not a number"
        return Finding(measured.node, question, Answer.UNKNOWN, f"no data: {reason}", source)
    if not _known(baseline) and _needs_baseline(condition):
        told = f"{figure(measured.value)} {condition.quantity.unit}, and no baseline to compare with"
        return Finding(measured.node, question, Answer.UNKNOWN, told, source, measured.value)
    match condition:
        case AboveBaseline():
            answer, arithmetic, limit = _above_baseline(condition, measured.value, baseline)
        case Settled():
            answer, arithmetic, limit = _settled(condition, measured.value, baseline)
        case BelowBaseline() | Regained():
            answer, arithmetic, limit = _regained(condition, measured, baseline)
        case Above():
            answer, arithmetic = _above(condition.quantity, measured, condition.limit)
            limit = condition.limit
        case Below():
            answer, arithmetic = _below(condition.quantity, measured, condition.limit)
            limit = condition.limit
        case _:
            assert_never(condition)
    if measured.reason and answer is Answer.UNKNOWN:
        arithmetic = f"{figure(measured.value)} {condition.quantity.unit} settles nothing: {measured.reason}"
    return Finding(measured.node, question, answer, arithmetic, source, measured.value, limit)


def _known(baseline: float | None) -> bool:
    return bool(baseline) and baseline is not None and math.isfinite(baseline)


def _needs_baseline(condition: Measured) -> bool:
    match condition:
        case Settled(floor=floor, ceiling=ceiling):
            return not floor and ceiling is None
        case BelowBaseline(bottom=bottom) | Regained(bottom=bottom):
            return not bottom
        case _:
            return False


def allowing(measured: Measurement, reach: float) -> Measurement:
    """The measurement with an interval that allows for what it is compared with, which is not exact itself.

    Independent errors add in squares (Casella & Berger, Statistical Inference, 2nd ed., 4.5.6).
    """
    value, low, high = measured.value, measured.low, measured.high
    if not reach or value is None or low is None or high is None:
        return measured
    return replace(measured, low=value - math.hypot(value - low, reach), high=value + math.hypot(high - value, reach))


def _relative(factor: float, floor: float, baseline: float | None) -> tuple[float, float, str]:
    """The limit as factor and base, and what is said of the base."""
    if not baseline or not math.isfinite(baseline):
        word = "baseline 0" if baseline == 0 else "no baseline"
        return 1.0, floor, f" ({word}: the absolute limit)"
    if floor > factor * baseline:
        return 1.0, floor, f" (the floor; {factor:g} x baseline {figure(baseline)})"
    return factor, baseline, " (the baseline)" if factor == 1 else ""


def _compared(quantity: Quantity, value: float, factor: float, base: float, note: str, *, strict: str = ">") -> str:
    digits = digits_to_tell(value, base, factor)
    above = value > factor * base
    under = value < factor * base
    sign = (">" if above else "<=") if strict == ">" else ("<" if under else ">=")
    limit = figure(base, digits) if factor == 1 else f"{factor:g} x baseline {figure(base, digits)}"
    return f"{figure(value, digits)} {quantity.unit} {sign} {limit}{note}"


def _above_baseline(condition: AboveBaseline, value: float, baseline: float | None) -> tuple[Answer, str, float]:
    factor, base, note = _relative(condition.factor, condition.floor, baseline)
    limit = factor * base
    if condition.ceiling is not None and condition.ceiling < value <= limit:
        factor, base, note, limit = 1.0, condition.ceiling, ", the ceiling", condition.ceiling
    answer = Answer.YES if value > limit else Answer.NO
    return answer, _compared(condition.quantity, value, factor, base, note), limit


def _settled(condition: Settled, value: float, baseline: float | None) -> tuple[Answer, str, float]:
    factor, base, note = _relative(condition.factor, condition.floor, baseline)
    if condition.ceiling is not None and condition.ceiling < factor * base:
        factor, base, note = 1.0, condition.ceiling, ", the ceiling"
    answer = Answer.YES if value <= factor * base else Answer.NO
    return answer, _compared(condition.quantity, value, factor, base, note), factor * base


def _regained(
    condition: BelowBaseline | Regained, measured: Measurement, baseline: float | None
) -> tuple[Answer, str, float]:
    factor, base, note = _relative(condition.factor, condition.bottom, baseline)
    limit, value = factor * base, measured.value or 0.0
    low, high = _ends(measured)
    under = Answer.YES if isinstance(condition, BelowBaseline) else Answer.NO
    over = Answer.NO if under is Answer.YES else Answer.YES
    answer = under if high < limit else over if low >= limit else Answer.UNKNOWN
    if measured.low is None:
        return answer, _compared(condition.quantity, value, factor, base, note, strict="<"), limit
    digits = max(digits_to_tell(low, base, factor), digits_to_tell(high, base, factor))
    told = figure(base, digits) if factor == 1 else f"{factor:g} x baseline {figure(base, digits)}"
    ends = f"{figure(value, digits)} {condition.quantity.unit} ({figure(low, digits)}..{figure(high, digits)})"
    how = {under: ", all under", over: ", all at or above", Answer.UNKNOWN: " does not settle"}[answer]
    return answer, f"{ends}{how} {told}{note}", limit


def _ends(measured: Measurement) -> tuple[float, float]:
    value = measured.value if measured.value is not None else math.nan
    low = value if measured.low is None else measured.low
    high = value if measured.high is None else measured.high
    return low, high


def _above(quantity: Quantity, measured: Measurement, limit: float) -> tuple[Answer, str]:
    low, high = _ends(measured)
    shown, shown_limit = _interval(quantity, measured, limit)
    if low > limit:
        return Answer.YES, f"{shown}, all above {shown_limit}"
    if high <= limit:
        return Answer.NO, f"{shown}, all at or under {shown_limit}"
    return Answer.UNKNOWN, f"{shown} does not settle the limit {shown_limit}"


def _below(quantity: Quantity, measured: Measurement, limit: float) -> tuple[Answer, str]:
    low, high = _ends(measured)
    shown, shown_limit = _interval(quantity, measured, limit)
    if high < limit:
        return Answer.YES, f"{shown}, all under {shown_limit}"
    if low >= limit:
        return Answer.NO, f"{shown}, all at or above {shown_limit}"
    return Answer.UNKNOWN, f"{shown} does not settle the limit {shown_limit}"


def _interval(quantity: Quantity, measured: Measurement, limit: float) -> tuple[str, str]:
    low, high = _ends(measured)
    digits = max(digits_to_tell(low, limit), digits_to_tell(high, limit))
    value = figure(measured.value or 0.0, digits)
    ends = "" if measured.low is None else f" ({figure(low, digits)}..{figure(high, digits)})"
    return f"{value} {quantity.unit}{ends}", figure(limit, digits)


def check_setting(check: Check, node: str, value: Value | None, baseline: Value | None, source: str) -> Finding:
    """Is a setting out of what is known to be good? YES is bad news, as for a symptom."""
    if value is None:
        return Finding(node, check.title, Answer.UNKNOWN, f"{check.key} could not be read", source)
    good = check.good if baseline is None else baseline
    wrong = moves(check.move, value, good)
    origin = "default" if baseline is None else "baseline"
    sign = {Move.RAISE: "<" if wrong else ">=", Move.LOWER: ">" if wrong else "<=", Move.SET: "!=" if wrong else "="}
    arithmetic = f"{check.key} = {setting_text(value)} {sign[check.move]} {origin} {setting_text(good)}"
    return Finding(
        node, check.title, Answer.YES if wrong else Answer.NO, arithmetic, source, _plain(value), _plain(good)
    )


def moves(move: Move, old: Value, new: Value) -> bool:
    """Would going from old to new be a change in the allowed direction?"""
    if same(old, new):
        return False
    if isinstance(old, int | float) and isinstance(new, int | float) and move is not Move.SET:
        return new > old if move is Move.RAISE else new < old
    return True


def setting_text(value: Value) -> str:
    """A setting's value as a person types it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(_plain(value))


def _plain(value: Value) -> float | str | bool:
    return value if isinstance(value, bool | int | float | str) else ", ".join(value)
