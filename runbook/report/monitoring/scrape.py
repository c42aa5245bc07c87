"""What Prometheus has to scrape of a target, as a file of its `file_sd_configs`, with the labels of the alerts."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from runbook.model.target import Target

PATH = "/metrics/prometheus"


def scrape_targets(target: Target) -> Sequence[dict[str, Any]]:
    """One entry for each node: its address, and the labels `target` and `node` as the configuration names them."""
    found = []
    for node in target.nodes:
        parts = urlsplit(node.url)
        labels = {"target": target.name, "node": node.name}
        if parts.scheme != "http":
            labels["__scheme__"] = parts.scheme
        if parts.path.strip("/"):
            labels["__metrics_path__"] = f"/{parts.path.strip('/')}{PATH}"
        found.append({"targets": [node.instance], "labels": labels})
    return found
