"""Our judge on the same runs: its two methods each alone, and both together as the product decides."""

import numpy as np

from judging.fleet import DAY, History
from judging.usual import first
from runbook.statistics.arms import Arms, decisions
from runbook.statistics.randomisation import cumulative_means, randomisation
from runbook.statistics.sequence import sequence

ALPHA = 0.05
MARGIN = float(np.log1p(0.10))
SEQUENCE = "(A) confidence sequence, unit = space, own week subtracted, hourly"
DRAWS = "(B) randomisation group-sequential test, same unit, daily"
SEEN = "ours, (A) and (B) together: worse seen (lower bound above 0)"
HARM = "ours together: the verdict is harm, before it is safe"
PROVED_BY_SEQUENCE = "(A) proved under the margin"
PROVED_BY_DRAWS = "(B) proved under the margin"
PROVED = "ours together: proved under the margin"
SAFE = "ours together: the verdict is safe, before it is harm"
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
    """As the product decides: hour by hour `safe` if the upper bound is under the margin, else `harm` if worse.

    The first verdict ends the run: `safe` promotes, `harm` rolls back.
    """
    found = decisions(arms_of(history, truth, history.run), ALPHA, MARGIN, 0.0)
    seen, proved = first(found.worse), first(found.safe)
    return {
        SEEN: seen,
        PROVED: proved,
        HARM: seen if seen < proved else np.inf,
        SAFE: proved if proved <= seen and proved < np.inf else np.inf,
    }
