"""Units side by side, in processes of their own that end with this one, however it ends.

They are forked: all that they need is there at once. What other threads of this process hold does not matter to them:
they compute, read and write files, and say nothing.
"""

import ctypes
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from runbook.errors import StepFailedError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

T = TypeVar("T")
R = TypeVar("R")

_PR_SET_PDEATHSIG = 1
_Pipe: TypeAlias = "Connection[Any, Any]"


def in_turn(tasks: Sequence[T], run: Callable[[T], R], workers: int) -> Iterator[tuple[T, R]]:
    """Each task with its result, as they come. With one worker all is done in this process.

    Raises:
        Whatever `run` raises; then the other processes have ended.
    """
    if workers == 1 or len(tasks) <= 1:
        yield from ((task, run(task)) for task in tasks)
        return
    with _Pool(run, min(workers, len(tasks))) as pool:
        yield from pool.results(tasks)


class _Pool(Generic[T, R]):
    def __init__(self, run: Callable[[T], R], workers: int) -> None:
        context = get_context("fork")
        self._workers: list[tuple[ForkProcess, _Pipe]] = []
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(run, theirs, os.getpid()), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads; see above
                process.start()
            theirs.close()
            self._workers.append((process, ours))

    def __enter__(self) -> "_Pool[T, R]":
        return self

    def __exit__(self, *_: object) -> None:
        for process, connection in self._workers:
            with suppress(OSError):
                process.kill()
            connection.close()
        for process, _pipe in self._workers:
            process.join()
            process.close()

    def results(self, tasks: Sequence[T]) -> Iterator[tuple[T, R]]:
        waiting = iter(tasks)
        busy: dict[_Pipe, T] = {}
        for _, connection in self._workers:
            self._give(connection, waiting, busy)
        while busy:
            ready = wait(list(busy))
            for connection in [each for each in busy if each in ready]:
                task = busy.pop(connection)
                found = self._taken(connection)
                self._give(connection, waiting, busy)
                yield task, found

    @staticmethod
    def _give(connection: _Pipe, waiting: Iterator[T], busy: dict[_Pipe, T]) -> None:
        for task in waiting:
            busy[connection] = task
            connection.send(task)
            return

    @staticmethod
    def _taken(connection: _Pipe) -> R:
        try:
            found = connection.recv()
        except (EOFError, ConnectionError):
            raise StepFailedError(
                "a worker process was killed from outside",
                hint="was memory short (dmesg)? run the command again: it goes on where it was",
            ) from None
        if isinstance(found, BaseException):
            raise found
        result: R = found
        return result


def _work(run: Callable[[T], R], connection: _Pipe, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    with suppress(EOFError, OSError):
        while True:
            task = connection.recv()
            try:
                found: object = run(task)
            except Exception as error:  # noqa: BLE001 - the parent raises it
                found = error
            connection.send(found)
