"""Peers over real sockets that answer exactly as a test says: right, wrong, late or not at all."""

import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

_TLS_HANDSHAKE = 0x16

Answer = bytes | Callable[[socket.socket], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What a peer was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def http(body: object = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer; what is neither bytes nor text is sent as JSON."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def hang(line: socket.socket) -> None:
    """Keep the line open and say nothing, until the other side has had enough."""
    while line.recv(1024):
        pass


def reset(line: socket.socket) -> None:
    """End the connection the hard way."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def dripping(start: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """Send the start and then a drop at a time, for as long as anyone listens."""

    def drip(line: socket.socket) -> None:
        line.sendall(start)
        line.settimeout(0.05)
        with suppress(OSError):
            while True:
                line.sendall(drop)
                try:
                    if not line.recv(1):
                        return
                except TimeoutError:
                    continue

    return drip


def endless(line: socket.socket) -> None:
    """Send a body that never ends."""
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    with suppress(OSError):
        while True:
            line.sendall(b"x" * 65536)


@dataclass
class Peer:
    """One listener on loopback. `answer` decides; it may be replaced at any time. With `tls` it speaks that."""

    answer: Callable[[Request], Answer]
    requests: list[Request] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests of that kind, in their order."""
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            if self.tls is not None:
                line = self.tls.wrap_socket(line, server_side=True)
            request = self._read(line)
            if request is None:
                return
            self.requests.append(request)
            answer = self.answer(request)
            if isinstance(answer, bytes):
                line.sendall(answer)
            else:
                answer(line)

    @staticmethod
    def _read(line: socket.socket) -> Request | None:
        raw = b""
        while b"\r\n\r\n" not in raw:
            piece = line.recv(65536)
            if not piece:
                return None
            raw += piece
            if raw[0] == _TLS_HANDSHAKE:
                return Request("TLS", "", {}, raw)
        head, body = raw.split(b"\r\n\r\n", 1)
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (each.split(":", 1) for each in rest)}
        while len(body) < int(headers.get("content-length", 0)):
            body += line.recv(65536)
        method, path, _ = first.split(" ")
        return Request(method, path, headers, body)


def closed_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
