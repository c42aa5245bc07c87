"""The way to an nginx that splits traffic: its settings are what the running one tells, not what stands in a file."""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError
from ansible_collections.engram.ops.plugins.plugin_utils.values import shown

RunModule = Callable[[dict[str, Any], bool], dict[str, Any]]
"""Runs the module `host_splitter` on the host with these arguments, under check or not, and gives back its result."""

SEVERAL = "split"
"""Stands for a key where several settings are changed at once; their values are then a mapping by name."""


class SplitterWay:
    """Reads and writes the settings of one splitter, by a module on its host.

    Args:
        run_module: how the module is run there.
        inputs: what the inventory says of this splitter, as the module takes it.
        tries: how often it is written where somebody else changes it in between.
    """

    def __init__(self, run_module: RunModule, inputs: Mapping[str, Any], tries: int = 1) -> None:
        self._run_module, self._inputs, self._tries = run_module, inputs, tries
        self._values: dict[str, Any] | None = None
        self._base: dict[str, Any] = {}
        self._running, self._wrote = "", False
        self.retries: list[str] = []

    def read(self, key: str, like: Any) -> Any:
        """The value that the running nginx tells; where it tells nothing yet, that of the file, or nobody treated.

        Raises:
            WayError: it tells nothing once something was written: what stands in the file was not read back.
        """
        if self._values is None:
            found = self._done({"like": {}})
            if self._wrote and not found["running"]:
                raise WayError(str(found["why_not"]), "ignored")
            self._values, self._running = dict(found["values"]), str(found["running"])
            self._base = dict(found["base"])
        return {name: self._values[name] for name in like} if key == SEVERAL else self._values[key]

    def write(self, key: str, value: Any) -> None:
        """Render, check, place, reload, and read back."""
        for left in reversed(range(self._tries)):
            values = self._wanted(key, value)
            self._values = None  # whatever comes of it, it is another look that tells
            try:
                found = self._done({"values": values, "expected_running": self._running})
            except WayError as problem:
                if problem.reason == "conflict" and left:
                    self.read(key, value)
                    self.retries.append(str(problem))
                    continue
                self._wrote = True
                raise
            self._values = self._base = dict(found["values"])
            return

    def settle(self, key: str, value: Any, *, check: bool) -> str:
        """Where nginx splits by the value, see that the file and its routes are as the inventory has them."""
        found = self._done({"like": self._wanted(key, value)})
        if found["settled"]:
            return ""
        if not check:
            self.write(key, value)
        told = f"{key} = {shown(value)}" if key != SEVERAL else "the split"
        why = f" ({found['why_not']})" if found["why_not"] else ""
        return f"{told} was so, but the file or the running nginx was not as the inventory has it{why}: put right"

    def preview(self, key: str, value: Any) -> Mapping[str, Any]:
        """The file before and after, checked by nginx and put nowhere."""
        return self._done({"values": self._wanted(key, value)}, check=True)

    def _wanted(self, key: str, value: Any) -> dict[str, Any]:
        return {**self._base, **(value if key == SEVERAL else {key: value})}

    def _done(self, arguments: Mapping[str, Any], *, check: bool = False) -> dict[str, Any]:
        done = self._run_module({**self._inputs, **arguments}, check)
        said = str(done.get("module_stderr") or done.get("msg") or "no message").strip()[:1500]
        if done.get("unreachable"):
            raise UnreachableNodeError(said)
        if done.get("failed"):
            raise WayError(said, str(done.get("reason") or "broken"))
        return done
