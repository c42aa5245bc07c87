"""Concepts that outvote the episodes, on real nodes: found first, and mended by the weight alone."""

import pytest
from end_to_end_fleet import Command, broken, found_and_mended

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

WEIGHT = "dual_memory.semantic_weight"


def test_a_skewed_weight_is_found_first_and_put_back(alone: Command) -> None:
    """Whatever else is set."""
    with broken(alone, "poor-recall"):
        found_and_mended(alone, "poor-recall-quality", (WEIGHT, 0.3), ("coherence_threshold", "0.9"))
