"""One process that listens: uvicorn, with no more patience than a browser or Alertmanager needs."""

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from runbook.errors import ExitCode, UnreachableError, UsageError

MOST_CONNECTIONS = 128
"""With so many open, who asks is told to come again; twice as many are not held open at all."""
HEAD_SECONDS = 10.0
SIGNALS = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}
_BACKLOG = 128

Beside = Callable[[asyncio.Event], Coroutine[None, None, None]]
"""Something that runs beside the server until the event is set."""

Made = Callable[[], tuple[ASGIApp, Sequence[Beside]]]
"""Makes the application, and what runs beside it."""


class PatientProtocol(H11Protocol):
    """Hangs up on who connects and does not ask, or asks and does not read: either would be held for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        """A request has to be there in time."""
        super().connection_made(transport)
        self._was_closing = False
        self._look = self.loop.call_later(HEAD_SECONDS, self._asked)
        if len(self.connections) > 2 * MOST_CONNECTIONS:  # each costs a descriptor, which the journal needs, too
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It holds nothing any more, a timer neither."""
        self._look.cancel()
        super().connection_lost(exc)

    def _asked(self) -> None:
        closing = self.transport.is_closing()
        idle = self.cycle is None or self.cycle.response_complete
        unasked = idle and self.timeout_keep_alive_task is None  # between two requests uvicorn's own time-out counts
        if self._was_closing or (unasked and not closing):  # a close waits for ever for who does not read the rest
            self.transport.abort()
            return
        self._was_closing = closing
        self._look = self.loop.call_later(HEAD_SECONDS, self._asked)


class Server(uvicorn.Server):
    """A server whose signals are the caller's, and who says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As ever; then it answers."""
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def serve(make: Made, listening: socket.socket, ready: Callable[[], None]) -> ExitCode:
    """Serve the application that `make` makes until a signal comes; which signal that was, as an exit code.

    `make` is called within the loop. What it makes to run beside is given an event, and ends soon after it was set.
    `ready` is called once requests are answered.
    """
    return asyncio.run(_served(make, listening, ready))


async def _served(make: Made, listening: socket.socket, ready: Callable[[], None]) -> ExitCode:
    app, beside = make()
    server, ending, codes = Server(_config(app), ready), asyncio.Event(), [ExitCode.TERMINATED]

    def stop(code: ExitCode) -> None:
        codes.append(code)
        server.force_exit = server.should_exit  # whoever asks twice waits for no connection
        server.should_exit = True
        ending.set()

    loop = asyncio.get_running_loop()
    for number, code in SIGNALS.items():
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            loop.add_signal_handler(number, stop, code)
    async with asyncio.TaskGroup() as group:
        for each in beside:
            group.create_task(each(ending))
        await server.serve(sockets=[listening])
        ending.set()
    return codes[-1]


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        log_level="critical",  # not a line for each request that is no HTTP, or whose answer nobody reads
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=3,
    )


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any free one.

    Raises:
        UnreachableError: the port is taken, or the address is none of this machine.
        UsageError: it is no address at all.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{host!r} is no address to listen on: {error}", hint="such as 127.0.0.1") from None
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        hint = "choose another port: --port, or 0 for any free one"
        if error.errno == errno.EADDRNOTAVAIL:
            hint = "--host (or [serve] host) is an address of this machine: see `ip address`"
        raise UnreachableError(f"cannot listen on {host} port {port}: {error.strerror}", hint=hint) from None
    return listening
