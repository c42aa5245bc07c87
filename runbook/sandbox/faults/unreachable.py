"""The node does not answer as one would expect, except where the fault itself is shown and cleared."""

from collections.abc import Mapping
from typing import Any

from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.fault import Fault, choice, known_only


class Injected(Fault):
    """Parameter `mode`: `refuse` drops the connection, `hang` never answers, `html` answers with a page."""

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        super().__init__(engine, parameters)
        known_only(parameters, "mode")
        self._mode = choice(parameters, "mode", "hang", "refuse", "hang", "html")

    def silence(self) -> str:
        """The mode."""
        return self._mode
