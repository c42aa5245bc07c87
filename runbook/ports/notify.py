"""What telling receivers needs of the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runbook.model.journal import Entry
    from runbook.model.notification import Cursor, Message, Outcome, Position
    from runbook.ports.fleet import Clock, Journal, Talk


class Receiver(Protocol):
    """Somebody who is told. `send` never raises for what a network or a peer does, and is bounded in time."""

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        ...

    def wants(self, message: Message) -> bool:
        """Did it ask for such messages?"""
        ...

    def send(self, message: Message) -> Outcome:
        """Try once."""
        ...


class Cursors(Protocol):
    """How far each receiver has been told."""

    def load(self, receiver: str) -> Cursor | str | None:
        """Its cursor; None where it never had one; what is wrong with it, where it does not read."""
        ...

    def save(self, receiver: str, cursor: Cursor) -> None:
        """Keep it, durable.

        Raises:
            StorageError: the disk refused.
        """
        ...


class Following(Protocol):
    """The journal, read on from where a reader was."""

    def follow(self, start: Position) -> Iterator[tuple[Entry, Position]] | None:
        """The entries behind that place, each with the place behind it; None where the journal has no such place.

        What does not read is passed over: `audit verify` is who says so.
        """
        ...

    def waiting(self) -> Iterator[Entry]:
        """What the journal refused, and has not adopted yet, oldest first; the numbers are none of the journal."""
        ...


@dataclass(frozen=True, slots=True)
class NotifyPorts:
    """All of them together; `journal` takes down what was given up."""

    following: Following
    cursors: Cursors
    journal: Journal
    clock: Clock
    talk: Talk
