"""What the pages are made of: the journal as it is followed, signs of life of the watch, the configured targets."""

from collections.abc import Callable, Mapping
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
    """Everything that a page may ask. `environments` tells the configured targets, each with its environment."""

    journal: Follower
    heartbeats: Heartbeats
    clock: Clock
    environments: Callable[[], Mapping[str, str]]

    def targets(self) -> dict[str, str]:
        """Each with its environment: those that are configured, and those that only the journal knows."""
        return {**dict.fromkeys(self.journal.targets(), ""), **self.environments()}

    def heartbeat(self, target: str) -> Heartbeat | str | None:
        """The watch's last sign of life; None where nobody ever watched; in words, why it cannot be told."""
        try:
            return self.heartbeats.last(target)
        except RunbookError as error:
            return error.message

    def now(self) -> datetime:
        """The wall time."""
        return self.clock.now()
