"""Safety rails: how far a run on a target may go before somebody has to think again. None of them holds up a way back.

A rollback, an undo, and the putting back of a run that failed pass all of them, always.
"""

from dataclasses import dataclass
from datetime import timedelta

from runbook.model.risk import Risk

COOL_DOWN = timedelta(minutes=30)
"""How long a production target is left alone after a rollback, where its configuration says nothing else."""

_PRODUCTION = frozenset({"production", "prod"})


@dataclass(frozen=True, slots=True)
class Rails:
    """The rails of one target. None is no limit; the defaults of this class hold nothing up.

    `cool_down` counts from the end of a rollback; 0 is none. With `require_approval` a run with a step of that risk, or
    of a higher one, waits until a second person has approved it; question and approval last `approval_expires` each.
    """

    max_hosts_per_run: int | None = None
    max_steps_per_hour: int | None = None
    allowed_risk: Risk = Risk.DISRUPTIVE
    require_reason: bool = False
    cool_down: timedelta = timedelta(0)
    require_approval: Risk | None = None
    approval_expires: timedelta = timedelta(hours=1)


NO_RAILS = Rails()


def is_production(environment: str) -> bool:
    """Is a target of that environment one on which people depend?"""
    return environment.strip().lower() in _PRODUCTION


def usual_rails(environment: str) -> Rails:
    """The rails of a target whose configuration has none: production needs a reason, and rests after a rollback."""
    if is_production(environment):
        return Rails(require_reason=True, cool_down=COOL_DOWN)
    return Rails()
