"""One request and its answer, with a limit on the whole of it."""

import http.client
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult

from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError

CONNECT_SECONDS = 3.0
WHOLE_SECONDS = 10.0
LARGEST_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `retry_after` is in seconds; None where the node did not say it as a number."""

    status: int
    content_type: str
    retry_after: float | None
    body: bytes


def exchange(url: SplitResult, method: str, path: str, token: str, body: bytes | None) -> Answer:
    """Ask once, on a connection of its own. No proxy, no redirect: the token goes to this node only.

    Raises:
        UnreachableNodeError: refused, reset, or not done within the limits.
    """
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=CONNECT_SECONDS)
    where = f"{url.hostname}:{connection.port}"
    try:
        connection.connect()
    except OSError as problem:
        raise UnreachableNodeError(f"no connection to {where}: {_why(problem, CONNECT_SECONDS)}") from None
    except UnicodeError:  # a label of the name is empty, or longer than names may be
        raise WayError(f"{url.hostname!r} is no name of a host", "usage") from None
    late = threading.Event()
    watchdog = threading.Timer(WHOLE_SECONDS, _cut, (connection.sock, late))
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.sock.settimeout(WHOLE_SECONDS)
        answer = _talk(connection, method, url.path.rstrip("/") + path, token, body)
    except (OSError, http.client.HTTPException) as problem:
        if not late.is_set():
            raise _told(problem, method, where) from None
    finally:
        watchdog.cancel()
        connection.close()
    if late.is_set():  # what was read until then looks like an answer
        raise UnreachableNodeError(f"{where} did not answer {method} within {WHOLE_SECONDS:g} s")
    return answer


def _told(problem: Exception, method: str, where: str) -> WayError:
    if isinstance(problem, TimeoutError):
        return UnreachableNodeError(f"{where} did not answer {method} within {WHOLE_SECONDS:g} s")
    if isinstance(problem, http.client.HTTPException) and not isinstance(problem, http.client.RemoteDisconnected):
        return WayError(f"{where} does not speak HTTP as expected ({type(problem).__name__})")
    return UnreachableNodeError(f"{where} ended the connection in the middle: {_why(problem, WHOLE_SECONDS)}")


def _talk(connection: http.client.HTTPConnection, method: str, path: str, token: str, body: bytes | None) -> Answer:
    headers = {"Accept": "application/json", "Connection": "close"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, path, body=body, headers=headers)
    response = connection.getresponse()
    content = response.read(LARGEST_ANSWER)
    if response.length and len(content) < LARGEST_ANSWER:
        raise ConnectionResetError(f"{response.length} bytes of the answer are missing")
    return Answer(
        status=response.status,
        content_type=response.headers.get_content_type(),
        retry_after=_seconds(response.headers.get("Retry-After")),
        body=content,
    )


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.strip().isdecimal() else None


def _cut(sock: socket.socket, late: threading.Event) -> None:
    """End a conversation that drips on for ever: a timeout of the socket is per read, not for the whole."""
    late.set()
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _why(problem: Exception, seconds: float) -> str:
    if isinstance(problem, TimeoutError):
        return f"no answer within {seconds:g} s"
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem) or type(problem).__name__
