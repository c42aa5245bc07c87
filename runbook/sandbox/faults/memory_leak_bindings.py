"""Bindings of forgotten episodes are never collected, and what they hold on to stays in memory.

`binding_cleanup` is off while long notes are remembered, bound to concepts, and forgotten. Cured by switching it on:
the next consolidation collects, and what was freed is used again. The size of the concept cache has no part in it.
"""

from collections.abc import Mapping

from runbook.model.settings import Value
from runbook.sandbox.faults.churn import MOST_MB, RATE_MB, Churn
from runbook.sandbox.faults.fault import number
from runbook.sandbox.faults.setting import SettingFault

KEY = "dual_memory.binding_cleanup"


class Injected(SettingFault):
    """Parameters: `mb_per_second` (default 0.8); `max_mb` (600), where the leak stops, so that a laptop survives."""

    known = ("mb_per_second", "max_mb")

    def wanted(self) -> Mapping[str, Value]:
        """No cleanup."""
        return {KEY: False}

    def driver(self) -> Churn:
        """Notes that come and go."""
        rate = number(self.parameters, "mb_per_second", RATE_MB, 0.0, 20.0)
        return Churn(self.engine, rate, number(self.parameters, "max_mb", MOST_MB, 0.0, 100_000.0))
