"""The commands that a message names, for the target that it is about."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WayOn:
    """What a person types next about the rollout of a target; `quoted` is its name as a shell takes it."""

    quoted: str
    status: str
    resume: str
    abort: str
    report: str


def way_on(target: str) -> WayOn:
    """The commands for that target. Its name comes out of a journal: nothing in it is left to a shell."""
    safe = re.fullmatch(r"[\w.-]+", target, re.ASCII) is not None
    quoted = target if safe else "'" + target.replace("'", "'\\''") + "'"
    words = ("status", "resume", "abort", "report")
    return WayOn(quoted, *(f"runbook rollout {word} --target {quoted}" for word in words))
