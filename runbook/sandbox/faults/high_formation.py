"""Concepts form far too fast: a flood of loosely similar episodes meets a coherence threshold that is far too low."""

import asyncio
from collections.abc import Mapping
from typing import Any

from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.fault import Fault, known_only, number
from runbook.sandbox.faults.flood import GROUPS_PER_SECOND, WINDOW, Flood

KEY = "dual_memory.coherence_threshold"


class Injected(Fault):
    """Parameters: `threshold` (default 0.3), `groups_per_second` (45), `window` of episodes that are kept (1500)."""

    def __init__(self, engine: Engine, parameters: Mapping[str, Any]) -> None:
        super().__init__(engine, parameters)
        known_only(parameters, "threshold", "groups_per_second", "window")
        self._threshold = number(parameters, "threshold", 0.3, 0.0, 1.0)
        rate = number(parameters, "groups_per_second", GROUPS_PER_SECOND, 0.0, 200.0)
        self._flood = Flood(engine, rate, int(number(parameters, "window", WINDOW, 0, 100_000)))
        self._before = engine.settings.values[KEY]

    async def start(self) -> None:
        """Set the threshold through the node's settings, and let the flood in."""
        self._before = self.engine.settings.values[KEY]
        await asyncio.wrap_future(self.engine.settings.change({KEY: self._threshold}))
        try:
            await self._flood.start()
        except BaseException:
            await self._restore()
            raise

    async def stop(self) -> None:
        """End the flood; the threshold goes back unless somebody set it since."""
        try:
            await self._flood.stop()
        finally:
            await self._restore()

    async def _restore(self) -> None:
        if self.engine.settings.values[KEY] == self._threshold:
            await asyncio.wrap_future(self.engine.settings.change({KEY: self._before}))
