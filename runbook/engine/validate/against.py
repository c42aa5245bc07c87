"""One number held against a limit: the outcome, and the arithmetic that a person can follow. Pure."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from runbook.engine.figures import figure
from runbook.model.validation import Observed, Outcome, Part
from runbook.model.validation_limits import CONFIDENCE, Limit

_NO_BASELINE = "capture one while the fleet is well, with traffic: runbook baseline capture"


@dataclass(frozen=True, slots=True)
class Before:
    """What the baseline says of the same number; `value` None where it says nothing. `reach` is of 95 %."""

    value: float | None
    reach: float | None = None

    def widened(self, confidence: float) -> float:
        """Its reach at another confidence; endless where it was never told."""
        if self.reach is None:
            return math.inf
        return self.reach * _normal(confidence) / _normal(CONFIDENCE)


@dataclass(frozen=True, slots=True)
class Words:
    """How a number is told: what is asked, in which unit, and by what it is multiplied for that."""

    question: str
    unit: str = ""
    scale: float = 1.0

    def told(self, value: float) -> str:
        """The number with its unit."""
        return f"{figure(value * self.scale)}{_apart(self.unit)}"


def settled(low: float, high: float, limit: Limit) -> Outcome:
    """PASS where the whole interval keeps to the limit, FAIL where the whole of it is on the other side."""
    if math.isnan(low) or math.isnan(high):
        return Outcome.UNKNOWN
    under, over = high < limit.value, low > limit.value
    kept, broken = (under, over) if limit.most else (over, under)
    return Outcome.PASS if kept else Outcome.FAIL if broken else Outcome.UNKNOWN


def nothing(node: str, question: str, reason: str) -> Part:
    """No data: UNKNOWN, with the reason."""
    return Part(node, question, Outcome.UNKNOWN, f"no data: {reason}")


def by_ratio(node: str, words: Words, now: Observed, before: Before, limit: Limit, confidence: float) -> Part:
    """The number over the baseline's, with an interval that allows for both (their errors add in squares of logs)."""
    if now.value is None:
        return nothing(node, words.question, now.reason)
    if before.value is None or not before.value > 0 or not now.value > 0:
        what = f"{words.told(now.value)}, and no baseline of it to compare with"
        return Part(node, words.question, Outcome.UNKNOWN, f"{what}: {_NO_BASELINE}", now.value * words.scale)
    ratio, known = now.value / before.value, before.widened(confidence) / before.value
    below = math.hypot(math.log(now.value / now.low) if now.low > 0 else math.inf, known)
    above = math.hypot(math.log(now.high / now.value) if now.high < math.inf else math.inf, known)
    low, high = ratio * math.exp(-below), ratio * math.exp(above) if above < math.inf else math.inf
    outcome = settled(low, high, limit)
    told = f"{words.told(now.value)} / baseline {words.told(before.value)} = {figure(ratio)}"
    told += f" ({figure(low)}..{figure(high)})"
    why = now.reason or ("" if before.reach is not None else "how well the baseline is known was not recorded")
    return Part(
        node,
        words.question,
        outcome,
        f"{told}{sign(outcome, limit)}{_because(outcome, why)}",
        ratio,
        low,
        high,
        limit.value,
        1.0,
        "x baseline",
    )


def by_value(node: str, words: Words, now: Observed, limit: Limit, *, told: str = "") -> Part:
    """The number itself."""
    if now.value is None:
        return nothing(node, words.question, now.reason)
    outcome = settled(now.low, now.high, limit)
    ends = f"{figure(now.low * words.scale)}..{figure(now.high * words.scale)}"
    text = f"{told}{words.told(now.value)} ({ends}){sign(outcome, limit, words.scale)}"
    return Part(
        node,
        words.question,
        outcome,
        f"{text}{_apart(words.unit)}{_because(outcome, now.reason)}",
        now.value * words.scale,
        now.low * words.scale,
        now.high * words.scale,
        limit.value * words.scale,
        None,
        words.unit,
    )


def by_rise(node: str, words: Words, now: Observed, before: Before, limit: Limit, confidence: float) -> Part:
    """A share less the baseline's share; their ends are combined at their worst, for shares near nothing are skew."""
    if now.value is None:
        return nothing(node, words.question, now.reason)
    if before.value is None:
        what = f"{words.told(now.value)}, and no baseline of it to compare with"
        return Part(node, words.question, Outcome.UNKNOWN, f"{what}: {_NO_BASELINE}", now.value * words.scale)
    reach = before.widened(confidence)
    low, high = now.low - min(before.value + reach, 1.0), now.high - max(before.value - reach, 0.0)
    rise = now.value - before.value
    outcome = settled(low, high, limit)
    return Part(
        node,
        words.question,
        outcome,
        f"{words.told(now.value)} - baseline {words.told(before.value)} = {figure(rise * words.scale)} "
        f"({figure(low * words.scale)}..{figure(high * words.scale)})"
        f"{sign(outcome, limit, words.scale)}{_because(outcome, now.reason)}",
        rise * words.scale,
        low * words.scale,
        high * words.scale,
        limit.value * words.scale,
        0.0,
        words.unit,
    )


def sign(outcome: Outcome, limit: Limit, scale: float = 1.0) -> str:
    """What is said of the limit behind an interval."""
    told = figure(limit.value * scale)
    if outcome is Outcome.UNKNOWN:
        return f", not settled against {told}"
    return f" {'<' if (outcome is Outcome.PASS) is limit.most else '>'} {told}"


def _because(outcome: Outcome, why: str) -> str:
    return f": {why}" if outcome is Outcome.UNKNOWN and why else ""


def _apart(unit: str) -> str:
    return f" {unit}" if unit else ""


def _normal(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
