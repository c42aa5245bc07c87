"""The concept cache has no bound that counts: what it prepared of concepts as they once were is kept for ever.

`concept_cache_size` is set to ten million while concepts change and are recalled. Cured by setting it back: entries
leave at once. The cleanup of bindings is on all the time, and has no part in it.
"""

from collections.abc import Mapping

from runbook.model.settings import Value
from runbook.sandbox.faults.fault import number
from runbook.sandbox.faults.hoard import MOST_MB, RATE_MB, Hoard
from runbook.sandbox.faults.setting import SettingFault

KEY = "dual_memory.concept_cache_size"


class Injected(SettingFault):
    """Parameters: `size` (default 10 million), `mb_per_second` (0.8); `max_mb` (600), where the leak stops."""

    known = ("size", "mb_per_second", "max_mb")

    def wanted(self) -> Mapping[str, Value]:
        """The size."""
        return {KEY: int(number(self.parameters, "size", 10_000_000, 0, 10_000_000))}

    def driver(self) -> Hoard:
        """Recalls of concepts that change."""
        rate = number(self.parameters, "mb_per_second", RATE_MB, 0.0, 10.0)
        return Hoard(self.engine, rate, number(self.parameters, "max_mb", MOST_MB, 0.0, 100_000.0))
