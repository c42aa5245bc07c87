"""The dashboards, as their files are, over a real Prometheus with our rules that scrapes a real node."""

import json
import math
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from prometheus_server import prometheus
from running_node import RunningNode, StartNode, wait_until

from runbook.model.served import ALL

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "monitoring"
DASHBOARDS = {path.stem: json.loads(path.read_text("utf-8")) for path in (MONITORING / "dashboards").glob("*.json")}
PANELS = [
    (f"{name}: {panel['title']}", target["expr"])
    for name, dashboard in sorted(DASHBOARDS.items())
    for panel in dashboard["panels"]
    for target in panel.get("targets", ())
]
VARIABLES = {"$__rate_interval": "1m", "$target": ".*", "$node": ".*"}
NEEDS_MORE = ("growth_per_hour", "oom_restarts", "OOMKilled", "memory_limit_bytes", 'ALERTS{alertstate="firing"')
"""Ten minutes of life; a kernel that tells; a limit of memory; something wrong."""
CONFIDENCE = "mean(engram_recall_confidence{group=treatment})"


def told_by_serve(address: str) -> str:
    """What `runbook serve` exports, by its own list, for one target."""
    values = {"target": "lab", "node": "one", "address": address, "quantity": CONFIDENCE, "phase": "canary"}
    lines = []
    for metric in ALL:
        labels = ",".join(f'{label}="{values.get(label, "x")}"' for label in metric.labels)
        lines.append(f"{metric.full_name}{{{labels}}} {told(metric.name)}\n")
    return "".join(lines)


def told(name: str) -> float:
    """A value that is well."""
    if name.endswith("timestamp_seconds"):
        return time.time()
    return {"baseline": 0.5, "watch_interval_seconds": 60, "runs_open": 0, "runs_needing_a_person": 0}.get(name, 1)


@pytest.fixture(scope="module")
def serve(lab: RunningNode) -> Iterator[str]:
    """The address of something that tells it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(told_by_serve(f"127.0.0.1:{lab.port}").encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def lab(start_shared_node: StartNode) -> RunningNode:
    """A node with two groups, each with spaces of its own."""
    node = start_shared_node()
    spaces = [f"space-{number}" for number in range(4)]
    for space in spaces:
        node.ask("POST", "/api/v1/spaces", {"id": space})
    treated = {"dual_memory.treatment_rate": 0.0, "dual_memory.treatment_spaces": spaces[:2]}
    every = {"dual_memory.concept_sample_rate": 1.0}  # ids are drawn: of a sample there may be no concept
    assert node.admin("PATCH", "config", treated | every).status == 200
    for space in spaces:
        for number in range(6):
            assert node.remember(f"the canary number {number % 2} was released on Tuesday", space).status == 201
    node.settle()
    return node


SUBJECTS = count()
"""What was not spoken of before: only that forms a concept while somebody looks."""


def traffic(node: RunningNode) -> None:
    """A few recalls of each space, and something new, so that every rate has something to tell; a concept, too."""
    subject = next(SUBJECTS)
    for number in range(3):
        assert node.remember(f"heron{subject} number {number} stood by lake{subject}", "space-0").status == 201
    for number in range(4):
        assert node.remember("the canary number 1 was released on Tuesday", f"space-{number}").status == 201
        for _ in range(6):
            assert node.recall("canary", f"space-{number}").status == 200


@pytest.fixture(scope="module")
def ask(lab: RunningNode, serve: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A function that asks the Prometheus; traffic goes on until there are enough scrapes."""
    labels = {"target": "lab", "node": "one"}
    jobs = [
        {"job_name": "engram", "static_configs": [{"targets": [f"127.0.0.1:{lab.port}"], "labels": labels}]},
        {"job_name": "runbook", "metrics_path": "/metrics", "static_configs": [{"targets": [serve]}]},
    ]
    rules = sorted((MONITORING / "rules").glob("*.yml"))
    with prometheus(tmp_path_factory.mktemp("prometheus"), jobs, interval="1s", rules=rules) as url:

        def query(expr: str) -> list[dict[str, Any]]:
            with urlopen(f"{url}/api/v1/query?{urlencode({'query': expr})}", timeout=10) as reply:  # noqa: S310 - ours
                found: list[dict[str, Any]] = json.load(reply)["data"]["result"]
            return found

        def enough() -> bool:
            traffic(lab)
            return bool(query("engram:recall_confidence_treatment:mean_against_control"))

        wait_until(enough, "Prometheus does not compare the two groups", 60)
        yield query


@pytest.mark.parametrize(("title", "expr"), PANELS, ids=[f"{title}-{index}" for index, (title, _) in enumerate(PANELS)])
def test_every_panel_shows_something(ask: Any, lab: RunningNode, title: str, expr: str) -> None:
    """Prometheus understands it, and has a number; where a healthy young node cannot have one, it understands it."""
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    assert "$" not in expr
    if any(each in expr for each in NEEDS_MORE):
        ask(expr)
        return

    def shown() -> bool:
        found = any(math.isfinite(float(each["value"][1])) for each in ask(expr))
        if not found:
            traffic(lab)
        return found

    wait_until(shown, f"{title} shows nothing: {expr}", 20)


def test_no_two_panels_have_the_same_number_and_all_lie_apart() -> None:
    """Grafana would show one above the other."""
    for dashboard in DASHBOARDS.values():
        panels = dashboard["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        places = [
            (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
            for panel in panels
            for x in range(panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["h"])
        ]
        assert len(places) == len(set(places))
        assert all(0 <= x < 24 for x, _ in places)


def test_the_rules_are_evaluated_without_an_error(ask: Any) -> None:
    """By the real Prometheus, all of them; and neither the node nor this tool is missed where both are there.

    How fast a busy machine recalls is no fact.
    """
    failures = ask("sum(prometheus_rule_evaluation_failures_total) or vector(0)")
    assert failures == [] or float(failures[0]["value"][1]) == 0
    firing = {each["metric"]["alertname"] for each in ask('ALERTS{alertstate="firing",issue=~"node|runbook"}')}
    assert firing == set()
