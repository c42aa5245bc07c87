"""Clusters by average linkage, against a naive definition."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from runbook.sandbox.clustering import cluster


def points(seed: int, count: int) -> NDArray[np.float32]:
    """Unit vectors with some structure: three centres with noise."""
    source = np.random.default_rng(seed)
    centres = source.standard_normal((3, 16))
    found = centres[source.integers(0, 3, count)] + source.standard_normal((count, 16)) * 0.8
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def mean_between(cosines: NDArray[np.float64], one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """What average linkage calls the closeness of two clusters."""
    return float(np.mean([cosines[a, b] for a in one for b in other]))


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 24), st.floats(0.0, 0.9))
def test_clusters_are_a_partition_that_cannot_be_joined_further(seed: int, count: int, link: float) -> None:
    """Every point is in one cluster, no two are as close as the link; coherence is the mean pairwise cosine."""
    data = points(seed, count)
    found = cluster(data, link)
    assert sorted(member for group in found for member in group.members) == list(range(count))
    cosines = np.asarray(data @ data.T, dtype=np.float64)
    for one, other in itertools.combinations(found, 2):
        assert mean_between(cosines, one.members, other.members) < link + 1e-6
    for group in found:
        pairs = list(itertools.combinations(group.members, 2))
        expected = float(np.mean([cosines[a, b] for a, b in pairs])) if pairs else 1.0
        assert abs(group.coherence - expected) < 1e-9


def test_three_alike_and_one_apart() -> None:
    """The obvious case."""
    alike = np.tile(points(1, 1), (3, 1))
    apart = -points(1, 1)
    assert [group.members for group in cluster(np.vstack([alike, apart]), 0.5)] == [(0, 1, 2), (3,)]
