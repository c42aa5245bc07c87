"""Clusters of similar vectors: average linkage, from single points up, until no two clusters are close enough.

Pure. The work grows with the square of the points and with the number of joins. Lance and Williams' update (A general
theory of classificatory sorting strategies, Computer Journal 9, 1967) keeps the matrix of mean cosines exact.
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
    while count > 1:
        first, second = divmod(int(mean.argmax()), len(points))
        if mean[first, second] < link:
            break
        first, second = min(first, second), max(first, second)
        _join(mean, first, second, len(members[first]), len(members[second]))
        members[first] += members[second]
        members[second] = []
        count -= 1
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
