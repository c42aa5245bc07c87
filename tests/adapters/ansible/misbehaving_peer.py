"""Peers that misbehave on purpose, as no real node would."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[["Peer", bytes], bytes | Iterator[bytes]]


def answer(status: int, body: object, *, kind: str = "application/json", extra: str = "") -> bytes:
    """The bytes of an HTTP answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n{extra}\r\n"
    return head.encode() + content


@dataclass
class Peer:
    """A listener that answers each request with the bytes of its script, at once or piece by piece."""

    script: Script
    requests: list[bytes] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        while not self.done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                request = self._read(connection)
                self.requests.append(request)
                reply = self.script(self, request)
                for piece in (reply,) if isinstance(reply, bytes) else reply:
                    connection.sendall(piece)

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


def silence(peer: "Peer") -> Iterator[bytes]:
    """Says nothing, and keeps the connection."""
    peer.done.wait()
    yield b""


def dripping(peer: "Peer", start: bytes) -> Iterator[bytes]:
    """Says one byte at a time, for ever."""
    yield start
    while not peer.done.wait(0.02):
        yield b" "


@contextmanager
def listening(script: Script) -> Iterator[Peer]:
    """A peer with that script, for as long as the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = Peer(script, port=listener.getsockname()[1])
        thread = threading.Thread(target=peer.serve, args=(listener,))
        thread.start()
        try:
            yield peer
        finally:
            peer.done.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()
