"""Poor recall on real nodes: found first, mended by its own action and by no other."""

from collections.abc import Iterator

import pytest
from end_to_end_fleet import Command, broken, found_and_mended, well_fleet

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

WEIGHT = "dual_memory.semantic_weight"
THRESHOLD = "dual_memory.coherence_threshold"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Two nodes with a baseline and traffic."""
    with well_fleet(tmp_path_factory.mktemp("state"), 2) as command:
        yield command


def test_weak_concepts_are_shown_and_the_threshold_mends_it(fleet: Command) -> None:
    """With their texts and why they are weak; once no more of them form, confidence comes back."""
    with broken(fleet, "poor-recall-concepts"):
        found = fleet.json("poor-recall-quality", expect=3)["data"]
        weak = [each for node in found["nodes"] for each in node["concepts"] if each["weak"]]
        assert weak
        assert all(each["texts"] for each in weak[:3])
        done = fleet.json("poor-recall-quality", "--act", "--yes", "--watch", "90s")["data"]["run"]
        assert done["status"] == "recovered"
        assert [step["key"] for step in done["steps"]] == [THRESHOLD]


def test_a_skewed_weight_is_found_first_and_put_back(fleet: Command) -> None:
    """The baseline is taken anew: weak concepts of the other test may be there still."""
    fleet("baseline", "capture", "--force")
    with broken(fleet, "poor-recall"):
        found_and_mended(fleet, "poor-recall-quality", (WEIGHT, 0.3), ("coherence_threshold", "0.9"))
