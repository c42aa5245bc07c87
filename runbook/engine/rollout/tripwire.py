"""The tripwire: gross damage in the treatment group, within a window, without waiting for the judge. Pure.

Not for what chance does: YES only where the share that shows it is above its limit for certain.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from runbook.engine.histograms import begin_of
from runbook.engine.restarts import restarts
from runbook.model.answer import Answer
from runbook.model.cells import CONTROL, TREATMENT
from runbook.model.finding import Finding
from runbook.model.measurement import NodeSamples, Samples, Series, Silence
from runbook.model.rollout import Tripwire
from runbook.statistics.counters import histogram_quantile, increase, since
from runbook.statistics.shares import least_more, share_interval

RECALLS = "engram_recall_total"
ERRORS = "engram_recall_errors_total"
SECONDS = "engram_recall_duration_seconds_bucket"
NAMES = (RECALLS, ERRORS, SECONDS)
CERTAIN = 3.290527
"""The 99.95 % quantile of the normal distribution: it is asked thousands of times in a rollout, and has to mean it."""
TAIL = 0.01
"""What is slower than the p99, by definition."""
WHOLE = "all nodes"


@dataclass(slots=True)
class _Pool:
    """One group over all nodes that answer: counts, and a histogram (upper bound, cumulative count)."""

    recalls: float = 0.0
    errors: float = 0.0
    buckets: dict[float, float] = field(default_factory=dict)

    @property
    def timed(self) -> float:
        """How many recalls the histogram holds."""
        return self.buckets.get(math.inf, 0.0)


def tripped(tripwire: Tripwire, samples: Samples, source: str) -> tuple[Finding, Finding]:
    """Errors and latency of the treatment group, all nodes together. A silent node never makes a NO of it."""
    found = [each for each in samples.values() if isinstance(each, NodeSamples)]
    silent = [each for each in samples.values() if isinstance(each, Silence)]
    pools = {group: _pool(found, group) for group in (TREATMENT, CONTROL)}
    quiet = "; ".join([f"{each.node} is silent: {each.reason}" for each in silent] + [*_nonsense(found)])
    return _errors(tripwire, pools, quiet, source), _latency(tripwire, pools, quiet, source)


def _errors(tripwire: Tripwire, pools: Mapping[str, _Pool], quiet: str, source: str) -> Finding:
    question = f"More than {tripwire.errors:.2%} of the treated recalls fail"
    pool = pools[TREATMENT]
    if pool.recalls < tripwire.fewest:
        return _too_few(question, pool.recalls, tripwire, quiet, source)
    answer, told = _above(pool.errors, pool.recalls, tripwire.errors)
    arithmetic = f"{pool.errors:.0f} of {pool.recalls:.0f} failed: {told}"
    return _finding(question, answer, arithmetic, quiet, source)


def _latency(tripwire: Tripwire, pools: Mapping[str, _Pool], quiet: str, source: str) -> Finding:
    question = f"Treatment's p99 is more than {tripwire.latency_ratio:g} x control's"
    treated, control = pools[TREATMENT], pools[CONTROL]
    fewer = min(treated.timed, control.timed)
    if fewer < tripwire.fewest:
        return _too_few(question, fewer, tripwire, quiet, source)
    p99 = histogram_quantile(1 - TAIL, list(control.buckets.items()))
    own = histogram_quantile(1 - TAIL, list(treated.buckets.items()))
    if p99 is None or own is None or p99 <= 0:
        return _finding(question, Answer.UNKNOWN, "no data: the histograms tell no p99", quiet, source)
    limit = tripwire.latency_ratio * p99
    answer, told = _above(_over(treated, limit), treated.timed, TAIL)
    more, other = _more(treated, control, limit)
    if own <= limit or not more:
        answer = Answer.NO
    sign = ">" if own > limit else "<="
    arithmetic = (
        f"p99 {own * 1000:.1f} ms {sign} {tripwire.latency_ratio:g} x control's {p99 * 1000:.1f} ms; "
        f"of {treated.timed:.0f} treated recalls over that limit: {told}; {other}"
    )
    return _finding(question, answer, arithmetic, quiet, source)


def _more(treated: _Pool, control: _Pool, limit: float) -> tuple[bool, str]:
    """Are certainly more of treatment's recalls over the limit than of control's? The sum, in words.

    Control's p99 is that of a window, too: of a hundred recalls it is the slowest but one, and chance sets it.
    """
    over = _over(control, limit)
    least = least_more((_over(treated, limit), treated.timed), (over, control.timed), CERTAIN)
    if least is None:
        return False, "nothing to compare with"
    told = f"of control's {control.timed:.0f} {over / control.timed:.2%}"
    return least > 0, told if least > 0 else f"{told}, not fewer for certain"


def _above(part: float, whole: float, limit: float) -> tuple[Answer, str]:
    """Is the share above the limit for certain? What is above it, and may be chance, is no YES."""
    found = share_interval(part, whole, CERTAIN)
    if found is None:
        return Answer.UNKNOWN, "nothing"
    told = f"{found.value:.2%} (from {found.low:.2%} on, at 99.9 %)"
    if found.low > limit:
        return Answer.YES, f"{told} > {limit:.2%}"
    return Answer.NO, f"{told}, not above {limit:.2%} for certain"


def _finding(question: str, answer: Answer, arithmetic: str, quiet: str, source: str) -> Finding:
    if quiet and answer is not Answer.YES:
        return Finding(WHOLE, question, Answer.UNKNOWN, f"{arithmetic}; {quiet}", source)
    return Finding(WHOLE, question, answer, arithmetic, source)


def _too_few(question: str, recalls: float, tripwire: Tripwire, quiet: str, source: str) -> Finding:
    told = f"{recalls:.0f} recalls in the window < {tripwire.fewest}: too few to ask"
    return _finding(question, Answer.UNKNOWN, told, quiet, source)


def _pool(found: Iterable[NodeSamples], group: str) -> _Pool:
    pool = _Pool()
    for node in found:
        mine = [each for each in node.series if each.label("group") == group and _finite(each)]
        if not mine:
            continue
        again, begin = restarts(node, mine), begin_of(node)
        for each in mine:
            rise = increase(since(each.samples, begin), again)
            if each.name == RECALLS:
                pool.recalls += rise
            elif each.name == ERRORS:
                pool.errors += rise
            elif each.name == SECONDS:
                bound = _bound(each)
                pool.buckets[bound] = pool.buckets.get(bound, 0.0) + rise
    return pool


def _nonsense(found: Iterable[NodeSamples]) -> Iterable[str]:
    """What a node tells that is no number is left out of the sums, and proves nothing good."""
    for node in found:
        odd = {each.name for each in node.series if each.name in NAMES and each.samples and not _finite(each)}
        yield from (f"{node.node} tells a value of {name} that is no number" for name in sorted(odd))


def _finite(series: Series) -> bool:
    return bool(series.samples) and all(math.isfinite(sample.value) for sample in series.samples)


def _bound(series: Series) -> float:
    try:
        return float(series.label("le") or "nan")
    except ValueError:
        return math.nan


def _over(pool: _Pool, limit: float) -> float:
    """How many are over the limit at least: those of the bucket that it falls into do not count."""
    bounds = sorted(bound for bound in pool.buckets if bound >= limit)
    return max(pool.timed - pool.buckets[bounds[0]], 0.0) if bounds else 0.0
