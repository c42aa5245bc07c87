"""One HTTP exchange whose request or answer may be of any size: bounded in silence, not in length.

A connection of its own, closed at the end: what a broken stream leaves behind is never taken for another answer.
Redirects are never followed, and proxies of the environment are not used.
"""

import errno
import http.client
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from runbook.wire.exchange import NoReplyError, Reply, named

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse
    from urllib3.connection import HTTPConnection

Result = TypeVar("Result")

_CHUNK_BYTES = 1 << 20
_LIMIT_BYTES = 1 << 20
_ANSWERED_EARLY = frozenset({errno.EPIPE, errno.ECONNRESET})


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose head is there; its body comes as it is asked for, once."""

    status: int
    headers: Mapping[str, str]
    _response: "BaseHTTPResponse"

    def chunks(self) -> Iterator[bytes]:
        """The body, at most 1 MiB at a time.

        Raises:
            NoReplyError: the stream broke, or nothing came for too long.
        """
        while chunk := _told(lambda: self._response.read(_CHUNK_BYTES, decode_content=False)):
            yield chunk

    def reply(self) -> Reply:
        """The whole of a small answer.

        Raises:
            NoReplyError: it broke, or is larger than 1 MiB.
        """
        body = bytearray()
        for chunk in self.chunks():
            body += chunk
            if len(body) > _LIMIT_BYTES:
                raise NoReplyError(f"answered with more than {_LIMIT_BYTES >> 20} MiB")
        return Reply(self.status, self.headers, bytes(body))


@dataclass(frozen=True, slots=True)
class StreamingWire:
    """Opens streams. `connect` and `idle` are seconds: to be connected, and without a byte in either direction.

    After the last byte of an upload the peer may take `idle` too, until it answers.
    """

    connect: float = 3.0
    idle: float = 60.0

    @contextmanager
    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: Iterable[bytes] | None = None
    ) -> Iterator[Streamed]:
        """Send the request, its body in chunks as they come, and wait for the head of the answer.

        What `body` raises ends the exchange, and is raised as it is. The connection ends with the block.

        Raises:
            NoReplyError: refused, timed out, cut, or not HTTP.
        """
        with ExitStack() as held:
            connection = _connection(url, self.connect)
            held.callback(connection.close)
            _told(connection.connect)
            connection.sock.settimeout(self.idle)  # that of the connection is too short for a peer that writes to disk
            self._send(connection, method, url, headers or {}, body)
            response = self._head(connection)
            held.callback(response.close)
            yield Streamed(response.status, {name.lower(): value for name, value in response.headers.items()}, response)

    def _head(self, connection: "HTTPConnection") -> "BaseHTTPResponse":
        """The head of the answer, within `idle`, however slowly it drips."""
        from runbook.wire.cutting import Cutter  # noqa: PLC0415  # needs urllib3

        with Cutter(self.idle) as cutter:
            cutter.watch(connection)
            try:
                response = _told(connection.getresponse)
            except NoReplyError:
                if not cutter.fired:
                    raise
        if cutter.fired:  # a cut within the headers reads like their end
            raise NoReplyError(f"timed out: no answer within {self.idle:g} s")
        return response

    @staticmethod
    def _send(
        connection: "HTTPConnection",
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Iterable[bytes] | None,
    ) -> None:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        source = None if body is None else _Source(body)
        try:
            connection.request(method, path, source, dict(headers), chunked=body is not None, preload_content=False)
        except OSError as error:
            if source is not None and source.failure is not None:
                raise source.failure from None
            if error.errno not in _ANSWERED_EARLY:
                raise named(error) from None
        except _errors() as error:
            raise named(error) from None


class _Source:
    """The body; it remembers the error with which its source ended, which is no error of the connection."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.failure: OSError | None = None
        self._chunks = iter(chunks)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except OSError as error:
            self.failure = error
            raise


def _connection(url: str, connect: float) -> "HTTPConnection":
    from urllib3.connection import HTTPConnection, HTTPSConnection  # noqa: PLC0415  # 76 ms that only talkers pay for

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=connect)


def _told(ask: Callable[[], Result]) -> Result:
    """What `ask` gives; whatever goes wrong with the line is told in words for people."""
    try:
        return ask()
    except _errors() as error:
        raise named(error) from None


def _errors() -> tuple[type[Exception], ...]:
    from urllib3.exceptions import HTTPError  # noqa: PLC0415  # loaded by now

    return (HTTPError, http.client.HTTPException, OSError)
