"""Ports of the emergency brake: beside plays, the only thing that changes settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runbook.model.brake import Olds, Pulled
    from runbook.model.target import Node
    from runbook.ports.fleet import Clock, Journal, Plays, Talk


class Pulling(Protocol):
    """One pull of the emergency brake, under way in the background."""

    def looks(self, most: float, quiet: float) -> Mapping[str, Olds]:
        """What was on before, of the nodes that tell within `most` seconds, or until none does for `quiet` seconds."""
        ...

    def release(self) -> None:
        """Press the nodes now; they do not wait long for it."""
        ...

    def settle(self, seconds: float, enough: Callable[[Pulled], bool]) -> bool:
        """Wait until each node is verified, has refused or is `enough`; False where the time was up before."""
        ...

    def state(self) -> tuple[Pulled, ...]:
        """Every node as it stands."""
        ...

    def stop(self) -> None:
        """Send nothing more."""
        ...


class Brake(Protocol):
    """The emergency brake: beside plays, the only thing that changes settings."""

    def pull(self, nodes: Sequence[Node], flags: Sequence[str], *, insist: bool) -> Pulling:
        """Begin to turn the flags off on all nodes at once; returns at once, and never raises for what a node does.

        With `insist` every node is told, else only those where a flag is on. A node that does not answer is told again
        and again, until `stop`.
        """
        ...


@dataclass(frozen=True, slots=True)
class BrakePorts:
    """What the emergency brake is given. What is heavy comes as a function, called once the flags are on their way off.

    `elapsed` gives milliseconds since the command started.
    """

    brake: Brake
    journal: Callable[[], Journal]
    plays: Callable[[], Plays]
    clock: Clock
    talk: Talk
    elapsed: Callable[[], float]
