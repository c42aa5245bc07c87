"""The node accepts a setting, answers as if it had taken it on, and goes on as before."""

from collections.abc import Mapping
from typing import Any

from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.fault import Fault, known_only


class Injected(Fault):
    """No parameters."""

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        super().__init__(engine, parameters)
        known_only(parameters)

    def ignores_settings(self) -> bool:
        """Yes."""
        return True
