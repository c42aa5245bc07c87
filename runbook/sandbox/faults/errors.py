"""A share of the recalls is answered with 500."""

from collections.abc import Mapping
from typing import Any

from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.fault import Fault, FaultError, InjectedError, choice, known_only, number


class Injected(Fault):
    """Parameters: `rate` (default 0.5), or the same as `percent`; `group` (both, unless named)."""

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        super().__init__(engine, parameters)
        known_only(parameters, "rate", "percent", "group")
        if parameters.keys() >= {"rate", "percent"}:
            raise FaultError("rate and percent are two words for one thing: give one")
        default = number(parameters, "percent", 50.0, 0.0, 100.0) / 100.0
        self._rate = number(parameters, "rate", default, 0.0, 1.0)
        self._group = choice(parameters, "group", "", "", "control", "treatment")
        self._owed = {True: 0.0, False: 0.0}  # a recall that is not observed has no part in what others see

    def before_recall(self, group: str, *, observed: bool) -> None:
        """Fail exactly the share, spread evenly: of four recalls at 0.25 one fails, not one or two."""
        if self._group not in {"", group}:
            return
        self._owed[observed] += self._rate
        if self._owed[observed] >= 1.0:
            self._owed[observed] -= 1.0
            raise InjectedError("this recall was made to fail")
