"""Flags and tunables over HTTP: validated, atomic, effective at once, durable, visible; and the lease."""

import pytest
from running_node import RunningNode, StartNode

from runbook.model.settings import CATALOGUE, Kind, Type

FEATURES = {"dual_memory.enabled": True, "dual_memory.enable_concepts": True, "dual_memory.use_blended_recall": True}


def test_a_new_node_has_the_catalogue_s_defaults(node: RunningNode) -> None:
    """All of them, and nothing else."""
    found = {**node.admin("GET", "features").json, **node.admin("GET", "config").json}
    listed = {key: list(s.default) if s.type is Type.LIST else s.default for key, s in CATALOGUE.items()}  # type: ignore[call-overload]  # JSON has lists
    assert found == listed


def test_a_change_is_effective_at_once_and_survives_kill(start_node: StartNode) -> None:
    """Read back, seen in the metrics, and there after kill -9."""
    node = start_node()
    change = {"dual_memory.coherence_threshold": 0.8, "dual_memory.treatment_spaces": ["tenant-a"]}
    answered = node.admin("PATCH", "config", change)
    assert (answered.status, answered.json) == (200, node.admin("GET", "config").json)
    flags = node.admin("POST", "features", {"dual_memory.enable_concepts": False}).json
    assert flags == {**FEATURES, "dual_memory.enable_concepts": False}
    for _ in range(2):
        assert change.items() <= node.admin("GET", "config").json.items()
        assert node.admin("GET", "features").json == flags
        metrics = node.metrics()
        assert metrics['engram_config_value{name="dual_memory.coherence_threshold"}'] == 0.8
        assert metrics['engram_feature_enabled{name="dual_memory.enable_concepts"}'] == 0
        node.kill()
        node = start_node(node.folder)


@pytest.mark.parametrize(
    "change",
    [
        {"dual_memory.coherence_threshold": 1.01},
        {"dual_memory.coherence_threshold": -0.01},
        {"dual_memory.coherence_threshold": "0.7"},
        {"dual_memory.coherence_threshold": None},
        {"dual_memory.coherence_threshold": True},
        {"dual_memory.min_cluster_size": 1},
        {"dual_memory.min_cluster_size": 3.5},
        {"dual_memory.concept_cache_size": -1},
        {"dual_memory.concept_cache_size": 10**30},
        {"dual_memory.binding_cleanup": 1},
        {"dual_memory.treatment_spaces": "default"},
        {"dual_memory.treatment_spaces": [1]},
        {"dual_memory.treatment_salt": 5},
        {"dual_memory.enabled": False},
        {"coherence_threshold": 0.7},
    ],
)
def test_a_bad_value_changes_nothing(shared_node: RunningNode, change: dict[str, object]) -> None:
    """422, and a good value beside it is not taken either."""
    before = shared_node.admin("GET", "config").json
    reply = shared_node.admin("PATCH", "config", {"dual_memory.semantic_weight": 0.5, **change})
    assert (reply.status, reply.code) == (422, "INVALID")
    assert reply.json["error"]["message"]
    assert shared_node.admin("GET", "config").json == before


@pytest.mark.parametrize("body", [b"{", b'{"a":', b"\x00"])
def test_malformed_json_is_400(shared_node: RunningNode, body: bytes) -> None:
    """Nothing is guessed."""
    assert shared_node.admin("PATCH", "config", body).code == "MALFORMED"
    assert shared_node.admin("POST", "features", body).status == 400


def test_flags_are_switched_together_or_not_at_all(shared_node: RunningNode) -> None:
    """One wrong flag keeps the right ones as they were."""
    change = {"dual_memory.enabled": False, "dual_memory.enable_concepts": "no"}
    assert shared_node.admin("POST", "features", change).status == 422
    assert shared_node.admin("GET", "features").json == FEATURES
    assert set(FEATURES) == {key for key, setting in CATALOGUE.items() if setting.kind is Kind.FEATURE}


def test_the_flag_decides_who_answers(node: RunningNode) -> None:
    """With the dual memory off everything is control, from the next request on."""
    assert node.recall("x").json["group"] == "treatment"
    node.admin("POST", "features", {"dual_memory.enabled": False})
    assert node.recall("x").json["group"] == "control"
    metrics = node.metrics()
    assert metrics['engram_recall_total{group="control",space="default"}'] == 1
    assert metrics['engram_recall_total{group="treatment",space="default"}'] == 1


def test_a_second_run_learns_who_holds_the_lease(node: RunningNode) -> None:
    """409 with the holder; the holder renews; after it is given back another run takes it."""
    mine = {"holder": "ada@bastion", "run": "run-1", "ttl_seconds": 30}
    assert node.admin("POST", "lease", mine).json["expires_in_seconds"] == pytest.approx(30, abs=1)
    held = node.admin("POST", "lease", {**mine, "holder": "grace", "run": "run-2"})
    assert (held.status, held.code) == (409, "LEASE_HELD")
    assert (held.json["error"]["holder"], held.json["error"]["run"]) == ("ada@bastion", "run-1")
    assert 0 < held.json["error"]["expires_in_seconds"] <= 30
    assert node.admin("POST", "lease", mine).status == 200
    assert node.admin("DELETE", "lease", {"run": "run-2"}).json == {"released": False}
    assert node.admin("DELETE", "lease", {"run": "run-1"}).json == {"released": True}
    assert node.admin("POST", "lease", {**mine, "run": "run-2"}).status == 200


@pytest.mark.parametrize(
    "change", [{"ttl_seconds": 0}, {"ttl_seconds": -1}, {"ttl_seconds": 10**9}, {"run": ""}, {"x": 1}]
)
def test_a_bad_lease_is_refused(shared_node: RunningNode, change: dict[str, object]) -> None:
    """A lease that would never end, or belongs to nobody, is none."""
    assert shared_node.admin("POST", "lease", {"holder": "a", "run": "b", "ttl_seconds": 5, **change}).status == 422
    assert shared_node.admin("GET", "lease").json == {"lease": None}
