"""What the pages are made of: the journal as it is followed, signs of life of the watch, the configured targets."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runbook.adapters.journal.following import Follower
from runbook.errors import RunbookError
from runbook.model.heartbeat import Heartbeat
from runbook.ports import Clock

SLICE_SECONDS = 0.02
"""For so long a page waits at most for what was appended since the last one."""


class Heartbeats(Protocol):
    """Signs of life of the watches, by target."""

    def last(self, target: str) -> Heartbeat | None:
        """The last one, or None; raises `RunbookError` where it does not read."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that a page may ask. `environments` tells the configured targets, each with its environment.

    It raises `RunbookError` where the configuration does not read.
    """

    journal: Follower
    heartbeats: Heartbeats
    clock: Clock
    environments: Callable[[], Mapping[str, str]]

    def targets(self) -> dict[str, str]:
        """Each with its environment: those that are configured, and those that only the journal knows."""
        with suppress(RunbookError):
            return {**dict.fromkeys(self.journal.targets(), ""), **self.environments()}
        return dict.fromkeys(self.journal.targets(), "")

    def trouble(self) -> str:
        """Why nobody can tell which targets are configured; empty where it can be told."""
        try:
            self.environments()
        except RunbookError as error:
            return error.message
        return ""

    def heartbeat(self, target: str) -> Heartbeat | str | None:
        """The watch's last sign of life; None where nobody ever watched; in words, why it cannot be told."""
        try:
            return self.heartbeats.last(target)
        except RunbookError as error:
            return error.message

    def now(self) -> datetime:
        """The wall time."""
        return self.clock.now()
