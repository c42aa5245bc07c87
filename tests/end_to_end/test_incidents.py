"""Each incident on real nodes: the right one is found first, its own action mends it, another one does not."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from end_to_end_fleet import Command

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

WEIGHT = "dual_memory.semantic_weight"
CLEANUP = "dual_memory.binding_cleanup"
CACHE = "dual_memory.concept_cache_size"
BLENDED = "dual_memory.use_blended_recall"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Two nodes with a baseline and traffic."""
    state = tmp_path_factory.mktemp("state")
    command = Command(state)
    try:
        command("sandbox", "up", "--nodes", "2", "--traffic", "30")
        command("baseline", "capture")
        yield command
    finally:
        command("sandbox", "down")


@contextmanager
def broken(fleet: Command, fault: str) -> Iterator[None]:
    """With that fault in every node."""
    fleet("sandbox", "inject", fault)
    try:
        yield
    finally:
        fleet("sandbox", "clear")


@pytest.mark.parametrize(
    ("fault", "issue", "cure", "wrong"),
    [
        ("poor-recall", "poor-recall-quality", (WEIGHT, 0.3), ("coherence_threshold", "0.9")),
        ("memory-leak-bindings", "memory-leak", (CLEANUP, True), ("concept_cache_size", "16")),
        ("memory-leak-cache", "memory-leak", (CACHE, 1024), ("coherence_threshold", "0.7")),
    ],
)
def test_it_is_found_first_and_mended_by_what_is_meant_for_it(
    fleet: Command, fault: str, issue: str, cure: tuple[str, object], wrong: tuple[str, str]
) -> None:
    """3 and the right issue first, whatever else was set; acting sets the right one, and it recovers."""
    key, value = cure
    with broken(fleet, fault):
        fleet("config", "set", *wrong, "--yes")
        found = fleet.json("diagnose", expect=3)["data"]
        assert found["issues"][0]["issue"] == issue, "whatever else was set meanwhile"
        assert issue in found["next"]
        assert all(known[key] != value for known in fleet.settings().values())
        fleet("undo", fleet("runs", "--last", "--id").stdout.strip(), "--yes")

        acted = fleet.json(issue, "--act", "--yes", "--watch", "45s", "--reason", "test")["data"]
        assert acted["run"]["status"] == "recovered"
        assert {step["key"] for step in acted["run"]["steps"] if step["done"]} >= {key}
        assert all(known[key] == value for known in fleet.settings().values())
    if issue == "memory-leak":
        kept = [document for each in acted["run"]["evidence"] for document in each["kept"]]
        assert len(kept) == 2 * len(acted["nodes"]), "two heap dumps of every node are kept with the run"


def test_weak_concepts_are_shown_and_only_recall_without_them_helps(fleet: Command) -> None:
    """The tuning stops new ones, which mends nothing at once; the emergency step does."""
    with broken(fleet, "poor-recall-concepts"):
        found = fleet.json("poor-recall-quality", expect=3)["data"]
        weak = [each for node in found["nodes"] for each in node["concepts"] if each["weak"]]
        assert weak
        assert all(each["texts"] for each in weak[:3])
        told = fleet.json("poor-recall-quality", "--act", "--yes", "--watch", "15s", expect=3)["data"]["run"]
        assert told["status"] == "not recovered"
        assert any("rollback features" in text for text in told["next"])
        done = fleet.json("poor-recall-quality", "--act", "--yes", "--allow-disruptive", "--watch", "30s")["data"][
            "run"
        ]
        assert done["status"] == "recovered"
        assert done["steps"][-1]["key"] == BLENDED
        fleet("undo", done["id"], "--yes")
