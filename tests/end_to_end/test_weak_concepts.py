"""Concepts that do not hold together, on real nodes: shown with their texts, and mended by the threshold."""

import pytest
from end_to_end_fleet import Command, broken

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

THRESHOLD = "dual_memory.coherence_threshold"


def test_weak_concepts_are_shown_and_the_threshold_mends_it(alone: Command) -> None:
    """With their texts and why they are weak; once no more of them form, confidence comes back."""
    with broken(alone, "poor-recall-concepts"):
        found = alone.json("poor-recall-quality", expect=3)["data"]
        weak = [each for node in found["nodes"] for each in node["concepts"] if each["weak"]]
        assert weak
        assert all(each["texts"] for each in weak[:3])
        done = alone.json("poor-recall-quality", "--act", "--yes", "--watch", "150s")["data"]["run"]
        assert done["status"] == "recovered"
        assert [step["key"] for step in done["steps"]] == [THRESHOLD]
