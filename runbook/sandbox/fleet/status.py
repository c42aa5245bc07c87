"""How the fleet is."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from runbook.errors import UnreachableError, UsageError
from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.faults import names_of
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.nodes import last_lines
from runbook.sandbox.fleet.processes import is_alive
from runbook.sandbox.fleet.record import FleetRecord, NodeRecord, load

_TIMEOUT = 3.0
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node; `problem` says why the counts are missing."""

    name: str
    pid: int
    url: str
    alive: bool
    episodes: int | None = None
    concepts: int | None = None
    faults: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """The load generator and the last line that it wrote."""

    pid: int
    rate: float
    alive: bool
    last: str = ""


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """The whole fleet."""

    ready: bool
    nodes: tuple[NodeStatus, ...]
    load: LoadStatus | None

    @property
    def is_well(self) -> bool:
        """Do all nodes answer, and the load generator run?"""
        return self.ready and not any(node.problem for node in self.nodes) and (self.load is None or self.load.alive)


def status(folder: FleetFolder) -> FleetStatus | None:
    """Ask every node; None where no fleet is up.

    Raises:
        DamagedError: the record is not readable.
    """
    record = load(folder)
    if record is None:
        return None
    # All at once: a fleet of nodes that hang is told as fast as one.
    with ThreadPoolExecutor(min(max(len(record.nodes), 1), _AT_ONCE)) as pool:
        nodes = tuple(pool.map(lambda node: _node(folder, node, record), record.nodes))
    return FleetStatus(record.ready, nodes, _load(folder, record))


def chosen(record: FleetRecord, names: Sequence[str]) -> tuple[NodeRecord, ...]:
    """The named nodes, in the fleet's order; all of them where none is named.

    Raises:
        UsageError: there is no such node.
    """
    known = [node.name for node in record.nodes]
    for name in names:
        if name not in known:
            raise UsageError(f"there is no node {name!r} in the sandbox", hint=f"one of: {', '.join(known)}")
    return tuple(node for node in record.nodes if not names or node.name in names)


def _node(folder: FleetFolder, node: NodeRecord, record: FleetRecord) -> NodeStatus:
    if not is_alive(node.process):
        problem = f"the process is gone; {last_lines(folder, node, record)}"
        return NodeStatus(node.name, node.process.pid, node.url, alive=False, problem=problem)
    try:
        with NodeClient(node.port, folder.token(node.name), _TIMEOUT) as client:
            faults = names_of(client)
            reply = _health(client)
    except (UnreachableError, OSError, LookupError, TypeError) as error:
        return NodeStatus(node.name, node.process.pid, node.url, alive=True, problem=str(error))
    if isinstance(reply, str):
        return NodeStatus(node.name, node.process.pid, node.url, alive=True, faults=faults, problem=reply)
    return NodeStatus(
        node.name,
        node.process.pid,
        node.url,
        alive=True,
        episodes=sum(space["episodes"] for space in reply),
        concepts=sum(space["concepts"] for space in reply),
        faults=faults,
    )


def _health(client: NodeClient) -> list[dict[str, int]] | str:
    """The sizes of the spaces, or why they are not known: a node made unreachable still tells its faults."""
    try:
        document = client.demand("GET", "/api/v1/system/health").document
    except UnreachableError as error:
        return error.message
    if not isinstance(document, dict):
        return "it answers with something else than JSON"
    spaces: list[dict[str, int]] = document["spaces"]
    return spaces


def _load(folder: FleetFolder, record: FleetRecord) -> LoadStatus | None:
    if record.load is None:
        return None
    try:
        lines = folder.log("traffic").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    last = lines[-1] if lines else ""
    return LoadStatus(record.load.pid, record.request.traffic, is_alive(record.load), last)
