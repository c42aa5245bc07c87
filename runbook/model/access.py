"""What the access logs of splitters tell: calls and errors by group and space, as they left nginx."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runbook.model.judgement import Mismatch
from runbook.model.measurement import Silence


@dataclass(frozen=True, slots=True)
class Calls:
    """How many; how many were answered with 5xx; and with how many of these no node had answered the splitter."""

    calls: int = 0
    errors: int = 0
    unanswered: int = 0

    def __add__(self, other: "Calls") -> "Calls":
        return Calls(self.calls + other.calls, self.errors + other.errors, self.unanswered + other.unanswered)


@dataclass(frozen=True, slots=True)
class SpaceCalls:
    """The recalls of one space, by the group that it was served in; `first` in seconds since 1970."""

    space: str
    first: float
    control: Calls
    treatment: Calls


@dataclass(frozen=True, slots=True)
class AccessLog:
    """What was counted of one log, by its `source`: a splitter, or a file.

    `spaces` has the spaces by name, `unlisted` the recalls of more spaces than are told by name, `nameless` those that
    named none, or nothing that could be one. `other` are calls that are no recalls, `mirrored` the copies. `newest` is
    the time of the last call that was counted, in seconds since 1970.
    """

    source: str
    spaces: tuple[SpaceCalls, ...]
    unlisted: Mapping[str, Calls]
    nameless: Mapping[str, Calls]
    other: Mapping[str, Calls]
    mirrored: Calls
    lines: int
    garbage: int
    torn: int
    newest: float | None = None


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A space that was served in another group than the assigned one, and in how many of its recalls."""

    space: str
    assigned: str
    calls: int
    recalls: int


@dataclass(frozen=True, slots=True)
class AccessReport:
    """All logs together, from `since` on (seconds since 1970; None: all that is there).

    `recalls` and `other` are by group. `misplaced` are the worst ones, `misplaced_spaces` is how many there are; both
    need to know the assignment, as the sample ratio does.
    """

    since: float | None
    logs: tuple[AccessLog, ...]
    silent: tuple[Silence, ...]
    recalls: Mapping[str, Calls]
    other: Mapping[str, Calls]
    mirrored: Calls
    spaces: int
    misplaced: tuple[Misplaced, ...] = ()
    misplaced_spaces: int = 0
    mismatch: Mismatch | None = None
    told: tuple[str, ...] = field(default=())

    @property
    def blocks(self) -> tuple[str, ...]:
        """Why nothing is promoted on what was judged; empty where nothing speaks against it."""
        found = []
        if self.silent:
            names = ", ".join(each.node for each in self.silent)
            found.append(f"how recalls were served is not known: the access logs could not be read of {names}")
        if self.logs and not sum(each.calls for each in self.recalls.values()):
            found.append("no recall went through the splitters in that time, as their access logs tell")
        if self.misplaced_spaces:
            found.append(f"the access logs show {self.misplaced_spaces} spaces served in another group than assigned")
        if self.mismatch is not None and self.mismatch.blocks:
            found.append(f"in the access logs the ratio of the arms is not as assigned: {self.mismatch.arithmetic}")
        return tuple(found)
