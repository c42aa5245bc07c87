"""The rules that are in use elsewhere, as their makers publish them. Each gives the hour at which it rolls back.

The hour counts from 1 (the end of the first hour); infinity: it never did. `truth` is how much slower the canary is.
"""

from collections.abc import Callable

import numpy as np

from judging.fleet import DAY, WEEK, Bools, Floats, History
from runbook.statistics.slope import t_quantile

SLOWER = 1.10
NEVER = np.inf

Rule = Callable[[History, float], float]


def first(bad: Bools, every: int = 1) -> float:
    """The hour of the first look that is bad; looks are `every` hours apart."""
    return float((np.argmax(bad) + 1) * every) if bad.any() else NEVER


def canary_p99(history: History, truth: float) -> Floats:
    """Log ms by hour."""
    return history.p99[1] + np.log1p(truth)


def static(allowed: int) -> Rule:
    """The canary's p99 over 1.10 x what it was before, more than `allowed` times in all, asked every hour.

    Argo Rollouts ends an analysis when `failed > failureLimit`, Flagger when the failed checks reach `threshold`.
    """

    def rule(history: History, truth: float) -> float:
        failed = canary_p99(history, truth) > history.p99_before + np.log(SLOWER)
        return first(np.cumsum(failed) > allowed)

    return rule


def three_hours(history: History, truth: float) -> float:
    """Canary p99 more than 10 % above control for three hours running: an abort trigger of Engram's rollout plan."""
    above = canary_p99(history, truth) > history.p99[0] + np.log(SLOWER)
    running = above[2:] & above[1:-1] & above[:-2]
    return first(np.concatenate([[False, False], running]))


def weekly_welch(history: History, truth: float) -> float:
    """Welch's t on the hourly p99 of a week, two-sided 5 %, and slower: Engram's rollout plan."""
    control, canary = np.exp(history.p99[0]), np.exp(canary_p99(history, truth))
    weeks = range(0, len(control) - WEEK + 1, WEEK)
    looks = [welch(canary[at : at + WEEK], control[at : at + WEEK]) for at in weeks]
    return first(np.array(looks), WEEK)


def welch(one: Floats, other: Floats, alpha: float = 0.05) -> bool:
    """Is the one larger for certain, two-sided at `alpha`?"""
    parts = [side.var(ddof=1) / len(side) for side in (one, other)]
    degrees = sum(parts) ** 2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, (one, other), strict=True))
    return bool((one.mean() - other.mean()) / np.sqrt(sum(parts)) > t_quantile(1 - alpha / 2, degrees))


def kayenta(allowed_increase: float) -> Rule:
    """Kayenta's judge on the hourly p99 of each day: High is a rollback.

    NetflixACAJudge with MannWhitneyClassifier: the 98 % interval of R's `wilcox.test` (asymptotic, corrected for
    continuity) has to lie above a quarter of the Hodges-Lehmann estimate, and the ratio of the means to reach
    `allowedIncrease`.
    """

    def rule(history: History, truth: float) -> float:
        control, canary = (np.exp(each).reshape(-1, DAY) for each in (history.p99[0], canary_p99(history, truth)))
        low, estimate = mann_whitney(canary, control)
        ratio = canary.mean(axis=1) / control.mean(axis=1)
        return first((low > 0.25 * np.abs(estimate)) & (ratio >= allowed_increase), DAY)

    return rule


def mann_whitney(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """The lower end of the 98 % interval of the shift and the Hodges-Lehmann estimate, row by row, without ties.

    The end is where (W - mn/2 - 0.5) / sigma passes 2.326, so it is an order statistic of the pairwise differences.
    """
    pairs, people = one.shape[1] * other.shape[1], one.shape[1] + other.shape[1]
    sigma = np.sqrt(pairs * (people + 1) / 12)
    above = int(np.floor(pairs / 2 + 0.5 + 2.3263479 * sigma))  # so many differences are above the end
    ordered = np.sort((one[:, :, None] - other[:, None, :]).reshape(len(one), pairs), axis=1)
    return ordered[:, max(pairs - above - 1, 0)], np.median(ordered, axis=1)


def request_sequential(history: History, truth: float) -> float:
    """GrowthBook's sequential test, the request as unit: 5 %, N* = 5000, asked every hour; its lower end above zero.

    Relative difference of mean latencies by the delta method; half the interval is
    sqrt(s2 * 2 (n rho2 + 1) / (n2 rho2) * log(sqrt(n rho2 + 1) / alpha)), with n requests in both arms.
    """
    alpha, planned = 0.05, 5000
    rho2 = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / planned
    size = history.fleet.spaces * history.fleet.requests * np.arange(1.0, history.fleet.after + 1)
    scale = np.array([[1.0], [1 + truth]])
    mean = np.cumsum(history.total, axis=1) * scale / size
    variance = np.cumsum(history.squares, axis=1) * scale**2 / size - mean**2
    relative = mean[1] / mean[0] - 1
    n = 2 * size
    spread = n * (variance[1] / (mean[0] ** 2 * size) + variance[0] * mean[1] ** 2 / (mean[0] ** 4 * size))
    half = np.sqrt(spread * 2 * (n * rho2 + 1) / (n**2 * rho2) * np.log(np.sqrt(n * rho2 + 1) / alpha))
    return first(relative - half > 0)


def hourly_t(history: History, truth: float) -> float:
    """Student's t, one value a space (its mean so far less its own week before), one-sided 5 %, asked every hour."""
    so_far = np.cumsum(history.differences, axis=1) / np.arange(1, history.fleet.after + 1)
    control, canary = so_far[~history.treated], so_far[history.treated] + np.log1p(truth)
    error = np.sqrt(control.var(axis=0, ddof=1) / len(control) + canary.var(axis=0, ddof=1) / len(canary))
    limit = t_quantile(0.95, 2 * history.fleet.spaces - 2)
    return first((canary.mean(axis=0) - control.mean(axis=0)) / error > limit)


RULES: dict[str, Rule] = {
    "static p99 > 1.10 x before, failure limit 3 (Argo Rollouts style)": static(3),
    "the same, threshold 10 (Flagger style)": static(9),
    "canary p99 > 10 % above control for 3 hours (Engram's plan)": three_hours,
    "weekly Welch t on hourly p99 (Engram's plan)": weekly_welch,
    "Kayenta's judge, daily, allowedIncrease 1.0": kayenta(1.0),
    "Kayenta's judge, daily, allowedIncrease 1.10": kayenta(1.10),
    "sequential test, unit = request (GrowthBook's formula)": request_sequential,
    "plain t per space minus own week, hourly": hourly_t,
}


def usual(history: History, truth: float) -> dict[str, float]:
    """The hour at which each of the usual rules rolls back."""
    return {name: rule(history, truth) for name, rule in RULES.items()}
