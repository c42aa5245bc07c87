"""What the way over a file needs of the host: read and replace the file, and restart the server."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError

RunModule = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Runs a module on the host, with its arguments, and gives back its result."""

CANNOT_RUN = {126, 127}
TOO_LONG = {124, 137}


def command_of(words: list[str]) -> dict[str, Any]:
    """The arguments of Ansible's command module for exactly these words: no shell, nothing expanded."""
    return {"argv": words, "expand_argument_vars": False, "_uses_shell": False}


@dataclass(frozen=True, slots=True)
class FileState:
    """The content of the settings file, its SHA-256, and when it was last changed by the clock of the host."""

    content: bytes
    sha256: str
    modified_at: float


@dataclass(frozen=True, slots=True)
class Host:
    """One host over Ansible's connection.

    Args:
        run_module: how a module is run there.
        path: the settings file.
        restart_words: the command that restarts the server, without a shell.
        start_seconds: how long it may take until the server answers again.
    """

    run_module: RunModule
    path: str
    restart_words: Sequence[str]
    start_seconds: float

    def read(self) -> FileState:
        """The settings file as it is now.

        Raises:
            WayError: it cannot be read.
            UnreachableNodeError: the host cannot be reached.
        """
        done = self._done("engram.ops.settings_file", {"path": self.path})
        return FileState(base64.b64decode(done["content"]), str(done["sha256"]), float(done["modified_at"]))

    def replace(self, expected_sha256: str, content: bytes) -> str:
        """Replace the file where it still has that SHA-256; the SHA-256 that it has then.

        Raises:
            WayError: it was changed since, or cannot be written.
        """
        encoded = base64.b64encode(content).decode("ascii")
        arguments = {"path": self.path, "content": encoded, "expected_sha256": expected_sha256}
        return str(self._done("engram.ops.settings_file", arguments)["sha256"])

    def restart(self) -> None:
        """Run the restart command to its end.

        Raises:
            WayError: it cannot be run, does not end, or ends with something else than 0.
        """
        limit = f"{self.start_seconds:g}"
        words = ["timeout", "-k", "5", limit, *self.restart_words]
        done = self.run_module("ansible.legacy.command", command_of(words))
        said = _said(done)
        name = self.restart_words[0]
        if done.get("unreachable"):
            raise UnreachableNodeError(f"the connection was lost while {name} ran: {said}")
        status = done.get("rc")
        if status in CANNOT_RUN:
            raise WayError(f"the restart command {name} cannot be run ({status}): {said}", "not_supported")
        if status in TOO_LONG:
            raise WayError(f"the restart command {name} did not end within {limit} s")
        if status != 0 or done.get("failed"):
            raise WayError(f"the restart command {name} ended with {status}: {said}", "refused")

    def _done(self, module: str, arguments: dict[str, Any]) -> dict[str, Any]:
        done = self.run_module(module, arguments)
        if done.get("unreachable"):
            raise UnreachableNodeError(_said(done))
        if done.get("failed"):
            raise WayError(_said(done), str(done.get("reason") or "refused"))
        return done


def _said(done: dict[str, Any]) -> str:
    words = done.get("stderr") or done.get("msg") or done.get("module_stderr") or done.get("module_stdout") or ""
    return str(words).strip()[:500] or "no message"
