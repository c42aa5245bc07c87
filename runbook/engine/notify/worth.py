"""Which entries start the telling. Asked of every entry, also while the brake is pulled: it asks little."""

from collections.abc import Mapping
from typing import Any

from runbook.model.journal import Event

_ALWAYS = frozenset(
    {
        Event.ROLLOUT_ENTERED,
        Event.ROLLOUT_HELD,
        Event.ROLLOUT_RELEASED,
        Event.ROLLOUT_ENDED,
        Event.RUN_ENDED,
        Event.MIGRATION_ENDED,
        Event.APPROVAL_ASKED,
        Event.APPROVAL_GIVEN,
        Event.APPROVAL_WITHDRAWN,
        Event.VALIDATED,
        Event.ALERT_ACTED,
    }
)
_ON_THE_WAY = frozenset({Event.STEP_OUTCOME, Event.RUN_ENDED})


def starts(event: Event, details: Mapping[str, Any], *, brake: bool) -> bool:
    """Is it time to tell, after that entry?

    Nothing starts before the flags are off: what a brake intends is told with the first outcome of its steps. With
    `brake` the journal is the one of a brake that is being pulled.
    """
    if brake:
        return event in _ON_THE_WAY
    if event is Event.RUN_ENDED:
        from runbook.model.run import RunStatus  # noqa: PLC0415 - every command passes here, most of them without runs

        return bool(details.get("status") != RunStatus.SUPERSEDED)
    return event in _ALWAYS
