"""One connection to one node: requests one after the other, each within a number of seconds, however it drips."""

import http.client
import io
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import SplitResult

if TYPE_CHECKING:
    import ssl

LIMIT_BYTES = 1 << 20
_AGENT = "engram-runbook"


class NoAnswerError(Exception):
    """The message is the reason, for people. `sent` tells whether the request may have been understood."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class Line:
    """A connection, made when it is needed and kept between requests.

    No proxy and no redirect: the token goes to this node only.
    """

    def __init__(self, url: SplitResult, connect_seconds: float) -> None:
        self._url = url
        self._connect_seconds = connect_seconds
        self._socket: socket.socket | None = None

    def ask(self, method: str, path: str, token: str, body: bytes | None, seconds: float) -> tuple[int, bytes]:
        """Status and body of the answer.

        Raises:
            NoAnswerError: it did not come whole within the seconds and within 1 MiB, or is not HTTP.
        """
        connected = self._connected()
        until = time.monotonic() + seconds
        try:
            connected.settimeout(seconds)
            connected.sendall(self._head(method, path, token, body) + (body or b""))
            answer = http.client.HTTPResponse(cast("socket.socket", _Bounded(connected, until)), method=method)
            answer.begin()
            content = answer.read()
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswerError(f"{method}: {_why(error, seconds)}", sent=True) from None
        if answer.will_close:
            self.close()
        return answer.status, content

    def _connected(self) -> socket.socket:
        if self._socket is None:
            host, https = self._url.hostname or "", self._url.scheme == "https"
            try:
                plain = socket.create_connection(
                    (host, self._url.port or (443 if https else 80)), self._connect_seconds
                )
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket = _secure().wrap_socket(plain, server_hostname=host) if https else plain
            except (OSError, ValueError) as error:
                raise NoAnswerError(f"no connection: {_why(error, self._connect_seconds)}", sent=False) from None
        return self._socket

    def _head(self, method: str, path: str, token: str, body: bytes | None) -> bytes:
        host = self._url.netloc.rpartition("@")[2]
        lines = [f"{method} {self._url.path.rstrip('/')}{path} HTTP/1.1", f"Host: {host}", f"User-Agent: {_AGENT}"]
        lines += ["Accept: application/json", *([f"Authorization: Bearer {token}"] if token else [])]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

    def close(self) -> None:
        """End the connection; the next request makes another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Bounded(io.RawIOBase):
    """What comes out of a socket, until a moment of the steady clock and a number of bytes."""

    def __init__(self, source: socket.socket, until: float) -> None:
        self._source, self._until, self._left = source, until, LIMIT_BYTES

    def makefile(self, *_: Any) -> io.BufferedReader:
        """As `http.client` asks a socket for it."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        self._source.settimeout(seconds)
        count = self._source.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise ValueError(f"answered with more than {LIMIT_BYTES >> 20} MiB")
        return count


_guard = threading.Lock()
_contexts: "list[ssl.SSLContext]" = []


def _secure() -> "ssl.SSLContext":
    """One for all: reading the authorities takes 20 ms."""
    import ssl  # noqa: PLC0415  # only for nodes behind https

    with _guard:
        if not _contexts:
            _contexts.append(ssl.create_default_context())
        return _contexts[0]


def _why(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds:g} s"
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead):
        return "the connection broke before the answer was complete"
    if isinstance(error, http.client.HTTPException):
        return f"the answer is no HTTP ({type(error).__name__})"
    if isinstance(error, OSError):
        return (error.strerror or str(error) or type(error).__name__).lower()
    return str(error)
