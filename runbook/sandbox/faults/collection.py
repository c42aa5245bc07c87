"""The faults of one node: those that there are, found by walking, and those that are active.

None goes on after a restart but those that are about restarts. One whose process was killed while it had changed
settings is still listed then, so that clearing it puts them back.
"""

import asyncio
import contextlib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from runbook.errors import StorageError
from runbook.sandbox import faults as package
from runbook.sandbox.engine import Engine
from runbook.sandbox.faults.fault import Fault, FaultError
from runbook.sandbox.faults.kept import notes


@cache
def available() -> Mapping[str, type[Fault]]:
    """Every fault by its name."""
    found: dict[str, type[Fault]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        if hasattr(loaded, "Injected"):
            found[module.name.replace("_", "-")] = loaded.Injected
    return found


@cache
def summaries() -> Mapping[str, str]:
    """What each fault breaks, in a sentence: the first line of its module."""
    modules = {name: importlib.import_module(fault.__module__) for name, fault in available().items()}
    return {name: (module.__doc__ or "").partition("\n")[0] for name, module in sorted(modules.items())}


class Faults:
    """The active faults; the event loop alone uses it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._active: dict[str, Fault] = {
            name: available()[name](engine, note.parameters)
            for name, note in notes(engine).items()
            if name in available()
        }
        self._changing = asyncio.Lock()

    def active(self) -> list[dict[str, Any]]:
        """The active faults with their parameters."""
        return [{"fault": name, "parameters": fault.parameters} for name, fault in sorted(self._active.items())]

    async def inject(self, name: str, parameters: Mapping[str, Any]) -> None:
        """Start the fault; one that is active starts anew with these parameters.

        Raises:
            KeyError: there is no such fault.
            FaultError: a parameter is wrong; nothing has changed.
        """
        fault = available()[name](self._engine, parameters)
        async with self._changing:
            await self._stop(name)
            await fault.start()
            self._active[name] = fault

    async def clear(self, name: str) -> bool:
        """End the fault; False when it was not active.

        Raises:
            KeyError: there is no such fault.
        """
        if name not in available():
            raise KeyError(name)
        async with self._changing:
            return await self._stop(name)

    async def _stop(self, name: str) -> bool:
        fault = self._active.get(name)
        if fault is None:
            return False
        await fault.stop()  # where this fails the fault stays active, and can be cleared again
        del self._active[name]
        return True

    async def resume(self) -> None:
        """The node has started: those that survive that go on."""
        for fault in self._active.values():
            if fault.survives:
                await fault.resume()

    async def end(self) -> None:
        """Clear all but those that survive, as the node ends; a disk that refuses does not keep it from ending."""
        for name, fault in list(self._active.items()):
            with contextlib.suppress(StorageError):
                await (fault.suspend() if fault.survives else self.clear(name))

    def before_recall(self, group: str, *, observed: bool) -> None:
        """Raise InjectedError where a fault makes this recall fail."""
        for fault in self._active.values():
            fault.before_recall(group, observed=observed)

    def delay(self, group: str, seconds: float) -> float:
        """Seconds that the faults add to a recall that took `seconds`."""
        return sum(fault.delay(group, seconds) for fault in self._active.values())

    def ignores_setting(self, key: str) -> bool:
        """Does a fault swallow that setting?"""
        return any(fault.ignores_setting(key) for fault in self._active.values())

    def silence(self) -> str:
        """How the node fails to answer, if it does."""
        return next((how for fault in self._active.values() if (how := fault.silence())), "")


__all__ = ["FaultError", "Faults", "available"]
