"""Shards that only who has an identity can read: age (https://age-encryption.org/v1), streamed, whole file by file.

pyrage turns whatever a stream raises into an error of its own; so both streams here keep it, and it is raised again.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from queue import Queue
from typing import Any

from runbook.adapters.files import storage
from runbook.errors import DamagedError, RefusedError, UsageError

SUFFIX = ".age"
_LIMIT_BYTES = 64 * 1024
_WAITING = 16
"""Pieces of 64 KiB that are unsealed ahead of their reader."""


class Sealer:
    """Encrypts to these recipients: age's own (`age1...`) or SSH keys (`ssh-ed25519 ...`, `ssh-rsa ...`).

    Raises:
        UsageError: one is none.
    """

    def __init__(self, recipients: Sequence[str]) -> None:
        self.recipients = tuple(sorted({recipient.strip() for recipient in recipients}))
        self._keys = [_recipient(text) for text in self.recipients]

    def seal(self, chunks: Iterable[bytes], write: Callable[[bytes], object]) -> None:
        """Encrypt what comes; raises whatever the chunks or `write` raise."""
        import pyrage  # noqa: PLC0415 - only needed where something is encrypted

        source, sink = _Source(iter(chunks)), _Sink(write)
        try:
            pyrage.encrypt_io(source, sink, self._keys)
        except (pyrage.EncryptError, OSError) as error:
            raise source.error or sink.error or error from None


class Identities:
    """What can open them, from files as `age-keygen` and `ssh-keygen` write them.

    Raises:
        UsageError: a file holds none, or cannot be read.
        RefusedError: others may read the file.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._keys = [key for file in files for key in _identities(file)]

    def __bool__(self) -> bool:
        return bool(self._keys)

    def open(self, chunks: Iterable[bytes], place: str) -> Iterator[bytes]:
        """What the chunks hold, decrypted, in constant memory.

        Raises:
            RefusedError: it is not for any of these identities.
            DamagedError: it is no age file, or was changed or cut off.
            Whatever the chunks raise.
        """
        pieces: Queue[bytes | BaseException | None] = Queue(_WAITING)
        left = threading.Event()
        source = _Source(iter(chunks))
        worker = threading.Thread(target=self._work, args=(source, pieces, left, place), daemon=True)
        worker.start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            left.set()
            while worker.is_alive():
                while not pieces.empty():
                    pieces.get_nowait()
                worker.join(0.01)

    def _work(
        self,
        source: "_Source",
        pieces: "Queue[bytes | BaseException | None]",
        left: threading.Event,
        place: str,
    ) -> None:
        import pyrage  # noqa: PLC0415 - only needed where something is decrypted

        def take(piece: bytes) -> None:
            if left.is_set():
                raise BrokenPipeError
            pieces.put(piece)

        try:
            pyrage.decrypt_io(source, _Sink(take), self._keys)
        except (pyrage.DecryptError, OSError) as error:
            pieces.put(source.error or _refusal(error, place))
        except BaseException as error:  # noqa: BLE001 - raised again where it is read
            pieces.put(error)
        else:
            pieces.put(None)


def _refusal(error: Exception, place: str) -> Exception:
    if "No matching keys" in str(error):
        return RefusedError(f"{place}: none of the identities can open it", hint="give the right --identity")
    return DamagedError(f"{place}: it does not decrypt: {error}", hint="use another copy")


class _Source:
    """`read` over chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.error: BaseException | None = None
        self._chunks = chunks
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """Some bytes; none at the end."""
        if not self._rest:
            try:
                self._rest = memoryview(next(self._chunks, b""))
            except BaseException as error:
                self.error = error
                raise
        found = bytes(self._rest[:size] if size >= 0 else self._rest)
        self._rest = self._rest[len(found) :]
        return found


class _Sink:
    """`write` over a function."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.error: BaseException | None = None
        self._write = write

    def write(self, data: bytes) -> int:
        """All of the data."""
        try:
            self._write(data)
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""


def _recipient(text: str) -> Any:
    import pyrage  # noqa: PLC0415 - only needed where something is encrypted

    kind = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
    try:
        return kind.from_str(text)
    except pyrage.RecipientError:
        shown = text if len(text) <= 80 else f"{text[:80]}..."  # noqa: PLR2004 - a line on a screen
        if text.upper().startswith("AGE-SECRET"):
            shown = "a secret key"
        raise UsageError(f"{shown!r} is no recipient", hint="age1..., as age-keygen prints, or an SSH key") from None


def _identities(file: Path) -> list[Any]:
    import pyrage  # noqa: PLC0415 - only needed where something is decrypted

    data = _read(file)
    try:
        if b"PRIVATE KEY" in data:
            return [pyrage.ssh.Identity.from_buffer(data)]
        lines = [line.strip() for line in data.decode("ascii").splitlines()]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (pyrage.IdentityError, UnicodeDecodeError, ValueError):
        found = []  # what it said is not repeated: it may hold a part of the key
    if not found:
        raise UsageError(f"{file} holds no identity", hint="a file of age-keygen, or an SSH key without passphrase")
    return found


def _read(file: Path) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"the identity {file} cannot be read: {error.strerror}") from None
    with storage(file, "read"), os.fdopen(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise RefusedError(f"the identity {file} can be read by others", hint=f"chmod 600 {file}")
        os.set_blocking(descriptor, True)  # of a pipe, such as <(command), wait for what comes
        return stream.read(_LIMIT_BYTES) or b""
