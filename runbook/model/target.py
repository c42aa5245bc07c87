"""Targets and nodes: who is worked on, and how to reach them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from runbook.model.rails import NO_RAILS, Rails

_PORTS = {"http": 80, "https": 443}


class Way(StrEnum):
    """How the settings of a node are changed."""

    HTTP = "http"
    CLI = "cli"
    FILE = "file"  # a settings file on the host, and a restart
    NGINX = "nginx"  # no node: a splitter, whose share, salt and named spaces are rendered into its configuration


@dataclass(frozen=True, slots=True)
class Node:
    """One running Engram server. `token_file` is read at the moment of use and never kept in memory longer."""

    name: str
    url: str
    way: Way = Way.HTTP
    token_file: Path | None = None

    @property
    def instance(self) -> str:
        """Its host and port, as Prometheus labels what it scrapes; the scheme's own port where none is named."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port or _PORTS.get(parts.scheme, 80)}"


@dataclass(frozen=True, slots=True)
class Target:
    """A fleet: its nodes, its Ansible inventory, its source of metrics, and how careful to be with it.

    For `warm_up` after the start of its process a node's memory grows because it fills, and is not judged.
    """

    name: str
    environment: str
    inventory: Path
    nodes: tuple[Node, ...]
    prometheus: str | None = None
    allow_plain_http: bool = False
    rails: Rails = NO_RAILS
    warm_up: timedelta = timedelta(0)
    splitters: tuple[Node, ...] = ()
    """What splits the traffic in front of the nodes, instead of them: hosts with `engram_splitter_url` (`Way.NGINX`).

    With any, the nodes' own share is 0, and the group that a splitter names in its header wins.
    """

    def node(self, name: str) -> Node | None:
        """The node of that name, or None."""
        return next((node for node in self.nodes if node.name == name), None)

    @property
    def hosts(self) -> tuple[Node, ...]:
        """Nodes, then splitters: everything that a run may change, in the order in which a rollout sets it."""
        return (*self.nodes, *self.splitters)

    def concerned(self, names: Collection[str]) -> frozenset[str]:
        """The names of the nodes that a change of these hosts concerns: a splitter is none, and concerns every node."""
        split = {each.name for each in self.splitters}
        behind = {node.name for node in self.nodes} if split.intersection(names) else set()
        return frozenset(set(names) - split | behind)

    def host(self, name: str) -> Node | None:
        """The node or splitter of that name, or None."""
        return next((host for host in self.hosts if host.name == name), None)
