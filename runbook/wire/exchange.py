"""One HTTP exchange with a peer that may be dead, slow, drowning or lying: bounded in time and in bytes."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runbook.errors import UnreachableError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_CHUNK_BYTES = 1 << 16
_SHOWN_CHARACTERS = 200


class NoReplyError(UnreachableError):
    """A peer did not answer, or not with what was asked for; the message is the reason, without the peer's name.

    `again` says whether asking again may help, `after` how many seconds the peer asks to be left alone.
    """

    def __init__(self, reason: str, *, again: bool = False, after: float | None = None, status: int = 0) -> None:
        super().__init__(reason)
        self.again = again
        self.after = after
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            NoReplyError: it is something else.
        """
        import orjson  # noqa: PLC0415  # only those who talk to a peer pay for it

        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise NoReplyError(f"answered with {self.kind()} instead of JSON") from None

    def kind(self) -> str:
        """What the body looks like, for people."""
        if not self.body.strip():
            return "nothing"
        if self.body.lstrip()[:1] == b"<":
            return "HTML"
        return "something"

    def checked(self) -> "Reply":
        """This reply, where it says 200.

        Raises:
            NoReplyError: another status; the reason carries what the peer said about it.
        """
        if self.status == http.client.OK:
            return self
        again = self.status in {408, 429} or (self.status >= http.client.INTERNAL_SERVER_ERROR and self.status != 501)  # noqa: PLR2004  # HTTP's own numbers
        raise NoReplyError(self._problem(), again=again, after=self._retry_after(), status=self.status)

    def _problem(self) -> str:
        if self.status in range(300, 400):
            return (
                f"HTTP {self.status}: redirects to {printable(self.headers.get('location', 'nowhere'))}; not followed"
            )
        return f"HTTP {self.status}: {printable(self.said() or http.client.responses.get(self.status, 'unknown'))}"

    def said(self) -> str:
        """The message of the operations contract's error document, or nothing."""
        try:
            return str(self.json()["error"]["message"])
        except (NoReplyError, KeyError, TypeError, IndexError):
            return ""

    def _retry_after(self) -> float | None:
        """Seconds, where the peer gave seconds; a date would need clocks that agree."""
        value = self.headers.get("retry-after", "").strip()
        return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else None  # noqa: PLR2004  # 300 years


def printable(text: str) -> str:
    """A peer's words, shortened and without anything that could drive a terminal."""
    clean = "".join(character if character.isprintable() else " " for character in text)
    return clean if len(clean) <= _SHOWN_CHARACTERS else clean[: _SHOWN_CHARACTERS - 1] + "…"


@dataclass(slots=True)
class Wire:
    """A pool of connections. Times in seconds; `total` bounds the whole exchange, however slowly a peer drips.

    Redirects are never followed (a token would go along), proxies of the environment are not used, and an
    answer larger than `limit_bytes` is no answer.
    """

    connect: float = 3.0
    read: float = 5.0
    total: float = 10.0
    limit_bytes: int = 16 << 20
    _pool: "PoolManager | None" = field(default=None, init=False, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Send one request and read the whole answer. Safe to call from many threads.

        Raises:
            NoReplyError: refused, timed out, cut, too large, or not HTTP.
        """
        from urllib3 import Timeout  # noqa: PLC0415  # 76 ms that only those who talk to a peer pay for
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        from runbook.wire.cutting import Cutter  # noqa: PLC0415

        begin = time.monotonic()
        with Cutter(self.total) as cutter:
            try:
                response = self._connections().request(
                    method,
                    url,
                    headers=headers,
                    body=body,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    timeout=Timeout(connect=self.connect, read=self.read),
                )
                reply = self._whole(response, begin)
            except (HTTPError, http.client.HTTPException, OSError) as error:
                late = cutter.fired or time.monotonic() - begin > self.total
                raise self._too_slow() if late else named(error) from None
        if cutter.fired:  # a cut within the headers reads like their end
            raise self._too_slow()
        return reply

    def _whole(self, response: "BaseHTTPResponse", begin: float) -> Reply:
        """Read the body in pieces, so that neither a flood nor a drip outlasts the limits."""
        body = bytearray()
        try:
            while piece := response.read1(_CHUNK_BYTES, decode_content=True):
                body += piece
                self._check_bounds(len(body), begin)
        except BaseException:
            response.close()  # what is left of the answer must not be taken for the next one
            raise
        response.release_conn()
        return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, bytes(body))

    def _check_bounds(self, size: int, begin: float) -> None:
        if size > self.limit_bytes:
            raise NoReplyError(f"answered with more than {self.limit_bytes >> 20} MiB")
        if time.monotonic() - begin > self.total:
            raise self._too_slow()

    def _too_slow(self) -> NoReplyError:
        return NoReplyError(f"timed out: no complete answer within {self.total:g} s")

    def _connections(self) -> "PoolManager":
        with self._guard:
            if self._pool is None:
                from runbook.wire.cutting import cuttable_pool  # noqa: PLC0415  # needs urllib3

                self._pool = cuttable_pool()
            return self._pool


def named(error: Exception) -> NoReplyError:
    """The reason for people, and whether asking again may help: a timeout has cost enough already."""
    from urllib3 import exceptions as kinds  # noqa: PLC0415  # loaded by now

    match error:
        case kinds.NewConnectionError():  # a subclass of the next
            return NoReplyError(_why_no_connection(error), again=True)
        case kinds.ConnectTimeoutError():
            return NoReplyError("timed out: no connection")
        case kinds.ReadTimeoutError() | TimeoutError():
            return NoReplyError("timed out: connected, but no answer")
        case kinds.SSLError() | ssl.SSLError():
            return NoReplyError(f"TLS failed: {printable(str(error))}")
        case kinds.DecodeError() | kinds.LocationParseError() | kinds.InvalidHeader():
            return NoReplyError(f"not HTTP as it should be: {printable(str(error))}")
        case _:
            return NoReplyError("the connection broke before the answer was complete", again=True)


def _why_no_connection(error: Exception) -> str:
    match error.__cause__:
        case ConnectionRefusedError():
            return "connection refused"
        case socket.gaierror():
            return "the name of its host cannot be resolved"
        case OSError(strerror=str(words)):
            return words.lower()
        case _:
            return "no connection"
