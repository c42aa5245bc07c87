"""Clusters of similar vectors: average linkage, from single points up, until no two clusters are close enough.

Pure. The work grows with the square of the points: each cluster remembers its nearest one, and after a join only those
look anew that were nearest to one of the two, since no mean cosine to the joined one is above both that it is made of.
Lance and Williams' update (A general theory of classificatory sorting strategies, Computer Journal 9, 1967) keeps the
matrix of mean cosines exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cluster:
    """The points of one cluster, ascending, and their mean pairwise cosine (1.0 for a single point)."""

    members: tuple[int, ...]
    coherence: float


def cluster(points: NDArray[np.float32], link: float) -> list[Cluster]:
    """Join unit vectors (one a row) while the mean cosine between two clusters is at least `link`.

    Deterministic; in the order of their first members.
    """
    count = len(points)
    cosines = np.asarray(points @ points.T, dtype=np.float64)
    mean = cosines.copy()
    np.fill_diagonal(mean, -np.inf)
    members = [[at] for at in range(count)]
    nearest = mean.argmax(axis=1) if count else np.empty(0, dtype=np.intp)
    closest = mean[np.arange(count), nearest]
    for _ in range(count - 1):
        one = int(closest.argmax())
        if closest[one] < link:
            break
        first, second = sorted((one, int(nearest[one])))
        _join(mean, first, second, len(members[first]), len(members[second]))
        members[first] += members[second]
        members[second] = []
        closest[second] = -np.inf
        for at in {first, *np.flatnonzero((nearest == first) | (nearest == second))} - {second}:
            nearest[at] = mean[at].argmax()
            closest[at] = mean[at, nearest[at]]
    return [Cluster(tuple(sorted(group)), _coherence(cosines, group)) for group in members if group]


def _join(mean: NDArray[np.float64], first: int, second: int, size_first: int, size_second: int) -> None:
    joined = (size_first * mean[first] + size_second * mean[second]) / (size_first + size_second)
    mean[first, :] = mean[:, first] = joined
    mean[first, first] = -np.inf
    mean[second, :] = mean[:, second] = -np.inf


def _coherence(cosines: NDArray[np.float64], group: list[int]) -> float:
    size = len(group)
    if size == 1:
        return 1.0
    inner = cosines[np.ix_(group, group)]
    return float((inner.sum() - np.trace(inner)) / (size * (size - 1)))
