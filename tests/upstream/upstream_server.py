"""Upstream Engram 0.1 over real HTTP, as read from its source (its router and handlers in engram-cli/src/api.rs).

A stand-in for tests, with upstream's faults. Each handler names what of upstream it follows. What upstream does not
have is not here: no flags, no configuration, no leases, no heap, no export, no deletion.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from upstream_memory import RefusedSpaceError, Registry, Space
from upstream_metrics import UpstreamMetrics
from upstream_other_routes import OTHER_ROUTES
from upstream_routes import ROUTES
from upstream_talk import Answer, Asked, RefusedError

ALWAYS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-XSS-Protection": "1; mode=block"}
LARGEST_BODY = 2 << 20
EVERY_ROUTE = (*OTHER_ROUTES, *ROUTES)  # those with a name before those with an id in its place


@dataclass
class Upstream:
    """One server. `asked` is every request as method and path; `scraped` the moments of the metrics requests.

    Args:
        folder: where its PID file is, holding `pid:port`.
        api_key: with one, every route wants it, health and metrics too.
        healthy: False answers 503 where upstream does.
        metrics: what is told at each scrape.
        events_broken: what is stored is answered with 500 all the same.
    """

    folder: Path
    api_key: str = ""
    healthy: bool = True
    metrics: UpstreamMetrics = field(default_factory=UpstreamMetrics)
    asked: list[tuple[str, str]] = field(default_factory=list)
    scraped: list[float] = field(default_factory=list)
    url: str = ""
    died: bool = False
    stopping: bool = False
    events_broken: bool = False

    def __post_init__(self) -> None:
        self.registry = Registry(str(self.folder / "engram-data"))

    @property
    def pid_file(self) -> Path:
        """As upstream names it."""
        return self.folder / "engram-checkout.pid"

    @property
    def unasked_spaces(self) -> list[str]:
        """Spaces that a request made by naming them: each costs the operator 3.1 GB of sparse file."""
        return self.registry.made_by_asking

    @property
    def paths(self) -> set[str]:
        """The paths that were asked for, without their queries."""
        return {urlsplit(path).path for _, path in self.asked}

    @contextmanager
    def running(self) -> Iterator["Upstream"]:
        """Serve on a free port of loopback while the context lasts."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pid_file.write_text(f"{os.getpid()}:{server.server_port}\n", encoding="ascii")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)

    def answer(self, asked: Asked) -> Answer:
        """What the router makes of one request."""
        if self.api_key and asked.headers.get("authorization") != f"Bearer {self.api_key}":
            return RefusedError(401, "UNAUTHORIZED", "Missing or invalid API key").answer  # around all routes
        for method, pattern, handler in EVERY_ROUTE:
            found = re.fullmatch(pattern, asked.path)
            if found and method == asked.method:
                return self._handled(handler, asked, found.groups())
        known = any(re.fullmatch(pattern, asked.path) for _, pattern, _ in EVERY_ROUTE)
        return Answer(405 if known else 404, b"")  # empty, both

    def space_of(self, asked: Asked) -> Space:
        """Header, then query, then body, then the default; whoever names an unknown space makes it."""
        body = asked.body if isinstance(asked.body, dict) else {}
        name = asked.headers.get("x-memory-space") or asked.query.get("space") or body.get("memory_space_id")
        return self.registry.named(str(name or "default"))

    def _handled(self, handler: Callable[..., Answer], asked: Asked, groups: tuple[str, ...]) -> Answer:
        try:
            return handler(self, asked, *(unquote(group) for group in groups))
        except RefusedError as error:
            return error.answer
        except RefusedSpaceError as error:
            return RefusedError(400, "INVALID_MEMORY_INPUT", f"Invalid memory space id: {error}").answer


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else every answer waits 40 ms for its own head

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            upstream.asked.append((self.command, self.path))
            if parts.path.startswith("/metrics"):
                upstream.scraped.append(time.monotonic())
            headers = {name.lower(): value for name, value in self.headers.items()}
            length = int(headers.get("content-length", 0))
            if length > LARGEST_BODY:
                self._send(Answer.text(413, "Failed to buffer the request body: length limit exceeded"))
                self.close_connection = True
                return
            raw = self.rfile.read(length)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._send(upstream.answer(Asked(self.command, parts.path, query, headers, raw)))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names are the library's

        def _send(self, answer: Answer) -> None:
            if upstream.died:
                self.close_connection = True  # nothing is said any more
                return
            self.send_response(answer.status)
            for name, value in {**ALWAYS, "Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler
