"""What one server is and can do: found out by asking it, never assumed from its version."""

from dataclasses import dataclass
from enum import StrEnum

from runbook.model.answer import Answer


class Can(StrEnum):
    """What this tool may want of a server."""

    FLAGS = "runtime flags"
    CONFIG = "configuration"
    LEASES = "leases"
    HEAP = "heap"
    CONCEPTS = "recent concepts"
    CELLS = "measured cells"


class Metrics(StrEnum):
    """What kind of metrics a server exposes."""

    CONTRACT = "operations contract"
    FOREIGN = "upstream Engram 0.1"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Ability:
    """Can it? `reason` says why not, or why that cannot be told; empty where it can."""

    what: Can
    answer: Answer
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SpaceCount:
    """How many memories one space holds, as the server counts them."""

    space: str
    memories: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One server that answered. Where a reason is given, what it stands beside is not known.

    `version` and `health` are the server's own words; `spaces` is None where it does not tell.
    """

    node: str
    version: str
    health: str
    abilities: tuple[Ability, ...]
    metrics: Metrics | None
    metrics_reason: str = ""
    spaces: tuple[SpaceCount, ...] | None = None
    spaces_reason: str = ""

    def answering(self, answer: Answer) -> tuple[Ability, ...]:
        """The abilities with that answer."""
        return tuple(ability for ability in self.abilities if ability.answer is answer)

    @property
    def changeable(self) -> Answer:
        """Can anything of what it runs with be changed while it runs?"""
        flags, config = (self.of(what).answer for what in (Can.FLAGS, Can.CONFIG))
        if Answer.YES in {flags, config}:
            return Answer.YES
        return Answer.NO if flags is config is Answer.NO else Answer.UNKNOWN

    def of(self, what: Can) -> Ability:
        """That ability."""
        return next(ability for ability in self.abilities if ability.what is what)


@dataclass(frozen=True, slots=True)
class TimedRecalls:
    """How long recalls took that this tool made itself, in seconds; none, with a reason, where it made none."""

    node: str
    space: str
    seconds: tuple[float, ...]
    reason: str = ""
