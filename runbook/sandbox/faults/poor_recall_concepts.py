"""Recall goes through concepts that do not hold together: loosely similar notes meet a threshold that is far too low.

Raising the coherence threshold ends it: no more such concepts are formed, and those that are there fade with their
notes. Switching blended recall off ends it at once. The semantic weight is as it was, and has no part in it.
"""

from collections.abc import Mapping

from runbook.model.settings import Value
from runbook.sandbox.faults.fault import number
from runbook.sandbox.faults.muddle import GROUPS_PER_SECOND, KEEP_SECONDS, Muddle
from runbook.sandbox.faults.setting import SettingFault

KEY = "dual_memory.coherence_threshold"


class Injected(SettingFault):
    """Parameters: `threshold` (default 0.15), `groups_per_second` (0.5), `keep_seconds` of a note (30)."""

    known = ("threshold", "groups_per_second", "keep_seconds")

    def wanted(self) -> Mapping[str, Value]:
        """The threshold."""
        return {KEY: number(self.parameters, "threshold", 0.15, 0.0, 1.0)}

    def driver(self) -> Muddle:
        """Notes that mix things up."""
        rate = number(self.parameters, "groups_per_second", GROUPS_PER_SECOND, 0.0, 20.0)
        return Muddle(self.engine, rate, number(self.parameters, "keep_seconds", KEEP_SECONDS, 1.0, 3600.0))
