"""What is read of a node and handed on as it is, in one result of a task."""

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.http_node import HttpNode
from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError

LARGEST_DOCUMENT = 512 << 10
"""Bytes as JSON. ansible-runner drops results beyond 700,000 characters without a word."""


def collect(node: HttpNode, method: str, path: str) -> dict[str, Any]:
    """The node's answer as the result of a task; `changed` is never true."""
    result: dict[str, Any] = {"changed": False, "collected": None}
    try:
        document = _bounded(node.ask(method, path))
    except UnreachableNodeError as problem:
        result |= {"unreachable": True, "reason": problem.reason, "msg": str(problem)}
    except WayError as problem:
        result |= {"failed": True, "reason": problem.reason, "msg": str(problem)}
    else:
        result |= {"collected": document, "msg": f"{method} {path}: {len(document)} parts"}
    return result | ({"retries": node.retries} if node.retries else {})


def _bounded(document: Mapping[str, Any]) -> Mapping[str, Any]:
    size = len(json.dumps(document))
    if size > LARGEST_DOCUMENT:
        raise WayError(f"the node's answer of {size} bytes is too large to be collected ({LARGEST_DOCUMENT} at most)")
    return document
