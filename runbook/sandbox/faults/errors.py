"""A share of the recalls is answered with 500."""

from collections.abc import Mapping
from typing import Any

from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.fault import Fault, InjectedError, choice, known_only, number


class Injected(Fault):
    """Parameters: `rate` (default 0.5); `group` (both, unless named)."""

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        super().__init__(engine, parameters)
        known_only(parameters, "rate", "group")
        self._rate = number(parameters, "rate", 0.5, 0.0, 1.0)
        self._group = choice(parameters, "group", "", "", "control", "treatment")
        self._owed = 0.0

    def before_recall(self, group: str) -> None:
        """Fail exactly the share, spread evenly: of four recalls at 0.25 one fails, not one or two."""
        if self._group not in {"", group}:
            return
        self._owed += self._rate
        if self._owed >= 1.0:
            self._owed -= 1.0
            raise InjectedError("this recall was made to fail")
