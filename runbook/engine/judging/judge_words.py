"""A judgement in plain words: one sentence for people, and what a whole stage comes to. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from runbook.engine.judging.looking_on import buckets, until_last
from runbook.model.duration import in_words
from runbook.model.judgement import Estimate, Guardrail, Judged, Metric, Stratum, Verdict
from runbook.statistics.arms import Bounds


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a sentence is made of. `harmed`: does Holm's procedure call it harm?"""

    guardrail: Guardrail
    stratum: Stratum | None
    draws: Bounds | None
    sequence: Bounds | None
    estimate: Estimate | None
    verdict: Verdict
    failing: float
    harmed: bool
    left: timedelta | None


@dataclass(frozen=True, slots=True)
class _Wording:
    worse: str
    better: str
    scale: float = 100
    unit: str = " points"


_WORDINGS = {
    Metric.LATENCY: _Wording("is {} slower", "is {} faster", unit=" %"),
    Metric.ERRORS: _Wording("fails {} more", "fails {} less"),
    Metric.SLOW: _Wording("is over the SLO bound {} more", "is over the SLO bound {} less"),
    Metric.CONFIDENCE: _Wording("is {} less confident", "is {} more confident", scale=1, unit=""),
}
_NOTHING = 0.005  # per cent, points: rounded to nothing


def sentence(outcome: Outcome) -> str:
    """For people: how much worse, how sure, who reports, what that proves, what to do.

    `Treatment is 6 % slower (2 %..10 %), 118 of 120 spaces reporting. Not proved under +10 %. Hold 9 more hours or roll
    back.`
    """
    estimate, stratum = outcome.estimate, outcome.stratum
    name = outcome.guardrail.metric.value
    if estimate is None or stratum is None:
        return f"No data on {name}: {why_nothing(stratum)}. Hold, or roll back."
    reporting = f"{estimate.treated + estimate.controls} of {len(stratum.paths)} spaces reporting"
    found = difference(outcome.guardrail.metric, estimate)
    return " ".join((f"Treatment {found}, {reporting}.", *_verdict(outcome, estimate, stratum)))


def difference(metric: Metric, estimate: Estimate) -> str:
    """`is 6 % slower (2 %..10 %)`; the interval in the sense of the word: below zero it is the other way."""
    words = _WORDINGS[metric]
    worse = estimate.value >= 0
    low, high = (estimate.low, estimate.high) if worse else (-estimate.high, -estimate.low)
    plain = (words.worse if worse else words.better).format(amount(metric, abs(estimate.value)))
    if math.isinf(low) and math.isinf(high):
        return f"{plain} (nothing is certain)"
    return f"{plain} ({amount(metric, low)}..{amount(metric, high)})"


def amount(metric: Metric, value: float) -> str:
    """`6 %`, `0.31 points`, `0.02`, to two figures; `no end` where nothing is known."""
    words = _WORDINGS[metric]
    if math.isinf(value):
        return "no end"
    scaled = value * words.scale
    if abs(scaled) < _NOTHING * words.scale / 100:
        return f"0{words.unit}"
    decimals = max(1 - math.floor(math.log10(abs(scaled))), 0)
    number = f"{scaled:.{decimals}f}"
    return (number.rstrip("0").rstrip(".") if "." in number else number) + words.unit


def _verdict(outcome: Outcome, estimate: Estimate, stratum: Stratum) -> Iterator[str]:
    limit = f"+{amount(outcome.guardrail.metric, outcome.guardrail.margin)}"
    match outcome.verdict:
        case Verdict.SAFE:
            yield f"Worse, within the margin of {limit}." if estimate.low > 0 else f"Proved under {limit}."
        case Verdict.HARM:
            harm = amount(outcome.guardrail.metric, outcome.guardrail.harm_margin)
            yield f"Proved worse{f' than +{harm}' if outcome.guardrail.harm_margin else ''}. Roll back."
        case Verdict.INCONCLUSIVE | Verdict.NO_DATA:
            yield from _undecided(outcome, estimate, stratum, limit)


