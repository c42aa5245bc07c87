"""The way over HTTP: the node's admin paths, asked from the controller."""

import json
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.http_node import HttpNode
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError

PATHS = {"config": ("/api/v1/admin/config", "PATCH"), "feature": ("/api/v1/admin/features", "POST")}


class HttpWay:
    """Reads and writes one kind of setting of one node; `kind` is config or feature."""

    def __init__(self, node: HttpNode, kind: str) -> None:
        self._node = node
        self._path, self._write_method = PATHS[kind]

    @property
    def retries(self) -> list[str]:
        """What was tried again, and why."""
        return self._node.retries

    def read(self, key: str, like: Any) -> Any:  # noqa: ARG002 - JSON knows its types, so `like` is not needed
        """The node's value."""
        document = self._node.ask("GET", self._path)
        if key not in document:
            raise WayError(f"not supported by this node: it has no setting {key}", "not_supported")
        return document[key]

    def write(self, key: str, value: Any) -> None:
        """Ask the node to take the value; sending it twice is the same as once."""
        self._node.ask(self._write_method, self._path, json.dumps({key: value}).encode())

    def settle(self, key: str, value: Any, *, check: bool) -> str:  # noqa: ARG002 - the shape is the protocol's
        """What a node took at run time lasts: there is nothing to do."""
        return ""
