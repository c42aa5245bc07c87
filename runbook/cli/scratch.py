"""The fleet of a rehearsal: started in a folder of its own, and gone afterwards whatever happens."""

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from runbook.adapters.inventory import read_inventory
from runbook.cli.sandbox_view import Talk
from runbook.config.document import read_config
from runbook.errors import RunbookError, StorageError
from runbook.model.target import Node, Target
from runbook.sandbox.fleet.down import down
from runbook.sandbox.fleet.faults import inject
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.record import FleetRecord, FleetRequest
from runbook.sandbox.fleet.up import up

PREFIX = "runbook-drill-"
ROOM_PER_NODE = 32 * 1024 * 1024
"""Bytes; a flooded node writes about 10 MB in a minute."""

EPISODES = 300
"""Texts of each node: with fewer, a recall has little to choose from, and confidence is low where all is well."""

_TRAFFIC = 90.0  # requests a second: enough recalls on each node for a mean that a short watch can judge
_LOCK = "drill.lock"
_ABANDONED_SECONDS = 3600.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class EmbeddedFleet:
    """The port `ScratchFleet`, over embedded nodes; `state` is the state folder of the rehearsal's own runs."""

    state: Path
    target: Target
    folder: FleetFolder
    record: FleetRecord

    def inject(self, fault: str, nodes: Sequence[Node]) -> None:
        """Break the nodes; returns at once, not when the symptom shows.

        Raises:
            UsageError: the nodes know no such fault.
            UnreachableError: a node does not answer.
        """
        names = {node.name for node in nodes}
        sick = [node for node in self.record.nodes if node.name in names]
        inject(self.folder, sick, fault, {}, Talk(), patience=0.0)


def check_room(nodes: int, each: int = ROOM_PER_NODE) -> None:
    """Is there room for that many nodes, of so many bytes each, where temporary folders are made?

    Raises:
        StorageError: there is not.
    """
    hint = "make room, or set TMPDIR to a folder with room"
    try:
        place = Path(tempfile.gettempdir())
        free, needed = shutil.disk_usage(place).free, nodes * each
    except OSError as error:
        raise StorageError(f"no folder for scratch nodes can be made: {error}", hint=hint) from error
    if free < needed:
        message = (
            f"no room for scratch nodes: {free >> 20} MB are free in {place}, {nodes} nodes may take {needed >> 20} MB"
        )
        raise StorageError(message, hint=f"{hint}, or take fewer --nodes")


@contextmanager
def embedded_fleet(nodes: int, episodes: int = EPISODES, traffic: float = _TRAFFIC) -> Iterator[EmbeddedFleet]:
    """Start the fleet; whatever happens, its processes are ended and its folder is removed.

    Raises:
        UnreachableError: a node did not start.
        StorageError: the disk refused.
    """
    with _own_folder() as root:
        folder = FleetFolder(root)
        try:
            record, _ = up(folder, FleetRequest(nodes, episodes, traffic), Talk())
            settings = read_config(folder.configuration).targets["sandbox"]
            target = read_inventory(replace(settings, name="drill"))
            yield EmbeddedFleet(root / "state", target, folder, record)
        finally:
            Talk().say("clearing up")
            with _undisturbed():
                down(folder)


@contextmanager
def first_signal_only() -> Iterator[None]:
    """Ctrl-C and the like count once inside: who presses it again and again does not cut the clearing up short."""
    came: list[int] = []

    def first(number: int, frame: FrameType | None) -> None:
        came.append(number)
        before = handlers[signal.Signals(number)]
        if len(came) == 1 and callable(before):
            before(number, frame)

    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    taken = [number for number, handler in handlers.items() if callable(handler)]
    try:
        for number in taken:
            signal.signal(number, first)
        yield
    finally:
        for number in taken:
            signal.signal(number, handlers[number])


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C and the like wait until it is done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A private folder with a lock that falls with this process, so that the next drill knows what was abandoned."""
    remove_abandoned()
    with _undisturbed():
        try:
            root = Path(tempfile.mkdtemp(prefix=PREFIX))
            descriptor = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StorageError(
                f"no folder for a drill can be made: {error}", hint="set TMPDIR to another one"
            ) from error
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    try:
        yield root
    finally:
        with _undisturbed():
            shutil.rmtree(root, ignore_errors=True)
            os.close(descriptor)


def remove_abandoned() -> None:
    """End and remove the fleets of drills that were killed; those of running ones, and of other users, stay."""
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if root.is_symlink() or root.lstat().st_uid != os.getuid():
                continue
            descriptor = os.open(root / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                if _abandoned(descriptor):
                    Talk().say(f"removing what a killed drill left in {root}")
                    _remove(root)
            finally:
                os.close(descriptor)


def _abandoned(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    found = os.fstat(descriptor)  # empty: between its making and its lock; that takes no hour
    return found.st_size > 0 or time.time() - found.st_mtime > _ABANDONED_SECONDS


def _remove(root: Path) -> None:
    try:
        down(FleetFolder(root))
    except RunbookError as error:
        Talk().say(f"it could not be ended: {error.message}; {error.hint}")
    else:
        shutil.rmtree(root, ignore_errors=True)
