"""The operations contract as data, and a real node: each speaks all that the other does, and asking changes nothing."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from running_node import RunningNode

from runbook.model.contract import ENDPOINTS, METRICS, Endpoint, Kind
from runbook.sandbox.web.app import routes_of

TODAY = [each for each in ENDPOINTS if not each.planned]


def there(endpoint: Endpoint) -> str:
    """A path that fits it, of something that exists."""
    return endpoint.path.replace("{id}", "nobody").replace("{fault}", "latency")


def types_of(node: RunningNode) -> dict[str, str]:
    """Of each exported family; a counter goes by the name of its samples."""
    lines = node.ask("GET", "/metrics/prometheus").body.decode().splitlines()
    return dict(line.split()[2:4] for line in lines if line.startswith("# TYPE "))


def test_every_metric_of_the_contract_is_exported(shared_node: RunningNode) -> None:
    """With its type; and nothing else is."""
    found = types_of(shared_node)
    optional = {name for name, metric in METRICS.items() if not metric.always}
    assert {name: found.get(name) for name in METRICS if name in found or name not in optional} == {
        name: metric.kind.value for name, metric in METRICS.items() if name in found or name not in optional
    }
    assert set(found) - set(METRICS) == set()


def test_every_metric_has_the_labels_of_the_contract(shared_node: RunningNode) -> None:
    """As its samples show them; the bounds of a histogram aside."""
    shown: dict[str, set[str]] = {}
    for sample in shared_node.metrics():
        name, _, labels = sample.partition("{")
        names = {each.partition("=")[0] for each in labels.rstrip("}").split('",') if each} - {"le"}
        shown.setdefault(name, set()).update(names)
    for metric in METRICS.values():
        for name in metric.series:
            assert shown.get(name, set(metric.labels)) == set(metric.labels), name


@pytest.mark.parametrize("endpoint", TODAY, ids=lambda each: each.path)
def test_every_endpoint_of_the_contract_answers(shared_node: RunningNode, endpoint: Endpoint) -> None:
    """OPTIONS tells its methods without doing any of them; a GET finds something."""
    headers = {"Authorization": f"Bearer {shared_node.token}"} if endpoint.admin else {}
    reply = shared_node.ask("OPTIONS", there(endpoint), headers=headers)
    assert (reply.status, reply.body) == (204, b"")
    assert set(endpoint.methods) <= set(reply.headers["allow"].split(", "))
    if "GET" in endpoint.methods and "{id}" not in endpoint.path:
        assert shared_node.ask("GET", there(endpoint), headers=headers).status in {200, 400}


def test_a_node_has_no_endpoint_that_the_contract_does_not_know() -> None:
    """Each route, with each method; HEAD comes with GET."""
    engine: Any = SimpleNamespace(options=SimpleNamespace(runtime_settings=True))  # no route is called here
    routes = routes_of(engine, cast("Any", None))
    spoken = {(method, route.path) for route in routes for method in route.methods or () if method != "HEAD"}
    assert spoken == {(method, each.path) for each in TODAY for method in each.methods}


def test_what_is_planned_is_not_there_yet(shared_node: RunningNode) -> None:
    """As soon as it is, the contract must say so."""
    for endpoint in ENDPOINTS:
        there_already = shared_node.admin("OPTIONS", there(endpoint).removeprefix("/api/v1/admin/")).status != 404
        assert not (endpoint.planned and there_already), endpoint


def test_asking_for_the_methods_needs_the_token_where_the_path_does(shared_node: RunningNode) -> None:
    """And an unknown path has none."""
    assert shared_node.ask("OPTIONS", "/api/v1/admin/features").status == 401
    assert shared_node.ask("OPTIONS", "/api/v1/system/info").status == 404


def test_histograms_have_three_series() -> None:
    """As Prometheus has them."""
    kinds = {metric.kind for metric in METRICS.values() if len(metric.series) == 3}
    assert kinds == {Kind.HISTOGRAM}
