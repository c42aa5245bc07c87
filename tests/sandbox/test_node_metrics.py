"""The metrics: the contract's names, all of them and no others, with values that follow what happens."""

import itertools
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from remembering import ALIKE
from running_node import RunningNode, StartNode, wait_until

from runbook.sandbox import process
from runbook.sandbox.metrics import CONSOLIDATION_BUCKETS, RECALL_BUCKETS

CONTRACT = {
    "engram_concepts_formed_total",
    "engram_concepts",
    "engram_episodes",
    "engram_bindings",
    "engram_concept_coherence",
    "engram_consolidation_duration_seconds",
    "engram_consolidation_runs_total",
    "engram_recall_duration_seconds",
    "engram_recall_total",
    "engram_recall_errors_total",
    "engram_recall_confidence",
    "engram_recall_semantic_share",
    "engram_concept_fan_out",
    "engram_binding_orphans",
    "engram_concept_cache_entries",
    "engram_concept_cache_bytes",
    "engram_memory_bytes",
    "engram_memory_limit_bytes",
    "engram_feature_enabled",
    "engram_config_value",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
    "python_gc_collections_total",
    "engram_oom_restarts_total",
}


def test_names_are_the_contract_s(shared_node: RunningNode) -> None:
    """All and no others; OOM kills and the limit of memory only where the kernel tells."""
    exposition = shared_node.ask("GET", "/metrics/prometheus").body.decode()
    families = text_string_to_metric_families(exposition)
    found = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    untold = {"engram_oom_restarts_total"} if process.oom_kills() is None else set()
    untold |= {"engram_memory_limit_bytes"} if process.memory_limit_bytes() is None else set()
    assert found == CONTRACT - untold


def test_buckets_are_fine_where_it_counts() -> None:
    """At most 10 % apart around 15 ms, which is a bound itself; at most 1.5 times for consolidation."""
    near = [bound for bound in RECALL_BUCKETS if 0.004 <= bound <= 0.06]
    assert 0.015 in near
    assert all(high / low < 1.1 for low, high in itertools.pairwise(near))
    assert all(high / low < 1.5 for low, high in itertools.pairwise(CONSOLIDATION_BUCKETS))
    assert CONSOLIDATION_BUCKETS[0] == 0.0001
    assert CONSOLIDATION_BUCKETS[-1] >= 60


def test_values_follow_what_happens(node: RunningNode) -> None:
    """Episodes, concepts, bindings, memory, recalls, confidence, fan-out: each moves with its cause."""
    node.admin("PATCH", "config", {"dual_memory.concept_sample_rate": 1.0})
    before = node.metrics()
    for content in ALIKE:
        node.remember(content)
    node.settle()
    for _ in range(3):
        node.recall(ALIKE[0])
    node.recall(ALIKE[0], observe="false")
    after = node.metrics()
    risen = {name: after[name] - before.get(name, 0.0) for name in after}
    assert risen['engram_episodes{space="default"}'] == 4
    formed = risen['engram_concepts_formed_total{space="default"}']
    assert formed == risen['engram_concepts{space="default"}'] == risen["engram_concept_coherence_count"]
    assert formed >= 1
    assert risen['engram_bindings{space="default"}'] >= 3
    assert risen['engram_recall_total{group="treatment",space="default"}'] == 3
    assert risen['engram_recall_duration_seconds_count{group="treatment"}'] == 3
    assert 0 < risen['engram_recall_confidence_sum{group="treatment"}'] <= 3
    assert 0 < risen["engram_recall_semantic_share_sum"] <= 3
    assert risen["engram_concept_fan_out_count"] >= 3
    assert risen["engram_concept_cache_entries"] >= 1
    assert risen["engram_concept_cache_bytes"] == after['engram_memory_bytes{component="cache"}'] > 0
    assert risen['engram_memory_bytes{component="vectors"}'] >= 4 * 3072
    assert risen['engram_memory_bytes{component="concepts"}'] >= 3072
    assert risen['engram_consolidation_runs_total{outcome="success"}'] >= 1
    assert after["process_start_time_seconds"] == before["process_start_time_seconds"]


def test_process_metrics_are_the_kernel_s(node: RunningNode) -> None:
    """Resident memory and start time of the node's own process."""
    metrics = node.metrics()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{node.pid}/status").read_text().splitlines())
    resident = int(status["VmRSS"].split()[0]) * 1024
    assert metrics["process_resident_memory_bytes"] == pytest.approx(resident, rel=0.1)


def test_a_restart_is_visible(start_node: StartNode) -> None:
    """Counters start again from zero, gauges do not, and the start time is later."""
    node = start_node()
    node.remember("something to keep")
    node.recall("something")
    before = node.metrics()
    node.kill()
    after = start_node(node.folder).metrics()
    recalls = 'engram_recall_total{group="treatment",space="default"}'
    assert (before[recalls], after[recalls]) == (1, 0)
    assert after['engram_episodes{space="default"}'] == 1
    assert after["process_start_time_seconds"] > before["process_start_time_seconds"]


def test_cells_add_up(node: RunningNode) -> None:
    """What the judge reads agrees with the counters; errors and slow recalls are told apart."""
    node.remember("something to keep")
    node.recall("something")
    node.admin("POST", "chaos/latency", {"milliseconds": 30})
    node.recall("something")
    node.admin("DELETE", "chaos/latency")
    node.admin("POST", "chaos/errors", {"rate": 1.0})
    assert node.recall("something").status == 500
    (cell,) = node.admin("GET", "cells").json["cells"]
    assert (cell["space"], cell["group"], cell["n"], cell["errors"]) == ("default", "treatment", 2, 1)
    assert cell["over_slo"] >= 1
    assert cell["confidence_n"] == 2
    assert cell["log_latency_sum_squares"] > 0
    assert node.admin("GET", f"cells?since={cell['bucket'] + 3601}").json["cells"] == []


def test_forming_and_scraping_do_not_disturb_each_other(node: RunningNode) -> None:
    """Scrapes in the middle of a flood are whole, and counters never fall."""
    node.admin("POST", "chaos/high-formation", {"groups_per_second": 60})
    name = 'engram_concepts_formed_total{space="chaos-flood"}'
    seen = [0.0]

    def more() -> bool:
        seen.append(node.metrics().get(name, 0.0))
        return seen[-1] > 5

    wait_until(more, "nothing forms")
    assert seen == sorted(seen)
