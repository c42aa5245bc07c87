"""What `runbook rollout watch` leaves of itself at every look, so that others know whether anybody watches."""

from dataclasses import dataclass
from datetime import datetime, timedelta

AHEAD = timedelta(minutes=1)
"""So far the clocks of two machines may be apart."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last sign of life of a target's watch.

    `seen` is the wall clock's moment of it, `told` the last look's answer in words, `code` its exit code, `every` how
    often the plan says to look. `process` ran on `machine`. `ended` says in words how the watch ended in order; it is
    empty while one goes on, and stays empty where one was killed: then `seen` only grows older. `silent` are the nodes
    and splitters that did not tell what the last look asked.
    """

    target: str
    rollout: str
    phase: str
    stage: str
    standing: str
    share: float
    every: timedelta
    seen: datetime
    process: int
    machine: str
    looks: int
    told: str
    code: int
    ended: str = ""
    silent: tuple[str, ...] = ()

    def overdue(self, now: datetime, looks: float = 3.0) -> bool:
        """Is it older than so many looks take, and did nobody end it?

        One from the future is of no use either: the clock was set back since, and who lives has said so anew.
        """
        return not self.ended and not -AHEAD <= now - self.seen <= self.every * looks
