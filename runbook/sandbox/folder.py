"""A node's folder: one process at a time, a token that only its owner reads, and the port it listens on."""

import fcntl
import os
import secrets
from pathlib import Path

from runbook.errors import LockedError, StorageError


class Folder:
    """The folder, held by this process until `close`.

    Raises:
        LockedError: another process holds it.
        StorageError: it cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"cannot use the folder {path}: {error.strerror}", hint="choose another") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise LockedError(
                f"another node serves the folder {path} (process {holder})", hint="stop it, or choose another folder"
            ) from None
        (path / "port").unlink(missing_ok=True)  # of a node that was killed
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def token(self) -> str:
        """The admin token; made on first use, mode 0600.

        Raises:
            StorageError: it cannot be read or written.
        """
        path = self.path / "admin.token"
        try:
            if not path.exists():
                self._write("admin.token", secrets.token_urlsafe(32) + "\n")
            token = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(f"cannot keep the admin token in {path}: {error}") from error
        if not token:
            raise StorageError(f"the admin token in {path} is empty", hint="remove the file; a new one is made")
        return token

    def announce(self, port: int) -> None:
        """Say which port is served, once it is."""
        self._write("port", f"{port}\n")

    def stands(self) -> bool:
        """Is the folder still there, and still this one? Without it nothing that is stored could be found again."""
        try:
            return os.path.samestat((self.path / "lock").stat(), os.fstat(self._lock))
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the folder."""
        if self.stands():
            (self.path / "port").unlink(missing_ok=True)
        os.close(self._lock)

    def _write(self, name: str, text: str) -> None:
        temporary = self.path / f".{name}.new"
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(self.path / name)
