"""The way over the node's own command line: `engram config get|set`, run on the host through Ansible's connection."""

from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError
from ansible_collections.engram.ops.plugins.plugin_utils.values import read_as, shown, written

WHOLE_SECONDS = 10

Execute = Callable[[list[str]], dict[str, Any]]
"""Runs one argument vector on the host, without a shell; the result of Ansible's command module."""


class CliWay:
    """Reads and writes settings of one node by its command.

    Args:
        execute: runs the command on the host.
        command: the `engram` command, with its first arguments where it has some.
    """

    def __init__(self, execute: Execute, command: Sequence[str]) -> None:
        self._execute = execute
        self._command = list(command)
        self.retries: list[str] = []

    def read(self, key: str, like: Any) -> Any:
        """The node's value, read as one of the type of `like`."""
        return read_as(self._run("get", key), like)

    def write(self, key: str, value: Any) -> None:
        """Ask the node to take the value."""
        text = written(value)
        if "\0" in text or (text.startswith("-") and isinstance(value, str | list)):
            raise WayError(f"{key} = {shown(value)} cannot be given to a command: use the way over http", "usage")
        if isinstance(value, list) and any("," in item for item in value):
            raise WayError(f"{key}: an item with a comma cannot be given to a command: use the way over http", "usage")
        self._run("set", key, text)

    def settle(self, key: str, value: Any, *, check: bool) -> str:  # noqa: ARG002 - the shape is the protocol's
        """What a node took at run time lasts: there is nothing to do."""
        return ""

    def _run(self, *words: str) -> str:
        limit = ["timeout", "-k", "2", str(WHOLE_SECONDS)]
        done = self._execute([*limit, *self._command, "config", *words])
        status = done.get("rc")
        said = (done.get("stderr") or done.get("msg") or done.get("module_stderr") or "").strip()
        if done.get("unreachable"):
            raise UnreachableNodeError(said or "no connection to the host")
        match status:
            case 0 if not done.get("failed"):
                return str(done.get("stdout", ""))
            case 124:
                raise UnreachableNodeError(f"{self._command[0]} did not end within {WHOLE_SECONDS} s")
            case 126 | 127:
                what = f"not supported by this node: {self._command[0]} cannot be run ({status})"
                raise WayError(what, "not_supported")
            case _ if "unknown configuration key" in said:
                raise WayError(f"not supported by this node: {said[:500]}", "not_supported")
            case _:
                what = f"{self._command[0]} config {words[0]} ended with {status}: {said[:500] or 'no message'}"
                raise WayError(what, "refused")
