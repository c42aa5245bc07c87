"""A backup of a whole fleet: every node's own backup, where it lies, and who is missing from it."""

from collections.abc import Mapping
from dataclasses import dataclass

PER_NODE = "per_node"
"""Each node's backup is one snapshot of that node. The nodes are independent shards, and their moments are not one."""


@dataclass(frozen=True, slots=True)
class NodeBackup:
    """The backup of one node, in a folder of its own host.

    `manifest` is the hash of that backup's own manifest, by which it is known again wherever it is; `digest` is of its
    records' content. `level` is what was proven when the fleet's backup was written.
    """

    host: str
    node: str
    folder: str
    backup: str
    kind: str
    snapshot: str
    consistency: str
    manifest: str
    digest: str
    counts: Mapping[str, int]
    stored_bytes: int
    level: int

    @property
    def records(self) -> int:
        """How many records are in it."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Missing:
    """A node of the fleet that has no backup in it, and why."""

    host: str
    why: str


@dataclass(frozen=True, slots=True)
class FleetBackup:
    """All nodes of a target, each exactly once, with a backup or missing; `sha256` is the document's own hash.

    `number` orders the backups of fleets of a folder, never a clock.
    """

    target: str
    number: int
    created_at: str
    written_by: str
    nodes: tuple[NodeBackup, ...]
    missing: tuple[Missing, ...] = ()
    journal: tuple[int, str] | None = None
    sha256: str = ""

    @property
    def complete(self) -> bool:
        """Has every node of the fleet a backup in it?"""
        return not self.missing

    @property
    def records(self) -> int:
        """How many records are in it."""
        return sum(each.records for each in self.nodes)

    @property
    def stored_bytes(self) -> int:
        """What all of it takes on the disks of the hosts."""
        return sum(each.stored_bytes for each in self.nodes)

    def of(self, host: str) -> NodeBackup:
        """The backup of that host's node."""
        return next(each for each in self.nodes if each.host == host)


@dataclass(frozen=True, slots=True)
class KeptFleetBackup:
    """One of them as it lies in its folder: what it says, or what is wrong with it."""

    name: str
    backup: FleetBackup | None
    damage: str = ""
