"""A fault that sets values through the node's settings, as a person would who gets them wrong."""

from collections.abc import Mapping
from typing import Any

from runbook.model.settings import Value
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.driver import Driver
from runbook.sandbox.faults.fault import Fault, known_only
from runbook.sandbox.faults.kept import give_back, take


class SettingFault(Fault):
    """Sets values, and lets a driver work where there is one.

    Args:
        engine: the node.
        parameters: what the person asked for; `known` are the names that are allowed.
    """

    known: tuple[str, ...] = ()

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        super().__init__(engine, parameters)
        known_only(parameters, *self.known)
        self.name = type(self).__module__.rpartition(".")[2].replace("_", "-")
        self._wanted = dict(self.wanted())
        self._driver = self.driver()

    def wanted(self) -> Mapping[str, Value]:
        """The values to set, by key."""
        return {}

    def driver(self) -> Driver | None:
        """What makes the symptom show."""
        return None

    async def start(self) -> None:
        """Set the values, and let the driver begin."""
        await take(self.engine, self.name, self._wanted, self.parameters)
        try:
            if self._driver is not None:
                await self._driver.start()
        except BaseException:
            await give_back(self.engine, self.name)
            raise

    async def suspend(self) -> None:
        """Let the driver rest; what was set stays."""
        if self._driver is not None:
            await self._driver.halt()

    async def stop(self) -> None:
        """End the driver; each value goes back unless somebody set it since. Also where a killed process started it."""
        try:
            if self._driver is not None:
                await self._driver.stop()
        finally:
            await give_back(self.engine, self.name)