def _undecided(outcome: Outcome, estimate: Estimate, stratum: Stratum, limit: str) -> Iterator[str]:
    if estimate.high < outcome.guardrail.margin:
        yield f"But {outcome.failing * 100:.0f} % of an arm's recalls fail: what is left proves nothing."
    else:
        yield f"Not proved under {limit}."
    if estimate.low > outcome.guardrail.harm_margin and not outcome.harmed:
        yield "Worse by itself, but not by Holm's procedure over all guardrails."
    if math.isinf(estimate.high):
        yield f"{_why_endless(outcome, stratum)}."
    yield _advice(outcome, stratum)


def _advice(outcome: Outcome, stratum: Stratum) -> str:
    if outcome.left is not None:
        return f"Hold {_longer(outcome.left)} or roll back."
    rest = until_last(stratum)
    if rest:
        return f"The planned looks ({_longer(rest)}) will hardly settle it: it takes more spaces, or roll back."
    return "All planned looks are taken: it takes a longer stage or more spaces, or roll back."


def _longer(time: timedelta) -> str:
    number, _, unit = (length := in_words(time)).partition(" ")
    return f"{length} more" if " " in unit else f"{number} more {unit}"


def why_nothing(stratum: Stratum | None) -> str:
    """Why there is no estimate at all."""
    if stratum is None or not stratum.paths:
        return "no space of this stage was measured"
    if not stratum.treated or not stratum.controls:
        return f"{stratum.treated} treatment and {stratum.controls} control spaces, nothing to compare with"
    for treated, arm in ((True, "treatment"), (False, "control")):
        mine = [path for path in stratum.paths if path.treated is treated]
        failed = sum(path.failed for path in mine)
        if not any(map(math.isfinite, (number for path in mine if path.before for number in path.differences))):
            why = f", all of their {failed} recalls failed" if failed and not any(path.after for path in mine) else ""
            return f"none of {len(mine)} {arm} spaces reports{why}"
    return "what was measured is nothing that a space can have"


def _why_endless(outcome: Outcome, stratum: Stratum) -> str:
    draws = math.comb(len(stratum.paths), stratum.treated)
    alpha = outcome.estimate.alpha if outcome.estimate else 0.0
    if draws * alpha < 1:
        return (
            f"{stratum.treated} and {stratum.controls} spaces can be drawn in {draws} ways, so chance alone is never "
            f"under {1 / draws * 100:.2g} %: too few spaces for an error rate of {alpha * 100:g} %"
        )
    taken = buckets(stratum)
    first = next((look for look in stratum.looks if look > taken), None)
    if first is None:
        return "No planned look has an answer"
    return f"The next planned look is after {in_words(timedelta(seconds=first * stratum.bucket_seconds))}"


def overall(judged: Sequence[Judged]) -> tuple[Verdict, str]:
    """The stage's verdict and why: harm if any guardrail is harmed, safe if all are safe, else nobody knows yet."""
    if not judged:
        return Verdict.NO_DATA, "the stage has no guardrails to judge"
    harmed = _named(judged, Verdict.HARM)
    if harmed:
        return Verdict.HARM, f"harm to {harmed}"
    if all(one.verdict is Verdict.SAFE for one in judged):
        return Verdict.SAFE, f"safe: {_named(judged, Verdict.SAFE)}"
    unknown, silent = _named(judged, Verdict.INCONCLUSIVE), _named(judged, Verdict.NO_DATA)
    if not unknown:
        return Verdict.NO_DATA, f"no data on {silent}"
    return Verdict.INCONCLUSIVE, f"not settled: {unknown}" + (f"; no data on {silent}" if silent else "")


def _named(judged: Sequence[Judged], verdict: Verdict) -> str:
    return ", ".join(one.guardrail.metric.value for one in judged if one.verdict is verdict)
