"""What people have to know beside a judgement, and what decides nothing. Pure."""

import math
from collections.abc import Sequence

from runbook.model.judgement import Metric, Path, Stratum

WHALE = 0.5
"""One space with more than this share of its arm's recalls is told of."""
QUIET_BUCKETS = 3
"""A space that has reported before, and in none of the last so many buckets, has fallen silent."""
APART = 0.2
"""Told of where so much more of the one arm than of the other has fallen silent, and two spaces more at least."""
_ARMS = ((True, "treatment"), (False, "control"))


def told_beside(strata: Sequence[Stratum]) -> tuple[str, ...]:
    """Whales, and arms of which one has fallen silent."""
    return (*whales(strata), *silences(strata))


def whales(strata: Sequence[Stratum]) -> tuple[str, ...]:
    """Spaces with most of their arm's recalls: they count as one space each, and people want to know."""
    if not strata:
        return ()
    fullest = max(strata, key=lambda stratum: sum(path.after + path.failed for path in stratum.paths))
    told: list[str] = []
    for treated, arm in _ARMS:
        mine = [path for path in fullest.paths if path.treated is treated]
        total = sum(path.after for path in mine)
        told.extend(
            f"{path.space} has {path.after / total * 100:.0f} % of the {arm} arm's recalls, "
            f"and counts as one space of {len(mine)}"
            for path in mine
            if len(mine) > 1 and total and path.after > WHALE * total
        )
    return tuple(told)


def silences(strata: Sequence[Stratum]) -> tuple[str, ...]:
    """Treated spaces that are silent now where control is not, or the other way: those left may not be alike."""
    latency = next((stratum for stratum in strata if stratum.metric is Metric.LATENCY), None)
    if latency is None or not latency.treated or not latency.controls:
        return ()
    mine, others = ([path for path in latency.paths if path.treated is treated] for treated, _ in _ARMS)
    quiet = [sum(map(_has_fallen_silent, arm)) for arm in (mine, others)]
    apart = abs(quiet[0] / len(mine) - quiet[1] / len(others))
    if apart <= APART or abs(quiet[0] - quiet[1]) < 2:  # noqa: PLR2004  one space is no pattern
        return ()
    told = (
        f"{quiet[0]} of {len(mine)} treatment and {quiet[1]} of {len(others)} control spaces have answered before, and "
        f"in none of the last {QUIET_BUCKETS} buckets: those that are left may not be alike"
    )
    return (told,)


def _has_fallen_silent(path: Path) -> bool:
    heard = [not math.isnan(value) for value in path.differences]
    return any(heard) and not any(heard[-QUIET_BUCKETS:])
