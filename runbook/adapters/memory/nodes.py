"""The admin side of nodes that are dictionaries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runbook.errors import LockedError
from runbook.model.concept import NodeConcepts, RecentConcept
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.settings import CATALOGUE, Settings
from runbook.model.target import Node


@dataclass(slots=True)
class MemoryNodes:
    """`Nodes` without a network; the fields may be changed at any time.

    Args:
        nodes: the settings of each node by name; `MemoryPlays` may change the same mapping.
        silent: why a node does not answer, by name.
        leases: who holds each node, as holder and run; pass one mapping to several to see them compete.
        leaseless: nodes that know no leases.
        formed: concepts of nodes, the newest first; a node that is not named does not tell of concepts.
    """

    nodes: Mapping[str, Settings]
    silent: dict[str, str] = field(default_factory=dict)
    leases: dict[str, tuple[str, str]] = field(default_factory=dict)
    leaseless: set[str] = field(default_factory=set)
    formed: Mapping[str, tuple[RecentConcept, ...]] = field(default_factory=dict)

    def settings(self, nodes: Sequence[Node]) -> NodeSettings:
        """Features and configuration of every node by name, or its silence."""
        return {node.name: self._settings_of(node.name) for node in nodes}

    def concepts(self, nodes: Sequence[Node], since: datetime, most: int) -> NodeConcepts:
        """The newest concepts of every node by name, or its silence."""
        return {node.name: self._concepts_of(node.name, since, most) for node in nodes}

    @contextmanager
    def lease(self, nodes: Sequence[Node], holder: str, run: str, ttl: timedelta) -> Iterator[Callable[[], str]]:
        """Hold a lease of this run on each node while the context lasts; one is lost by changing `leases`.

        Raises:
            LockedError: another run holds one; those taken so far are given back.
        """
        taken: list[str] = []
        try:
            for name in sorted(node.name for node in nodes):
                if name in self.silent or name in self.leaseless:
                    continue
                other, other_run = self.leases.get(name, (holder, run))
                if other_run != run:
                    raise LockedError(
                        f"node {name} is locked by {other}, run {other_run}, {ttl.total_seconds():.0f} s left",
                        hint="wait until that run has ended",
                    )
                self.leases[name] = (holder, run)
                taken.append(name)
            yield lambda: "; ".join(filter(None, (self._lost(name, run) for name in taken)))
        finally:
            for name in taken:
                if not self._lost(name, run):
                    self.leases.pop(name, None)

    def _lost(self, name: str, run: str) -> str:
        other, other_run = self.leases.get(name, ("nobody", run))
        return "" if other_run == run else f"{name}: the lease was lost to {other}, run {other_run}"

    def _concepts_of(self, name: str, since: datetime, most: int) -> tuple[RecentConcept, ...] | Silence:
        if name in self.silent:
            return Silence(name, self.silent[name])
        if name not in self.formed:
            return Silence(name, "telling of recent concepts is not supported by this node")
        return tuple(each for each in self.formed[name] if datetime.fromisoformat(each.formed_at) > since)[:most]

    def _settings_of(self, name: str) -> Settings | Silence:
        if name in self.silent:
            return Silence(name, self.silent[name])
        known = {key: value for key, value in self.nodes.get(name, {}).items() if key in CATALOGUE}
        return known or Silence(name, "reading settings is not supported by this node")
