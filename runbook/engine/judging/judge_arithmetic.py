"""Every number that a verdict follows from, on one line. Pure."""

import math
from collections.abc import Iterator

from runbook.engine.judging.judge_words import Outcome, amount, why_nothing
from runbook.engine.judging.looking_on import buckets
from runbook.model.judgement import Metric
from runbook.statistics.sequence import FEWEST


def arithmetic(outcome: Outcome) -> str:
    """Every number that the verdict follows from."""
    estimate, stratum = outcome.estimate, outcome.stratum
    if estimate is None or stratum is None:
        return f"{outcome.guardrail.metric.value}: {why_nothing(stratum)} -> {outcome.verdict.value}"
    metric, guardrail = outcome.guardrail.metric, outcome.guardrail
    value, low, high = (amount(metric, number) for number in (estimate.value, estimate.low, estimate.high))
    margin, harm = amount(metric, guardrail.margin), amount(metric, guardrail.harm_margin)
    parts = [
        f"difference {value}, bounds {low}..{high} (one-sided, alpha {estimate.alpha:g} each)",
        *_methods(outcome),
        f"margin {margin}, harm above {harm}",
        f"p of harm {estimate.p_harm:.2g}: {'harm' if outcome.harmed else 'no harm'} by Holm",
        f"reporting {estimate.treated} of {stratum.treated} treated, {estimate.controls} of {stratum.controls} control",
        f"look {estimate.look} of {estimate.looks}, {buckets(stratum)} buckets",
    ]
    if outcome.failing:
        parts.append(f"up to {outcome.failing * 100:.2g} % of an arm's recalls fail")
    return f"{metric.value}: {'; '.join(parts)} -> {outcome.verdict.value}"


def _methods(outcome: Outcome) -> Iterator[str]:
    metric = outcome.guardrail.metric
    for name, bounds in (("randomisation test", outcome.draws), ("confidence sequence", outcome.sequence)):
        if bounds:
            low, high = (amount(metric, _ratio(metric, number)) for number in (bounds.low, bounds.high))
            yield f"{name} {low}..{high} at alpha {bounds.alpha:g} after {bounds.bucket} buckets"
    if outcome.stratum and outcome.sequence is None and min(outcome.stratum.treated, outcome.stratum.controls) < FEWEST:
        yield f"no confidence sequence with fewer than {FEWEST} spaces an arm"


def _ratio(metric: Metric, raw: float) -> float:
    return math.expm1(min(raw, 700.0)) if metric is Metric.LATENCY and raw != math.inf else raw
