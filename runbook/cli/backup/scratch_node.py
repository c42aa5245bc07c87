"""An empty node that is there for one proof only."""

from collections.abc import Iterator
from contextlib import contextmanager

from runbook.cli import compose
from runbook.cli.progress import ProgressTalk
from runbook.cli.scratch import ROOM_PER_NODE, check_room, embedded_fleet
from runbook.ports import DataNode
from runbook.sandbox.fleet.client import NodeClient

_ROOM = 3
"""A node's disk needs so many times what it takes in: its rows, its journal of writes, its spills."""


@contextmanager
def scratch_node(size: int, talk: ProgressTalk) -> Iterator[DataNode]:
    """Start a node with room for an archive of so many bytes; whatever happens, it is ended and its folder removed.

    Its dual memory is off, so that it recalls by cosine alone; the records are all there.

    Raises:
        StorageError: there is no room.
        UnreachableError: it did not start.
    """
    check_room(1, ROOM_PER_NODE + _ROOM * size)
    with embedded_fleet(1, 0, 0.0) as fleet:
        node = fleet.target.nodes[0]
        record = fleet.record.nodes[0]
        with NodeClient(record.port, fleet.folder.token(record.name)) as client:
            client.demand("POST", "/api/v1/admin/features", {"dual_memory.enabled": False})
        yield compose.data_node(fleet.target, node, talk)
