"""Upstream Engram 0.1 scraped by Prometheus: its series are there, and are told from ours all the same."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_server import prometheus
from running_node import wait_until
from upstream_fleet import UpstreamFleet

from runbook.adapters.prometheus import PrometheusProbes
from runbook.model.measurement import NodeSamples, Silence
from runbook.model.target import Node

NAMES = ("engram_consolidation_runs_total", "process_start_time_seconds")
WINDOW = timedelta(minutes=1)


def test_a_counter_that_has_our_name_is_not_taken_for_ours(fleet: UpstreamFleet, tmp_path: Path) -> None:
    """Prometheus keeps the sums as a counter; no sample of it is handed on, and the node counts as answering."""
    nodes = [Node(name, server.url) for name, server in fleet.servers.items()]
    folder = tmp_path / "prometheus"
    folder.mkdir()
    places = [urlsplit(node.url).netloc for node in nodes]
    with prometheus(folder, [{"job_name": "engram", "static_configs": [{"targets": places}]}], interval="1s") as url:
        probes = PrometheusProbes(url)

        def told() -> bool:
            found = probes.samples(nodes, NAMES, WINDOW)
            assert not any(isinstance(each, NodeSamples) for each in found.values())
            return all(isinstance(each, Silence) and "upstream Engram 0.1" in each.reason for each in found.values())

        wait_until(told, "the servers were not scraped")
        found = probes.samples(nodes, NAMES, WINDOW)
    assert all(isinstance(each, Silence) and each.answered for each in found.values())
