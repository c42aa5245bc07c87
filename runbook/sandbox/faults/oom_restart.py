"""The node is killed for want of memory, is started again, fills up again, and so on.

Bindings are not collected, as in `memory-leak-bindings`, only faster and under a limit of memory: a supervisor takes
the node's place (its process id stays, the node is started once more under it), kills the node with SIGKILL when it
holds more, and starts it again. It goes on after each restart until it is cleared. Cured by switching the cleanup on.
"""

import os
from collections.abc import Mapping
from typing import Any

from runbook.model.settings import Value
from runbook.sandbox import process, supervisor
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.churn import Churn
from runbook.sandbox.faults.fault import FaultError, number
from runbook.sandbox.faults.kept import take
from runbook.sandbox.faults.setting import SettingFault

KEY = "dual_memory.binding_cleanup"
_UNBOUNDED = 1e6
_ROOM = 1.1


class Injected(SettingFault):
    """Parameters: `headroom_mb` between the memory of now and the limit (default 24), `mb_per_second` (3)."""

    known = ("headroom_mb", "mb_per_second")
    survives = True

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        super().__init__(engine, parameters)
        self._headroom = int(number(parameters, "headroom_mb", 24.0, 8.0, 10_000.0) * 1e6)

    def wanted(self) -> Mapping[str, Value]:
        """No cleanup."""
        return {KEY: False}

    def driver(self) -> Churn:
        """What fills the memory."""
        return Churn(self.engine, number(self.parameters, "mb_per_second", 3.0, 0.1, 20.0), _UNBOUNDED)

    async def start(self) -> None:
        """Switch the cleanup off; under a supervisor begin, else get one: the node restarts in a moment.

        Raises:
            FaultError: the node shares its process with others, who would be killed with it.
        """
        if not self.engine.options.alone:
            raise FaultError("this node shares its process with others, who would be killed with it")
        await take(self.engine, self.name, self._wanted, self.parameters)
        if supervisor.SUPERVISED in os.environ:
            await self.resume()
        else:
            self.engine.restarts = True

    async def resume(self) -> None:
        """Go on after a restart, with the settings as they are now: somebody may have put them right."""
        folder, held = self.engine.folder.path, process.resident_bytes()
        allowed = supervisor.limit_of(folder)
        if allowed is None or held * _ROOM > allowed:
            supervisor.limit(folder, held + self._headroom)
        if self._driver is not None:
            await self._driver.start()

    async def stop(self) -> None:
        """Lift the limit first; the supervisor stays, and has nothing to do."""
        supervisor.limit(self.engine.folder.path, None)
        await super().stop()
