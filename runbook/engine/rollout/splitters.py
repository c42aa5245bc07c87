"""What splits a rollout's traffic, against what the inventory says now. Pure."""

from collections.abc import Collection

from runbook.errors import RefusedError, UsageError
from runbook.model.assignment import NAMES_SPLIT, SALTS_SPLIT
from runbook.model.rollout import Rollout, RolloutPlan
from runbook.model.target import Target


def gone(rollout: Rollout, target: Target) -> tuple[str, ...]:
    """Those that were told to split its traffic and are no splitters of the inventory any more, in words.

    Nobody asks them, so nobody knows whom they treat. One that is new shows by what it does not split by yet.
    """
    return tuple(
        f"{name} was told to split the traffic of {rollout.current.name}, and is no splitter in the inventory any more"
        f" (held, runbook rollout resume --without {name} lets go of it)"
        for name in _missing(rollout, target)
    )


def check_plan(plan: RolloutPlan, target: Target) -> None:
    """Can what splits the target's traffic be told every stage of the plan? A later one must not be the first to fail.

    Raises:
        RefusedError: no.
    """
    if not target.splitters:
        return
    named = dict.fromkeys(name for stage in plan.stages for name in stage.phase.spaces)
    if wrong := [name for name in named if not NAMES_SPLIT.fullmatch(name)]:
        raise RefusedError(
            f"no splitter treats {', '.join(repr(name)[:100] for name in wrong[:5])}: such a space is control there",
            hint="names of 1 to 128 letters, digits, _, . and -",
        )
    if not SALTS_SPLIT.fullmatch(plan.salt):
        raise RefusedError(
            "the plan's salt has letters that no splitter takes", hint="letters, digits, spaces and _.:,@/+=~-"
        )


def check_without(rollout: Rollout, target: Target, without: Collection[str]) -> None:
    """Are those that left the inventory the very ones that a person says can be done without?

    An inventory that lost one by mistake must not be agreed to by somebody who resumes for another reason: it goes on
    treating whom it was told to, and nothing would ever reach it.

    Raises:
        UsageError: one is named that did not leave it.
        RefusedError: one left it that is not named.
    """
    missing = _missing(rollout, target)
    if wrong := [name for name in dict.fromkeys(without) if name not in missing]:
        known = ", ".join(missing) or "none"
        raise UsageError(
            f"--without {', '.join(wrong)}: no splitter that left the inventory", hint=f"these did: {known}"
        )
    if left := [name for name in missing if name not in without]:
        words = " ".join(f"--without {name}" for name in left)
        raise RefusedError(
            f"{', '.join(left)} split the traffic of {rollout.current.name}, and is no splitter in the inventory any"
            " more: whom it treats is not known",
            hint=f"put it back there; or, once it treats nobody: runbook rollout resume {words}",
        )


def _missing(rollout: Rollout, target: Target) -> tuple[str, ...]:
    here = {each.name for each in target.splitters}
    return tuple(name for name in rollout.splitters if name not in here)


def agreed(rollout: Rollout, target: Target) -> tuple[str, ...] | None:
    """The names of the splitters that a person agrees to who lets the rollout go; None where it never had any."""
    names = tuple(each.name for each in target.splitters)
    return names if names or rollout.splitters else None
