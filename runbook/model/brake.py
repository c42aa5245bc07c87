"""The emergency brake: which flags it turns off, and what became of each node over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Rollback(StrEnum):
    """How far back: without concepts, or without dual memory."""

    FEATURES = "features"
    FULL = "full"


FLAGS: Mapping[Rollback, tuple[str, ...]] = {
    Rollback.FEATURES: ("dual_memory.use_blended_recall", "dual_memory.enable_concepts"),
    Rollback.FULL: ("dual_memory.use_blended_recall", "dual_memory.enable_concepts", "dual_memory.enabled"),
}
"""What is turned off, in the order in which it goes off where that takes one command per flag.

`full` turns the other two off as well: whoever switches the dual memory on again gets it without concepts, and decides
on them apart.
"""

Olds = Mapping[str, bool]
"""Flags as they were before, by key; a flag that the node does not have is missing."""


class PullState(StrEnum):
    """How far the brake got on one node, over HTTP."""

    WAITING = "waiting"  # not reached yet
    SENT = "sent"  # it may have taken effect: the answer did not come
    OFF = "off"  # the node took it; not read back yet
    VERIFIED = "verified"  # read back: every flag is off
    REFUSED = "refused"  # it will not, however often it is asked


SETTLED = frozenset({PullState.VERIFIED, PullState.REFUSED})


@dataclass(frozen=True, slots=True)
class Pulled:
    """One node over HTTP. Times are milliseconds since the command started; `old` None is not known."""

    node: str
    state: PullState = PullState.WAITING
    old: Olds | None = None
    off_ms: float | None = None
    verified_ms: float | None = None
    tries: int = 0
    message: str = ""

    @property
    def off(self) -> bool:
        """Was every flag read back as off?"""
        return self.state is PullState.VERIFIED

    @property
    def touched(self) -> bool:
        """Was something sent that may have taken effect?"""
        return self.state in {PullState.SENT, PullState.OFF, PullState.VERIFIED}
