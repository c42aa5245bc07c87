"""The state folder: the journal, baselines, locks and the sandbox live there."""

import os
from collections.abc import Mapping
from pathlib import Path

_NAME = "engram-runbook"
_SYSTEM = Path("/var/lib") / _NAME


def state_folder(environ: Mapping[str, str], *, system: Path = _SYSTEM) -> Path:
    """The folder in which this installation keeps its state; nothing is created, and it never fails.

    RUNBOOK_STATE when it is set; else the system's folder when it can be written or made; else the
    XDG state folder of the person.
    """
    if named := environ.get("RUNBOOK_STATE"):
        return _absolute(Path(named))
    if _usable(system):
        return system
    return _of_the_person(environ) / _NAME


def _usable(path: Path) -> bool:
    if os.path.lexists(path):
        return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
    return path.parent.is_dir() and os.access(path.parent, os.W_OK | os.X_OK)


def _of_the_person(environ: Mapping[str, str]) -> Path:
    """XDG_STATE_HOME where it is absolute, as the XDG base directory specification asks; else under HOME."""
    xdg = Path(environ.get("XDG_STATE_HOME", ""))
    if xdg.is_absolute():
        return xdg
    home = Path(environ.get("HOME", ""))
    if home.is_absolute():
        return home / ".local" / "state"
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:  # an account without a home and without a name; this folder survives a restart
        return Path("/var/tmp") / f"user-{os.getuid()}"  # noqa: S108  # the last resort, per user


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError:  # the current folder is gone
        return path
