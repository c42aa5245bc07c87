"""Our judge on the same runs: its two methods each alone, and both together as the product decides."""

from datetime import timedelta

import numpy as np

from judging.fleet import DAY, History
from judging.usual import first
from runbook.engine.judging.judge import judge
from runbook.model.judgement import Guardrail, Metric, Path, Stratum, Verdict
from runbook.model.rollout import Judging
from runbook.statistics.arms import Arms, decisions
from runbook.statistics.randomisation import cumulative_means, randomisation
from runbook.statistics.sequence import sequence

ALPHA = 0.05
MARGIN = float(np.log1p(0.10))
SEQUENCE = "(A) confidence sequence, unit = space, own week subtracted, hourly"
DRAWS = "(B) randomisation group-sequential test, same unit, daily"
SEEN = "ours, (A) and (B) together: worse seen (lower bound above 0)"
HARM = "the product's judge as it decides: harm"
PROVED_BY_SEQUENCE = "(A) proved under the margin"
PROVED_BY_DRAWS = "(B) proved under the margin"
PROVED = "ours, (A) and (B) together: proved under the margin"
SAFE = "the product's judge as it decides: safe"
WORSE = (SEQUENCE, DRAWS, SEEN, HARM)
BETTER = (PROVED_BY_SEQUENCE, PROVED_BY_DRAWS, PROVED, SAFE)


def arms_of(history: History, truth: float, run: int) -> Arms:
    """What the product's judge is given: differences, looks every day, draws of its own for every run."""
    shifted = history.differences + history.treated[:, None] * np.log1p(truth)
    return Arms(shifted, history.treated, tuple(range(DAY, history.fleet.after + 1, DAY)), f"run {run}")


def alone(history: History, truth: float) -> dict[str, float]:
    """When each method, with all of alpha to itself, has its lower bound above zero or its upper under the margin."""
    arms = arms_of(history, truth, history.run)
    test = randomisation(arms.values, arms.treated, arms.looks, arms.seed)
    means = cumulative_means(arms.values, range(1, history.fleet.after + 1))
    every = sequence(means, arms.treated, len(arms.treated), ALPHA, fewest=2)
    reach = every.reach(ALPHA)
    return {
        SEQUENCE: first(every.value - reach > 0.0),
        PROVED_BY_SEQUENCE: first(every.value + reach < MARGIN),
        DRAWS: first(test.rejects(0.0, ALPHA), DAY),
        PROVED_BY_DRAWS: first(test.mirrored().rejects(-MARGIN, ALPHA), DAY),
    }


def together(history: History, truth: float) -> dict[str, float]:
    """When both together, with half of alpha each, have the lower bound above zero or the upper under the margin.

    With fewer than thirty spaces an arm it is (B) alone.
    """
    found = decisions(arms_of(history, truth, history.run), ALPHA, MARGIN, 0.0)
    return {SEEN: first(found.worse), PROVED: first(found.safe)}


def decided(history: History, truth: float, *, every_hour: bool = False) -> dict[str, float]:
    """When `engine/judging/judge.py` says harm, which rolls back, or safe, which promotes: whichever is first.

    It is asked every hour; where (B) decides alone, at its daily looks, since nothing changes between them.
    """
    judging = Judging((Guardrail(Metric.LATENCY, 0.10),), timedelta(days=1), alpha=ALPHA)
    arms, recalls = arms_of(history, truth, history.run), history.fleet.requests
    moments = range(1, history.fleet.after + 1) if arms.many or every_hour else arms.looks
    verdict, hour = Verdict.INCONCLUSIVE, 0
    for hour in moments:
        paths = tuple(
            Path(f"space-{number}", bool(treated), tuple(row), history.fleet.before * recalls, hour * recalls)
            for number, (treated, row) in enumerate(zip(arms.treated, arms.values[:, :hour].tolist(), strict=True))
        )
        stratum = Stratum("stage", Metric.LATENCY, 3600.0, paths, arms.looks, arms.seed)
        verdict = judge("stage", (stratum,), judging).verdict
        if verdict in {Verdict.SAFE, Verdict.HARM}:
            break
    return {
        HARM: float(hour) if verdict is Verdict.HARM else np.inf,
        SAFE: float(hour) if verdict is Verdict.SAFE else np.inf,
    }
