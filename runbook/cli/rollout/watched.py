"""Does anybody watch a rollout? By the watch's last sign of life, and by its process where that ran on this machine."""

import os

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.cli.compose import Session
from runbook.errors import RunbookError
from runbook.model.heartbeat import AHEAD, Heartbeat

LATE_LOOKS = 3.0
"""Nobody watches where the last sign of life is older than so many looks take, as the alert has it."""


def watched(current: Session, target: str, rollout: str) -> str:
    """When somebody last watched that rollout of the target, which is under way.

    Raises:
        RunbookError: nobody does, with the command that would; or the sign of life does not read.
    """
    sign = FileHeartbeats(current.state).last(target)
    hint = f"runbook rollout watch --target {target}"
    if sign is None or sign.rollout != rollout:
        raise RunbookError(f"rollout {rollout} is under way, and nobody has watched it yet", hint=hint)
    seen = sign.seen.isoformat(timespec="seconds")
    if is_gone(current, sign):
        killed = f"its watch, process {sign.process}, was killed; it last looked at {seen}"
        told = f"rollout {rollout} is under way, and {killed}"
        raise RunbookError(told, hint=hint)
    age = current.clock.now() - sign.seen
    if not -AHEAD <= age <= sign.every * LATE_LOOKS:  # by a timer, each watch ends after one look
        ended = f": {sign.ended}" if sign.ended else ""
        raise RunbookError(f"rollout {rollout} is under way, and was last watched at {seen}{ended}", hint=hint)
    return f"rollout {rollout}, {sign.phase}: last watched at {seen}"


def is_gone(current: Session, sign: Heartbeat) -> bool:
    """Did it end without a word? Only a process of this machine can be asked for; another one may have its number."""
    if sign.ended or sign.machine != current.where:
        return False
    try:
        os.kill(sign.process, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is there, and another person's
        return False
    return False
