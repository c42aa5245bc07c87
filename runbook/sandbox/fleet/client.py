"""Talking to one node over HTTP, with nothing but the standard library."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runbook.errors import StorageError, UnreachableError

_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class Reply:
    """What a node answered; `document` is its JSON, or None where it sent something else."""

    status: int
    text: str
    document: Any = None

    @property
    def is_good(self) -> bool:
        """Did the node do it?"""
        return self.status < _FIRST_ERROR


@dataclass(slots=True)
class NodeClient:
    """One kept connection to a node on loopback; for one thread at a time.

    Args:
        port: where it listens.
        token_file: the admin token, read at the moment of use; None for the data plane alone.
        timeout: seconds for each step of a request.
    """

    port: int
    token_file: Path | None = None
    timeout: float = 10.0
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(self, method: str, path: str, body: Any = None, space: str = "") -> Reply:
        """Send one request and read the whole answer, whatever its status.

        Raises:
            UnreachableError: no answer, or none that is HTTP.
        """
        kept = self._connection is not None
        try:
            return self._ask(method, path, body, space)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if kept and isinstance(error, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError):
                return self.ask(method, path, body, space)  # the node had closed the idle connection
            reason = str(error) or type(error).__name__
            raise UnreachableError(f"the node on port {self.port} does not answer: {reason}") from error

    def demand(self, method: str, path: str, body: Any = None, space: str = "") -> Reply:
        """As `ask`, for requests that have to succeed.

        Raises:
            StorageError: the node's disk refused.
            UnreachableError: no answer, or one that is another error.
        """
        reply = self.ask(method, path, body, space)
        if reply.status == HTTPStatus.INSUFFICIENT_STORAGE:
            raise StorageError(f"the node on port {self.port} has no room: {reply.text[:200]}", hint="make room")
        if not reply.is_good:
            raise UnreachableError(
                f"the node on port {self.port} answered {reply.status} to {path}: {reply.text[:200]}"
            )
        return reply

    def _ask(self, method: str, path: str, body: Any, space: str) -> Reply:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        content = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, content, self._headers(space, content is not None))
        answer = self._connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        return Reply(answer.status, text, _json(text))

    def _headers(self, space: str, has_body: bool) -> Mapping[str, str]:  # noqa: FBT001 - private, one caller
        headers = {"Content-Type": "application/json"} if has_body else {}
        if space:
            headers["X-Memory-Space"] = space
        if self.token_file is not None:
            headers["Authorization"] = f"Bearer {self.token_file.read_text(encoding='ascii').strip()}"
        return headers


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
