"""Recall leans on concepts alone: the semantic weight is far too high, so answers fit the gist and little else.

Cured by setting the weight back. Coherent concepts do not help: they are sound, there is too much of them.
"""

from collections.abc import Mapping

from runbook.model.settings import Value
from runbook.sandbox.faults.fault import number
from runbook.sandbox.faults.setting import SettingFault

KEY = "dual_memory.semantic_weight"


class Injected(SettingFault):
    """Parameter: `weight` (default 0.95)."""

    known = ("weight",)

    def wanted(self) -> Mapping[str, Value]:
        """The weight."""
        return {KEY: number(self.parameters, "weight", 0.95, 0.0, 1.0)}
