"""The judge tried on the user's own history: rows of spaces that nobody treated, split by chance. Pure.

Imports numpy, so import it where it is called. Its figure belongs into the evidence: a judge that cries wolf on a
fleet's own quiet weeks is not to be believed there.
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from runbook.model.cells import TREATMENT, Cell
from runbook.statistics.replay import RUNS, Replay, replay

MOST_BUCKETS = 504
"""Three weeks of hours: of a longer history the newest part is replayed."""


def replay_rows(
    rows: Iterable[Cell], bucket: int, looks: int, *, alpha: float = 0.05, seed: str = "", runs: int = RUNS
) -> Replay | None:
    """How often the judge calls an untreated fleet's latency worse; None where there is too little to replay.

    Args:
        rows: each once; of a space that was ever served as treatment none counts.
        bucket: length of the plan's buckets in seconds; rows whose own buckets do not divide it are left out.
        looks: how many planned looks the stage has.
        alpha: the error rate of the judge.
        seed: the same seed makes the same splits.
        runs: how many splits.
    """
    sums: dict[str, dict[int, tuple[int, float]]] = defaultdict(dict)
    treated = set()
    for cell in rows:
        if cell.group == TREATMENT:
            treated.add(cell.space)
        elif cell.n and not bucket % cell.seconds:
            at = cell.bucket // bucket
            n, total = sums[cell.space].get(at, (0, 0.0))
            sums[cell.space][at] = (n + cell.n, total + cell.log_latency_sum)
    for space in treated:
        sums.pop(space, None)
    newest = max((at for every in sums.values() for at in every), default=0)
    oldest = max(min((at for every in sums.values() for at in every), default=0), newest - MOST_BUCKETS + 1)
    levels = np.full((len(sums), newest - oldest + 1), np.nan)
    for row, space in zip(levels, sorted(sums), strict=True):
        for at, (n, total) in sums[space].items():
            if at >= oldest:
                row[at - oldest] = total / n
    return replay(levels, looks, alpha, seed, runs)
