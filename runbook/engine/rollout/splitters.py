"""What splits a rollout's traffic, against what the inventory says now. Pure."""

from runbook.model.rollout import Rollout
from runbook.model.target import Target


def gone(rollout: Rollout, target: Target) -> tuple[str, ...]:
    """Those that were told to split its traffic and are no splitters of the inventory any more, in words.

    Nobody asks them, so nobody knows whom they treat. One that is new shows by what it does not split by yet.
    """
    here = {each.name for each in target.splitters}
    return tuple(
        f"{name} was told to split the traffic of {rollout.current.name}, and is no splitter in the inventory any more"
        " (runbook rollout hold, then resume, agrees to those that are left)"
        for name in rollout.splitters
        if name not in here
    )


def agreed(rollout: Rollout, target: Target) -> tuple[str, ...] | None:
    """The names of the splitters that a person agrees to who lets the rollout go; None where it never had any."""
    names = tuple(each.name for each in target.splitters)
    return names if names or rollout.splitters else None
