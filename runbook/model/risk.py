"""What a step of a runbook can cost."""

from enum import IntEnum


class Risk(IntEnum):
    """What a step can cost; it decides what must be confirmed."""

    LOW = 1  # tunes one value, undone by putting it back
    MEDIUM = 2  # users may notice
    DISRUPTIVE = 3  # switches a function off
