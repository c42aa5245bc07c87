"""Waiting until a fleet has nothing left to consolidate."""

from collections.abc import Sequence
from functools import partial

from runbook.errors import UnreachableError
from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.record import NodeRecord
from runbook.sandbox.fleet.talk import Talk
from runbook.sandbox.fleet.waiting import wait_for

_PATIENCE = 120.0


def rest(folder: FleetFolder, nodes: Sequence[NodeRecord], talk: Talk) -> None:
    """Return when no node has an episode waiting for consolidation.

    Raises:
        UnreachableError: a node does not answer, or does not come to rest in time.
    """
    for done, node in enumerate(nodes):
        talk.progress("nodes settled", done, len(nodes))
        with NodeClient(node.port, folder.token(node.name), timeout=_PATIENCE) as client:
            if wait_for(partial(_settled, client), _PATIENCE) is None:
                raise UnreachableError(
                    f"{node.name} still consolidates after {_PATIENCE:.0f} s", hint="load fewer episodes"
                )
    talk.progress("nodes settled", len(nodes), len(nodes))


def _settled(client: NodeClient) -> bool | None:
    return True if client.demand("GET", "/api/v1/system/health").document["settled"] is True else None
