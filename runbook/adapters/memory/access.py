"""Access logs that are told, not read."""

from dataclasses import dataclass, field

from runbook.model.access import AccessLog, AccessReport, Calls
from runbook.model.cells import CONTROL, TREATMENT
from runbook.model.rollout import Rollout

_NONE = {CONTROL: Calls(), TREATMENT: Calls()}
_LOG = AccessLog("s1", (), _NONE, _NONE, _NONE, Calls(), 200, 0, 0, 1000.0)
WELL = AccessReport(
    None, (_LOG,), (), {CONTROL: Calls(100), TREATMENT: Calls(100)}, {CONTROL: Calls(), TREATMENT: Calls()}, Calls(), 20
)
"""Two hundred recalls of twenty spaces, each in its group, and no error."""


@dataclass(slots=True)
class MemoryAccessLogs:
    """`AccessLogs` without a splitter; `found` may be changed at any time, None while they are being read."""

    found: AccessReport | None = field(default_factory=lambda: WELL)
    asked: list[int] = field(default_factory=list)
    """The stages that were asked about, one for each reading."""

    def report(self, rollout: Rollout, now: float) -> AccessReport | None:
        """What is told."""
        del now
        self.asked.append(rollout.stage)
        return self.found
