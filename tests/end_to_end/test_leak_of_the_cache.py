"""A cache without bounds on a real node: found first, mended by its own action; the heap dumps are kept."""

import pytest
from end_to_end_fleet import Command, broken, found_and_mended

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

CACHE = "dual_memory.concept_cache_size"


def test_it_is_found_first_and_mended_by_what_is_meant_for_it(alone: Command) -> None:
    """Two dumps name the part that grows; of several nodes, in the leak of bindings."""
    with broken(alone, "memory-leak-cache"):
        run = found_and_mended(alone, "memory-leak", (CACHE, 1024), ("coherence_threshold", "0.7"))
    assert [len(each["kept"]) for each in run["evidence"]] == [2]
    assert {each["grew"][0]["part"] for each in run["evidence"]} == {"cache"}
