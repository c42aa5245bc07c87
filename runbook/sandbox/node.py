"""`python -m runbook.sandbox.node --folder F --port P`: serve one node, or many from one process.

A port of 0 means any free one; the real one stands in `<folder>/port` once the node listens. Loopback only.
"""

import argparse
import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from runbook.errors import RunbookError, UnreachableError
from runbook.sandbox import one_core  # noqa: F401 - before numpy is imported
from runbook.sandbox.engine import Engine, Options
from runbook.sandbox.faults import Faults
from runbook.sandbox.settings_file import read_settings
from runbook.sandbox.web.app import application

_SWITCH_SECONDS = 0.0005
_TICKS_PER_LOOK = 10  # the server ticks ten times a second
_MALLOPT_MMAP_THRESHOLD, _MALLOPT_ARENA_MAX = -3, -8


@dataclass(frozen=True, slots=True)
class Place:
    """Where one node lives."""

    folder: Path
    port: int


class _Server(uvicorn.Server):
    """A server whose signals are handled for all nodes of the process together."""

    def __init__(self, config: uvicorn.Config, engine: Engine) -> None:
        super().__init__(config)
        self._engine = engine

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """End when the folder was removed: whoever started this node is gone, and nobody else would end it.

        Also when the node is to start again under a supervisor.
        """
        if self._engine.restarts:
            return True
        if counter % _TICKS_PER_LOOK == 0 and not self._engine.folder.stands():
            logging.getLogger(__name__).warning("the folder %s was removed: the node ends", self._engine.folder.path)
            return True
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say where."""
        await super().startup(sockets)
        if sockets:
            self._engine.folder.announce(sockets[0].getsockname()[1])


def serve(places: Sequence[Place], options: Options) -> int | None:
    """Serve the nodes until SIGTERM or SIGINT; the port of one that is to start again under a supervisor.

    Raises:
        LockedError: another process serves one of the folders.
        UnreachableError: a port is taken.
        StorageError: a folder cannot be used.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)  # a recall must not wait 5 ms for consolidation's bytecode
    _steady_memory()
    with contextlib.ExitStack() as stack:
        bound = []
        for place in places:
            listener = stack.enter_context(_listener(place.port))
            bound.append((Engine(place.folder, options), listener))
        ports = [listener.getsockname()[1] for _, listener in bound]
        asyncio.run(_serve_all(bound))
        return next((port for (engine, _), port in zip(bound, ports, strict=True) if engine.restarts), None)


async def _serve_all(bound: Sequence[tuple[Engine, socket.socket]]) -> None:
    servers: list[_Server] = []

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    async with contextlib.AsyncExitStack() as stack:
        tasks = []
        for engine, listener in bound:
            await stack.enter_async_context(engine.running())
            faults = Faults(engine)
            stack.push_async_callback(faults.end)
            await faults.resume()
            config = uvicorn.Config(
                application(engine, faults),
                http="h11",
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=2,
            )
            servers.append(_Server(config, engine))
            tasks.append(servers[-1].serve(sockets=[listener]))
        await asyncio.gather(*tasks)


def _listener(port: int) -> socket.socket:
    listener = socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # named, or asyncio sets no TCP_NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise UnreachableError(
            f"cannot listen on 127.0.0.1:{port}: {error.strerror}", hint="choose another port, or 0 for any"
        ) from error
    return listener


def _steady_memory() -> None:
    """Give freed memory back, so that resident memory tells what is held and not what once was."""
    with contextlib.suppress(OSError, AttributeError):  # not glibc: then the system's own ways apply
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_MALLOPT_MMAP_THRESHOLD, 256 * 1024)
        libc.mallopt(_MALLOPT_ARENA_MAX, 1)


def _arguments(words: Sequence[str] | None) -> tuple[list[Place], Options]:
    parser = argparse.ArgumentParser(prog="python -m runbook.sandbox.node", description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", action="append", type=Path, required=True, help="repeat for each node")
    parser.add_argument("--port", action="append", type=int, required=True, help="one for each folder; 0 is any")
    parser.add_argument("--consolidation-seconds", type=float, default=1.0)
    parser.add_argument("--cell-seconds", type=int, default=3600)
    parser.add_argument("--settings", type=Path, metavar="FILE", help="TOML; wins over the settings that are stored")
    parser.add_argument(
        "--no-admin-settings", action="store_true", help="settings cannot be changed or asked for over HTTP"
    )
    given = parser.parse_args(words)
    if len(given.folder) != len(given.port):
        parser.error("as many ports as folders")
    if not 0.01 <= given.consolidation_seconds <= 3600 or not 1 <= given.cell_seconds <= 86400:  # noqa: PLR2004 - bounds
        parser.error("seconds out of range")
    places = [Place(folder, port) for folder, port in zip(given.folder, given.port, strict=True)]
    settings = read_settings(given.settings) if given.settings else {}
    return places, Options(
        consolidation_seconds=given.consolidation_seconds,
        cell_seconds=given.cell_seconds,
        settings=settings,
        runtime_settings=not given.no_admin_settings,
        alone=len(places) == 1,
    )


def _start_again(words: Sequence[str], port: int) -> None:
    """Become the supervisor of this very node, in this very process; it keeps its id, and the node its port."""
    given = list(words)
    for at, word in enumerate(given):
        if word == "--port":
            given[at + 1] = str(port)
        elif word.startswith("--port="):
            given[at] = f"--port={port}"
    os.execv(sys.executable, [sys.executable, "-P", "-m", "runbook.sandbox.supervisor", *given])  # noqa: S606


def main(words: Sequence[str] | None = None) -> int:
    """Serve; the exit code."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    os.umask(0o077)  # memories and token are the owner's alone
    try:
        port = serve(*_arguments(words))
    except RunbookError as error:
        hint = f" ({error.hint})" if error.hint else ""
        sys.stderr.write(f"error: {error}{hint}\n")
        return error.code
    if port is not None:
        _start_again(sys.argv[1:] if words is None else words, port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
