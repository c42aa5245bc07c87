"""The vector blocks, against a plain dictionary."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.sandbox.embedding import DIMENSIONS, Vector
from runbook.sandbox.vectors import BLOCK, Vectors, best


def point(seed: int) -> Vector:
    """Some vector."""
    return np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "replace"]), st.integers(0, 10**6)), max_size=60))
def test_like_a_dictionary(operations: list[tuple[str, int]]) -> None:
    """Whatever is added, removed and replaced: what is there is found, with its own cosine, and nothing else."""
    vectors, model = Vectors(), dict[int, Vector]()
    for operation, seed in operations:
        rows = sorted(model)
        if operation == "add":
            row = vectors.add(point(seed))
            assert row not in model
            model[row] = point(seed)
        elif rows and operation == "remove":
            row = rows[seed % len(rows)]
            vectors.remove(row)
            del model[row]
        elif rows:
            row = rows[seed % len(rows)]
            vectors.replace(row, point(seed))
            model[row] = point(seed)
    query = point(1) / np.float32(np.linalg.norm(point(1)))
    cosines = vectors.cosines(query)
    assert len(vectors) == len(model)
    assert set(best(cosines, len(cosines)).tolist()) == set(model)
    for row, stored in model.items():
        assert vectors.get(row).tobytes() == stored.tobytes()
        assert cosines[row] == pytest.approx(float(stored @ query) / float(np.linalg.norm(stored)), abs=1e-5)


def test_freed_rows_are_used_again() -> None:
    """A rolling window of episodes needs no more memory than its size."""
    vectors = Vectors()
    rows = [vectors.add(point(0)) for _ in range(BLOCK + 1)]
    held = vectors.resident_bytes
    for row in rows:
        vectors.remove(row)
        assert vectors.add(point(1)) == row
    assert vectors.resident_bytes == held


def test_a_removed_row_is_gone() -> None:
    """Removing it twice is an error, and a search does not find it."""
    vectors = Vectors()
    row = vectors.add(point(0))
    vectors.remove(row)
    with pytest.raises(KeyError):
        vectors.remove(row)
    assert best(vectors.cosines(point(0)), 1).size == 0


@pytest.mark.parametrize("extreme", [0.0, -0.0, 1e-45, 3.4e38])
def test_extreme_vectors_do_no_harm(extreme: float) -> None:
    """No direction, or lengths that float32 cannot hold: kept bit for bit, and found after the ordinary ones."""
    vectors = Vectors()
    strange = np.full(DIMENSIONS, extreme, dtype=np.float32)
    row, ordinary = vectors.add(strange), vectors.add(point(3))
    query = point(3) / np.float32(np.linalg.norm(point(3)))
    assert vectors.get(row).tobytes() == strange.tobytes()
    assert best(vectors.cosines(query), 2)[0] == ordinary


@given(st.lists(st.floats(-1, 1, width=32), max_size=30), st.integers(0, 40))
def test_best_is_a_sorted_head(scores: list[float], count: int) -> None:
    """The highest scores, in falling order."""
    array = np.array(scores, dtype=np.float32)
    found = array[best(array, count)]
    assert found.tolist() == sorted(scores, reverse=True)[:count]
