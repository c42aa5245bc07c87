"""Many runs, each judged by every rule at every truth; the runs are spread over the cores."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from judging.fleet import Fleet, Floats, History, simulate

SEED = 5
Judge = Callable[[History, float], Mapping[str, float]]
"""The hour of each event that it knows by name (infinity: never), for one run at one truth."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When each run came to an event: runs in rows, truths in columns; infinity: it never did."""

    truths: tuple[float, ...]
    hours: Mapping[str, Floats]

    @property
    def runs(self) -> int:
        """How many there were."""
        return len(next(iter(self.hours.values())))

    def share(self, event: str, truth: float) -> float:
        """The share of the runs that came to it."""
        return float(np.isfinite(self._column(event, truth)).mean())

    def median(self, event: str, truth: float) -> float:
        """The median hour over all runs, infinity where fewer than half came to it."""
        return float(np.median(self._column(event, truth)))

    def document(self) -> dict[str, object]:
        """Every share and median, for machines; a median that is never is null."""
        found: dict[str, object] = {}
        for event in self.hours:
            middles = [self.median(event, truth) for truth in self.truths]
            found[event] = {
                f"{truth:g}": {"share": self.share(event, truth), "median_hours": middle if middle < np.inf else None}
                for truth, middle in zip(self.truths, middles, strict=True)
            }
        return found

    def _column(self, event: str, truth: float) -> Floats:
        return self.hours[event][:, self.truths.index(truth)]


def hours(fleet: Fleet, truths: tuple[float, ...], judges: tuple[Judge, ...], runs: int, workers: int = 0) -> Hours:
    """Every judge on every run. The result does not depend on how many processes work."""
    judged = partial(_one, fleet, truths, judges)
    workers = workers or min(len(os.sched_getaffinity(0)), runs)
    if workers == 1:
        found = [judged(run) for run in range(runs)]
    else:
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            found = pool.map(judged, range(runs), chunksize=max(1, min(20, runs // workers)))
    return Hours(truths, {event: np.array([[at[event] for at in run] for run in found]) for event in found[0][0]})


def _one(fleet: Fleet, truths: tuple[float, ...], judges: tuple[Judge, ...], run: int) -> list[dict[str, float]]:
    history = simulate(fleet, SEED, run)
    return [{event: at for judge in judges for event, at in judge(history, truth).items()} for truth in truths]
