"""From measurements to findings: the answer, and the arithmetic that a person can check by hand."""

import math
from typing import assert_never

from runbook.model.answer import Answer
from runbook.model.finding import Finding
from runbook.model.measurement import Measurement
from runbook.model.quantity import Above, AboveBaseline, Below, Condition, Quantity, Settled
from runbook.model.runbook import Check, Move
from runbook.model.settings import Value


def figure(value: float) -> str:
    """A number for people: three significant digits, no exponent for what people meet."""
    if math.isinf(value):
        return "-inf" if value < 0 else "inf"
    if value == 0 or 1e-4 <= abs(value) < 1e6:  # noqa: PLR2004 - where digits read better than an exponent
        digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:.{digits}f}"
    return f"{value:.2e}"


def evaluate(
    question: str, condition: Condition, measured: Measurement, baseline: float | None, source: str
) -> Finding:
    """Answer one condition for one node.

    Args:
        question: what is asked, in words.
        condition: what is asked, as data.
        measured: the number, or the reason why there is none.
        baseline: the same quantity of the same node when it was well; None where it was never recorded.
        source: where the number came from.
    """
    if measured.value is None or math.isnan(measured.value):
        reason = measured.reason or "the value is not a number"
        return Finding(measured.node, question, Answer.UNKNOWN, f"no data: {reason}", source)
    match condition:
        case AboveBaseline():
            answer, arithmetic, limit = _above_baseline(condition, measured.value, baseline)
        case Settled():
            answer, arithmetic, limit = _settled(condition, measured.value, baseline)
        case Above():
            answer, arithmetic = _above(condition.quantity, measured, condition.limit)
            limit = condition.limit
        case Below():
            answer, arithmetic = _below(condition.quantity, measured, condition.limit)
            limit = condition.limit
        case _:
            assert_never(condition)
    return Finding(measured.node, question, answer, arithmetic, source, measured.value, limit)


def _relative(factor: float, floor: float, baseline: float | None) -> tuple[float, str]:
    if not baseline:
        word = "no baseline" if baseline is None else "baseline 0"
        return floor, f"{figure(floor)} ({word}: the absolute limit)"
    words = f"{factor:g} x baseline {figure(baseline)}"
    if floor > factor * baseline:
        return floor, f"{figure(floor)} (the floor; {words})"
    return factor * baseline, words


def _above_baseline(condition: AboveBaseline, value: float, baseline: float | None) -> tuple[Answer, str, float]:
    limit, words = _relative(condition.factor, condition.floor, baseline)
    unit = condition.quantity.unit
    if condition.ceiling is not None and condition.ceiling < value <= limit:
        return Answer.YES, f"{figure(value)} {unit} > {figure(condition.ceiling)}, the ceiling", condition.ceiling
    answer = Answer.YES if value > limit else Answer.NO
    sign = ">" if answer is Answer.YES else "<="
    return answer, f"{figure(value)} {unit} {sign} {words}", limit


def _settled(condition: Settled, value: float, baseline: float | None) -> tuple[Answer, str, float]:
    limit, words = _relative(condition.factor, condition.floor, baseline)
    answer = Answer.YES if value <= limit else Answer.NO
    sign = "<=" if answer is Answer.YES else ">"
    return answer, f"{figure(value)} {condition.quantity.unit} {sign} {words}", limit


def _ends(measured: Measurement) -> tuple[float, float]:
    value = measured.value if measured.value is not None else math.nan
    low = value if measured.low is None else measured.low
    high = value if measured.high is None else measured.high
    return low, high


def _above(quantity: Quantity, measured: Measurement, limit: float) -> tuple[Answer, str]:
    low, high = _ends(measured)
    shown = _interval(quantity, measured)
    if low > limit:
        return Answer.YES, f"{shown}, all above {figure(limit)}"
    if high <= limit:
        return Answer.NO, f"{shown}, all at or under {figure(limit)}"
    return Answer.UNKNOWN, f"{shown} does not settle the limit {figure(limit)}"


def _below(quantity: Quantity, measured: Measurement, limit: float) -> tuple[Answer, str]:
    low, high = _ends(measured)
    shown = _interval(quantity, measured)
    if high < limit:
        return Answer.YES, f"{shown}, all under {figure(limit)}"
    if low >= limit:
        return Answer.NO, f"{shown}, all at or above {figure(limit)}"
    return Answer.UNKNOWN, f"{shown} does not settle the limit {figure(limit)}"


def _interval(quantity: Quantity, measured: Measurement) -> str:
    value = figure(measured.value or 0.0)
    if measured.low is None or measured.high is None:
        return f"{value} {quantity.unit}"
    if math.isinf(measured.low) and math.isinf(measured.high):
        return f"{value} {quantity.unit}, from samples too alike for an interval,"
    return f"{value} {quantity.unit} ({figure(measured.low)}..{figure(measured.high)})"


def check_setting(check: Check, node: str, value: Value | None, baseline: Value | None, source: str) -> Finding:
    """Is a setting out of what is known to be good? YES is bad news, as for a symptom."""
    if value is None:
        return Finding(node, check.title, Answer.UNKNOWN, f"{check.key} could not be read", source)
    good = check.good if baseline is None else baseline
    wrong = moves(check.move, value, good)
    origin = "default" if baseline is None else "baseline"
    sign = {Move.RAISE: "<" if wrong else ">=", Move.LOWER: ">" if wrong else "<=", Move.SET: "!=" if wrong else "="}
    arithmetic = f"{check.key} = {_shown(value)} {sign[check.move]} {origin} {_shown(good)}"
    return Finding(
        node, check.title, Answer.YES if wrong else Answer.NO, arithmetic, source, _plain(value), _plain(good)
    )


def moves(move: Move, old: Value, new: Value) -> bool:
    """Would going from old to new be a change in the allowed direction?"""
    if isinstance(old, int | float) and isinstance(new, int | float) and move is not Move.SET:
        return new > old if move is Move.RAISE else new < old
    return old != new


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(value: Value) -> float | str | bool:
    return value if isinstance(value, bool | int | float | str) else ", ".join(value)
