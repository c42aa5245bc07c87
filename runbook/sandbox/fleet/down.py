"""Ending a fleet: exactly what was started, and nobody else."""

import shutil
from dataclasses import dataclass

from runbook.errors import RefusedError
from runbook.sandbox.fleet.folder import FleetFolder, storage
from runbook.sandbox.fleet.lock import locked
from runbook.sandbox.fleet.processes import end
from runbook.sandbox.fleet.record import load


@dataclass(frozen=True, slots=True)
class Ended:
    """What `down` found and did."""

    processes: int
    """How many were running and were ended."""
    found: bool
    """Was there anything of a fleet at all?"""


def down(folder: FleetFolder) -> Ended:
    """End the fleet and remove its folder; where none is up, say so.

    Raises:
        DamagedError: the record is not readable, so nobody knows what to end.
        LockedError: another command works on the fleet.
        RefusedError: a process belongs to another user.
        StorageError: the folder cannot be removed.
    """
    if not folder.root.exists():
        return Ended(processes=0, found=False)
    with locked(folder, "down"):
        return end_fleet(folder)


def end_fleet(folder: FleetFolder) -> Ended:
    """As `down`, for those who hold the lock."""
    if folder.root.is_symlink():
        raise RefusedError(f"{folder.root} is a link", hint="a fleet lives in a folder of its own: remove the link")
    record = load(folder)
    ended = 0 if record is None else end(record.processes)
    found = folder.root.exists()
    with storage(folder.root):
        if found:
            shutil.rmtree(folder.root)
    return Ended(ended, found)
