"""What was started, as `fleet.json` keeps it: enough to find it again and to end exactly that."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from runbook.errors import DamagedError, NotSupportedError
from runbook.sandbox.fleet.folder import FleetFolder, write_file
from runbook.sandbox.fleet.processes import Process
from runbook.sandbox.texts.generate import FEWEST_SPACES, spaces_of

VERSION = 1
_NAME = re.compile(r"node-[1-9][0-9]{0,3}")
_HIGHEST_PORT = 65_535
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FleetRequest:
    """What `up` was asked for; a second `up` with the same request finds its work done.

    `spaces` is the number on each node; 0 leaves it to the number of texts.
    """

    nodes: int = 3
    episodes: int = 300
    traffic: float = 0.0
    way: str = "http"
    processes: int = 0
    real_text: str = ""
    seed: int = 1
    spaces: int = 0


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """One node; several may share a process. `port` is 0 until the node has said which it got.

    `space_count` is how many seeded spaces it has, as every node of its fleet.
    """

    name: str
    process: Process
    port: int = 0
    space_count: int = FEWEST_SPACES

    @property
    def index(self) -> int:
        """Its number in the fleet, from 0."""
        return int(self.name.removeprefix("node-")) - 1

    @property
    def spaces(self) -> tuple[str, ...]:
        """The names of its seeded spaces."""
        return spaces_of(self.index, self.space_count)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class FleetRecord:
    """The whole fleet; `ready` once `up` has finished."""

    request: FleetRequest
    nodes: tuple[NodeRecord, ...] = ()
    load: Process | None = None
    ready: bool = False

    @property
    def processes(self) -> tuple[Process, ...]:
        """Each process that was started, once, the load generator first."""
        load = () if self.load is None else (self.load,)
        return tuple(dict.fromkeys((*load, *(node.process for node in self.nodes))))


def save(folder: FleetFolder, record: FleetRecord) -> None:
    """Write `fleet.json`.

    Raises:
        StorageError: the disk refused.
    """
    write_file(folder.record, json.dumps({"version": VERSION, **asdict(record)}, indent=1) + "\n")


def load(folder: FleetFolder) -> FleetRecord | None:
    """Read `fleet.json`; None where there is none.

    Raises:
        DamagedError: it is not what `save` writes; nothing in it is believed then.
        NotSupportedError: another version wrote it.
    """
    try:
        document: Any = json.loads(folder.record.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(folder, str(error)) from error
    version = document.get("version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise NotSupportedError(f"{folder.record} has version {version}", hint="use the runbook that started the fleet")
    try:
        return _record(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from error


def _damaged(folder: FleetFolder, what: str) -> DamagedError:
    hint = f"look for processes of runbook.sandbox with ps, end them, then remove {folder.root}"
    return DamagedError(f"{folder.record} is damaged: {what}", hint=hint)


def _record(document: dict[str, Any]) -> FleetRecord:
    return FleetRecord(
        request=_request(document["request"]),
        nodes=tuple(_node(node) for node in document["nodes"]),
        load=None if document["load"] is None else _process(document["load"]),
        ready=_typed(document["ready"], bool),
    )


def _request(document: dict[str, Any]) -> FleetRequest:
    return FleetRequest(
        nodes=_typed(document["nodes"], int),
        episodes=_typed(document["episodes"], int),
        traffic=float(document["traffic"]),
        way=_typed(document["way"], str),
        processes=_typed(document["processes"], int),
        real_text=_typed(document["real_text"], str),
        seed=_typed(document["seed"], int),
        spaces=_typed(document.get("spaces", 0), int),  # fleets of an older version do not say
    )


def _node(document: dict[str, Any]) -> NodeRecord:
    name = _typed(document["name"], str, lambda value: _NAME.fullmatch(value) is not None)
    port = _typed(document["port"], int, lambda value: 0 <= value <= _HIGHEST_PORT)
    spaces = _typed(document.get("space_count", FEWEST_SPACES), int, lambda value: value > 0)
    return NodeRecord(name, _process(document["process"]), port, spaces)


def _process(document: dict[str, Any]) -> Process:
    return Process(
        pid=_typed(document["pid"], int, lambda value: value > 1),  # 1, 0 and below would be everybody
        start_ticks=_typed(document["start_ticks"], int),
        boot=_typed(document["boot"], str),
    )


def _typed(value: Any, kind: type[_T], right: Callable[[_T], bool] = lambda _: True) -> _T:
    if type(value) is not kind or not right(value):
        raise ValueError(f"{value!r} is out of place")
    return value
