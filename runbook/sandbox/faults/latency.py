"""Recalls take longer: by so many milliseconds, or by so many percent of the whole time that a node takes for them."""

from collections.abc import Mapping
from typing import Any

from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.fault import Fault, choice, known_only, number


class Injected(Fault):
    """Parameters: `milliseconds` (default 100), or `percent`; `group` (both, unless named)."""

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        super().__init__(engine, parameters)
        known_only(parameters, "milliseconds", "percent", "group")
        self._percent = number(parameters, "percent", 0.0, 0.0, 100_000.0)
        default = 0.0 if "percent" in parameters else 100.0
        self._milliseconds = number(parameters, "milliseconds", default, 0.0, 60_000.0)
        self._group = choice(parameters, "group", "", "", "control", "treatment")

    def delay(self, group: str, seconds: float) -> float:
        """The delay of a recall of the chosen group."""
        if self._group not in {"", group}:
            return 0.0
        return self._milliseconds / 1000.0 + seconds * self._percent / 100.0
