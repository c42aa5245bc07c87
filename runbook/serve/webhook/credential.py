"""What Alertmanager shows to be let in: read from its file again whenever that changes, never kept anywhere else."""

import hmac
import os
import re
import stat
from pathlib import Path

from runbook.errors import RefusedError, UsageError

_LIMIT_BYTES = 4096
_TOKEN = re.compile(rb"[\x21-\x7e]{8,}")


class Credential:
    """The token file of the webhook: one token a line, so that the old one may stand beside the new one for a while."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] = ()
        self._tokens: tuple[bytes, ...] = ()

    def admits(self, shown: bytes | None) -> bool:
        """Is what the `Authorization` header holds one of the tokens? Takes as long for any wrong one.

        Raises:
            RefusedError: others may read the file.
            UsageError: it cannot be read, or holds no token.
        """
        self.refresh()
        given = (shown or b"").strip()
        same = [hmac.compare_digest(given, b"Bearer " + token) for token in self._tokens]
        return any(same)

    def refresh(self) -> None:
        """Read the file if it is another one than before.

        Raises:
            RefusedError, UsageError: as for `admits`.
        """
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hang
        except OSError as error:
            raise UsageError(f"webhook_token_file {self._path} cannot be read: {error.strerror}") from None
        try:
            found = os.fstat(descriptor)
            now = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode)
            if now != self._seen:
                self._tokens = _read(descriptor, self._path, found)
                self._seen = now
        finally:
            os.close(descriptor)


def _read(descriptor: int, path: Path, found: os.stat_result) -> tuple[bytes, ...]:
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"webhook_token_file {path} is no regular file")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RefusedError(f"webhook_token_file {path} can be read by others", hint=f"chmod 600 {path}")
    tokens = tuple(os.read(descriptor, _LIMIT_BYTES).split())
    if not tokens or not all(_TOKEN.fullmatch(each) for each in tokens):
        hint = f"openssl rand -hex 32 > {path}"
        raise UsageError(f"webhook_token_file {path} holds no token of at least 8 characters", hint=hint)
    return tokens
