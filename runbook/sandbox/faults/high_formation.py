"""Concepts form far too fast: a flood of loosely similar episodes meets a coherence threshold that is far too low."""

from collections.abc import Mapping

from runbook.model.settings import Value
from runbook.sandbox.faults.fault import number
from runbook.sandbox.faults.flood import GROUPS_PER_SECOND, WINDOW, Flood
from runbook.sandbox.faults.setting import SettingFault

KEY = "dual_memory.coherence_threshold"


class Injected(SettingFault):
    """Parameters: `threshold` (default 0.3), `groups_per_second` (45), `window` of episodes that are kept (1500)."""

    known = ("threshold", "groups_per_second", "window")

    def wanted(self) -> Mapping[str, Value]:
        """The threshold."""
        return {KEY: number(self.parameters, "threshold", 0.3, 0.0, 1.0)}

    def driver(self) -> Flood:
        """The flood."""
        rate = number(self.parameters, "groups_per_second", GROUPS_PER_SECOND, 0.0, 200.0)
        return Flood(self.engine, rate, int(number(self.parameters, "window", WINDOW, 0, 100_000)))
