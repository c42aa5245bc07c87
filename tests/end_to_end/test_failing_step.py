"""A real node that fails at step k: what k changed goes back, then k-1 .. 1, on every node; the journal tells it."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from end_to_end_fleet import Command, sick_fleet

STEPS = ("dual_memory.coherence_threshold", "dual_memory.concept_sample_rate", "dual_memory.min_cluster_size")
EVERY = os.environ.get("FAULTS") == "all"
"""`make faults` takes every step, `make test` one of them: the engine's own tests cut a run off at every call."""

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Two sick nodes: the first wave succeeds, the second one fails."""
    with sick_fleet(tmp_path_factory.mktemp("state"), 2) as command:
        yield command


def failing_run(fleet: Command) -> dict[str, Any]:
    """Act until the run reached the failing node: right after a put-back its flood may be judged as over."""
    for _ in range(6):
        done = fleet.run("high-formation-rate", "--act", "--yes", "--window", "4s", "--watch", "10s", "--json")
        document: dict[str, Any] = json.loads(done.stdout)
        if done.returncode == 14:
            return document
        if "run" in document["data"]:
            fleet("undo", document["data"]["run"]["id"], "--yes")
    pytest.fail(f"no run failed: exit {done.returncode}\n{done.stdout}\n{done.stderr}")


@pytest.mark.parametrize("step", [1, 2, 3] if EVERY else [3])
def test_failing_at_any_step_puts_back_all_that_was_done(fleet: Command, step: int) -> None:
    """Exit 14, the old values on both nodes, and an undo that finds nothing left to do."""
    before = fleet.settings()
    key = STEPS[step - 1]
    fleet("sandbox", "inject", "ignore-config", "--node", "node-2", "--param", f"key={key}")
    try:
        document = failing_run(fleet)
    finally:
        fleet("sandbox", "clear", "ignore-config")
    run = document["data"]["run"]
    assert run["status"] == "undone"
    assert [result["done"] for result in run["steps"]] == [True] * (step - 1) + [False]
    assert [result["key"] for result in run["put_back"]] == list(reversed(STEPS[:step]))
    assert fleet.settings() == before
    assert "nothing in effect" in fleet("undo", run["id"], "--yes").stdout
    fleet("audit", "verify")
