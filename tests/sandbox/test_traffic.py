"""The load generator's arrivals: all spaces alike, at the rate that was asked for."""

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from peers import Answer, Peer, Request, http

from runbook.errors import RunbookError
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.processes import Process, boot_id
from runbook.sandbox.fleet.record import FleetRecord, FleetRequest, NodeRecord, save
from runbook.sandbox.texts.generate import spaces_of
from runbook.sandbox.traffic import arrivals, run

NODES = [spaces_of(node, 20) for node in range(3)]


def test_every_space_is_asked_once_in_a_round() -> None:
    """Sixty spaces at fifty a second: each has the same traffic, in an order that changes, on its own node."""
    found = list(islice(arrivals(NODES, 50.0, 0.0), 600))
    rounds = [[each.text.space for each in found[at : at + 60]] for at in range(0, 600, 60)]
    assert all(sorted(each) == sorted(space for spaces in NODES for space in spaces) for each in rounds)
    assert len({tuple(each) for each in rounds}) == 10
    assert all(each.text.space in NODES[each.node] for each in found)


def test_requests_come_at_the_rate_and_most_are_recalls() -> None:
    """Seeded: the same for everyone."""
    found = list(islice(arrivals(NODES, 50.0, 100.0), 6000))
    assert 50.0 * 0.95 < 6000 / (found[-1].due - 100.0) < 50.0 * 1.05
    recalls = Counter(each.query is None for each in found)
    assert 0.08 < recalls[True] / 6000 < 0.12


def test_the_load_goes_through_the_ports_that_were_named(tmp_path: Path) -> None:
    """One for each node, in their order, instead of the node's own: what splits the traffic stands there."""
    folder = FleetFolder(tmp_path)
    folder.make()
    nobody = Process(pid=2**22 - 1, start_ticks=5, boot=boot_id())
    save(folder, FleetRecord(FleetRequest(nodes=1), (NodeRecord("node-1", nobody, 9),), nobody, ready=True))

    def answer(request: Request) -> Answer:
        if request.headers.get("x-memory-space") in spaces_of(0, 20):
            folder.record.unlink(missing_ok=True)  # the load ends with the fleet
        return http({})

    with pytest.raises(RunbookError, match="2 ports for 1 nodes"):
        run(folder.record, 50.0, 0.05, (1, 2))
    with Peer(answer) as splitter:
        run(folder.record, 50.0, 0.05, (splitter.port,))
    assert not folder.record.exists()
