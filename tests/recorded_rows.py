"""Rows of a fleet whose every number is known, as nodes would have recorded them."""

from collections.abc import Iterator

import numpy as np

from runbook.model.cells import CONTROL, Cell

HOUR = 3600


def recorded_rows(  # noqa: PLR0913  each is one way in which fleets differ
    spaces: int = 60,
    buckets: int = 96,
    *,
    seconds: int = HOUR,
    recalls: int = 20,
    noise: float = 0.6,
    wander: float = 0.1,
    persistence: float = 0.8,
    between: float = 0.25,
    begin: int = 0,
) -> Iterator[Cell]:
    """A fleet whose every number is known."""
    draw = np.random.default_rng(11)
    where = wander * draw.standard_normal(spaces)
    level = 2.3 + between * draw.standard_normal(spaces)
    for bucket in range(buckets):
        shared = 0.07 * np.sin(bucket / 4)
        for space in range(spaces):
            logs = level[space] + shared + where[space] + noise * draw.standard_normal(recalls)
            sure = 0.7 + 0.1 * draw.standard_normal(recalls)
            yield Cell(
                node="node-1",
                bucket=begin + bucket * seconds,
                seconds=seconds,
                space=f"space-{space}",
                group=CONTROL,
                n=recalls,
                log_latency_sum=float(logs.sum()),
                log_latency_sum_squares=float((logs**2).sum()),
                errors=0,
                over_slo=int((logs > 4.2).sum()),
                confidence_n=recalls,
                confidence_sum=float(sure.sum()),
                confidence_sum_squares=float((sure**2).sum()),
            )
        where = persistence * where + wander * np.sqrt(1 - persistence**2) * draw.standard_normal(spaces)
