"""Starting node processes, and waiting until each listens."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from runbook.errors import UnreachableError
from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.processes import is_alive, spawn
from runbook.sandbox.fleet.record import FleetRecord, FleetRequest, NodeRecord, save
from runbook.sandbox.fleet.talk import Talk
from runbook.sandbox.fleet.waiting import wait_for
from runbook.sandbox.texts.generate import spaces_for

_ALONE = 8
"""Up to so many nodes have a process each."""
_SHARED = 2
"""More nodes share so many processes: a machine has few cores."""
_CELL_SECONDS = 2
"""What takes weeks elsewhere takes minutes here."""
_PATIENCE = 60.0
_LOG_LINES = 12


def log_name(first: str) -> str:
    """The name of the log of the process whose first node that is."""
    return f"process-of-{first}"


def start_nodes(folder: FleetFolder, request: FleetRequest, talk: Talk) -> FleetRecord:
    """Start the processes and wait until every node listens; the record is on disk before each next step.

    Raises:
        UnreachableError: a node ended or did not listen in time; the last lines of its log are in the message.
        StorageError: the disk refused.
    """
    record = FleetRecord(request)
    spaces = request.spaces or spaces_for(request.episodes)
    for names in _groups(request):
        process = spawn(["-m", "runbook.sandbox.node", *_options(folder, names)], folder.log(log_name(names[0])))
        record = replace(
            record, nodes=record.nodes + tuple(NodeRecord(name, process, space_count=spaces) for name in names)
        )
        save(folder, record)
    listening: list[NodeRecord] = []
    for node in record.nodes:
        talk.progress("nodes started", len(listening), len(record.nodes))
        listening.append(_listening(folder, node, record))
    talk.progress("nodes started", len(listening), len(record.nodes))
    record = replace(record, nodes=tuple(listening))
    save(folder, record)
    return record


def _groups(request: FleetRequest) -> Iterator[Sequence[str]]:
    names = [f"node-{number}" for number in range(1, request.nodes + 1)]
    processes = request.processes or (request.nodes if request.nodes <= _ALONE else _SHARED)
    size = -(-len(names) // min(processes, len(names)))
    return (names[first : first + size] for first in range(0, len(names), size))


def _options(folder: FleetFolder, names: Iterable[str]) -> Iterator[str]:
    yield from ("--cell-seconds", str(_CELL_SECONDS))
    for name in names:
        yield from ("--folder", str(folder.node(name)), "--port", "0")


def _listening(folder: FleetFolder, node: NodeRecord, record: FleetRecord) -> NodeRecord:
    def look() -> NodeRecord | None:
        if not is_alive(node.process):
            raise UnreachableError(f"{node.name} ended while it started", hint=last_lines(folder, node, record))
        try:
            port = int((folder.node(node.name) / "port").read_text(encoding="ascii"))
            with NodeClient(port) as client:
                return replace(node, port=port) if client.ask("GET", "/health/alive").is_good else None
        except (FileNotFoundError, ValueError, UnreachableError):
            return None

    found = wait_for(look, _PATIENCE)
    if found is None:
        raise UnreachableError(
            f"{node.name} does not listen after {_PATIENCE:.0f} s", hint=last_lines(folder, node, record)
        )
    return found


def last_lines(folder: FleetFolder, node: NodeRecord, record: FleetRecord) -> str:
    """The end of what the node's process printed."""
    first = next(other.name for other in record.nodes if other.process == node.process)
    try:
        lines = folder.log(log_name(first)).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return f"its log cannot be read: {error}"
    return "its log ends with:\n" + "\n".join(lines[-_LOG_LINES:]) if lines else "its log is empty"
