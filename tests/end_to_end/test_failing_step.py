"""A real node that fails at step k: what k changed goes back, then k-1 .. 1, on every node; the journal tells it."""

from collections.abc import Iterator

import pytest
from end_to_end_fleet import Command, sick_fleet

STEPS = ("dual_memory.coherence_threshold", "dual_memory.concept_sample_rate", "dual_memory.min_cluster_size")

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Two sick nodes: the first wave succeeds, the second one fails."""
    with sick_fleet(tmp_path_factory.mktemp("state"), 2) as command:
        yield command


@pytest.mark.parametrize("step", [1, 2, 3])
def test_failing_at_any_step_puts_back_all_that_was_done(fleet: Command, step: int) -> None:
    """Exit 14, the old values on both nodes, and an undo that finds nothing left to do."""
    before = fleet.settings()
    key = STEPS[step - 1]
    fleet("sandbox", "inject", "ignore-config", "--node", "node-2", "--param", f"key={key}")
    try:
        document = fleet.json("high-formation-rate", "--act", "--yes", "--window", "3s", expect=14)
    finally:
        fleet("sandbox", "clear", "ignore-config")
    run = document["data"]["run"]
    assert run["status"] == "undone"
    assert [result["done"] for result in run["steps"]] == [True] * (step - 1) + [False]
    assert [result["key"] for result in run["put_back"]] == list(reversed(STEPS[:step]))
    assert fleet.settings() == before
    assert "nothing in effect" in fleet("undo", run["id"], "--yes").stdout
    fleet("audit", "verify")
