"""Where a fleet keeps its things: one folder, removed when the fleet goes down."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runbook.errors import RefusedError, StorageError


@dataclass(frozen=True, slots=True)
class FleetFolder:
    """The places under `<state>/sandbox/`; the lock lies beside it, since it outlives the folder."""

    state: Path

    @property
    def root(self) -> Path:
        """Everything of the fleet, and nothing else."""
        return self.state / "sandbox"

    @property
    def lock(self) -> Path:
        """Held while a fleet is started or ended."""
        return self.state / "sandbox.lock"

    @property
    def record(self) -> Path:
        """What was started: `fleet.json`."""
        return self.root / "fleet.json"

    @property
    def configuration(self) -> Path:
        """The `runbook.toml` with the target `sandbox`."""
        return self.root / "runbook.toml"

    @property
    def inventory(self) -> Path:
        """The Ansible inventory of the fleet."""
        return self.root / "inventory.yml"

    @property
    def engram(self) -> Path:
        """The compatible `engram` command."""
        return self.root / "bin" / "engram"

    def node(self, name: str) -> Path:
        """The folder of a node."""
        return self.root / name

    def token(self, name: str) -> Path:
        """The file with a node's admin token."""
        return self.node(name) / "admin.token"

    def log(self, name: str) -> Path:
        """What a process printed."""
        return self.root / f"{name}.log"

    def make(self) -> None:
        """Make the folder, for its owner's eyes only.

        Raises:
            RefusedError: a link or a file stands in its place.
            StorageError: it cannot be made.
        """
        if self.root.is_symlink():
            raise RefusedError(f"{self.root} is a link", hint="a fleet lives in a folder of its own: remove the link")
        with storage(self.root):
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn the disk's refusals inside into `StorageError`."""
    try:
        yield
    except OSError as error:
        hint = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "set RUNBOOK_STATE to a writable folder"
        raise StorageError(f"cannot write {error.filename or path}: {error.strerror}", hint=hint) from error


def write_file(path: Path, content: str, mode: int = 0o600) -> None:
    """Put the file there whole or not at all.

    Raises:
        StorageError: the disk refused.
    """
    with storage(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(content)
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
