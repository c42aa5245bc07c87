"""A deadline for a whole exchange: timeouts of sockets start anew with every byte that drips in, this one does not."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any, Self

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

_POOLED_PEERS = 256
_line = threading.local()


class Cutter:
    """Ends the exchange that the current thread is in the middle of, when it lasts longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self._connection: HTTPConnection | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _line.cutter = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _line.cutter = None

    def watch(self, connection: HTTPConnection) -> None:
        """This connection carries the exchange."""
        self._connection = connection

    def _cut(self) -> None:
        self.fired = True
        line = None if self._connection is None else self._connection.sock
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)  # wakes the reader, who then reads the end


class _Cuttable(HTTPConnection):
    def request(self, *arguments: Any, **named: Any) -> None:
        cutter: Cutter | None = getattr(_line, "cutter", None)
        if cutter is not None:
            cutter.watch(self)
        super().request(*arguments, **named)


class _CuttableTls(_Cuttable, HTTPSConnection):
    pass


class _Plain(HTTPConnectionPool):
    ConnectionCls = _Cuttable


class _Tls(HTTPSConnectionPool):
    ConnectionCls = _CuttableTls


def cuttable_pool() -> PoolManager:
    """A pool of connections whose exchanges a `Cutter` can end."""
    pool = PoolManager(num_pools=_POOLED_PEERS, maxsize=4)
    pool.pool_classes_by_scheme = {"http": _Plain, "https": _Tls}
    return pool
