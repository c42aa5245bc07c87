"""Locks among the users of one object."""

from collections.abc import Iterator
from contextlib import contextmanager

from runbook.errors import LockedError


class MemoryLocks:
    """`Locks` within this process."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}

    @contextmanager
    def hold(self, name: str, run: str) -> Iterator[None]:
        """Hold the lock while the context lasts.

        Raises:
            LockedError: it is held; the message names the run that holds it.
        """
        if name in self._holders:
            raise LockedError(f"{name} is locked by run {self._holders[name]}", hint="wait until it has ended")
        self._holders[name] = run
        try:
            yield
        finally:
            del self._holders[name]
