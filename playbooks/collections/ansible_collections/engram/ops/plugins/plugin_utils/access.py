"""How the inventory says that a host is reached; what the caller says of it stands in for a silent inventory."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.http_node import HttpNode, token_from
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError

START_SECONDS = 60.0
LONGEST_START_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Reach:
    """The variables of one host, with their own templates resolved by `template`."""

    variables: Mapping[str, Any]
    template: Callable[[Any], Any]

    def variable(self, name: str, default: Any) -> Any:
        """A variable of the host, or the default where the inventory has none."""
        return self.template(self.variables[name]) if name in self.variables else default

    @property
    def url(self) -> str:
        """Address of the node; empty where the inventory has none."""
        return str(self.variable("engram_url", ""))

    @property
    def token_file(self) -> str:
        """Path of the file with the token, as the inventory or the caller says it; empty where there is none."""
        named = (self.variables.get("token_file_by_host") or {}).get(self.variables["inventory_hostname"], "")
        return str(self.variable("engram_token_file", named))

    @property
    def token_path(self) -> Path:
        """The same in the controller, where a relative path is relative to the inventory."""
        return self._path(self.token_file)

    @property
    def token(self) -> str:
        """The token, read in the controller at the moment of use; empty where there is none.

        Raises:
            WayError: its file cannot be read.
        """
        return token_from(self.token_path) if self.token_file else ""

    @property
    def is_on_host(self) -> bool:
        """Does the token's file lie on the host?"""
        return str(self.variable("engram_way", "http")) == "cli"

    @property
    def allows_plain_http(self) -> bool:
        """May the token go over plain http to another machine?"""
        usual = self.variables.get("allow_plain_http") is True
        return self.variable("engram_allow_plain_http", default=usual) is True

    def http_node(self) -> HttpNode:
        """The node at its address, with its token, asked from the controller."""
        return HttpNode(self.url, self.token, allow_plain_http=self.allows_plain_http)

    def _path(self, text: str) -> Path:
        """A relative path is relative to the inventory, wherever the play was started."""
        path = Path(text).expanduser()
        return path if path.is_absolute() else Path(str(self.variables.get("inventory_dir") or ".")) / path


SPLITTER_URL = "engram_splitter_url"


def passed_over(variables: Mapping[str, Any]) -> dict[str, Any]:
    """What a task on nodes says of a host that is a splitter in front of them; empty for any other host."""
    why = "this host is a splitter, no node"
    return {"changed": False, "skipped": True, "skip_reason": why, "msg": why} if SPLITTER_URL in variables else {}


def is_here(connection: Any) -> bool:
    """Is the host this very machine?"""
    return str(connection.transport) == "local"


def with_python(connection: Any, variables: dict[str, Any]) -> dict[str, Any]:
    """The variables under which a module runs: on this machine by this very Python, as Ansible's own localhost does."""
    return {"ansible_python_interpreter": sys.executable, **variables} if is_here(connection) else variables


def restart_of(reach: Reach) -> tuple[str, list[str], float]:
    """How the inventory says that a server with a settings file is changed: the file, the restart, the patience.

    Raises:
        WayError: one of them is missing or of a wrong kind.
    """
    path = reach.variable("engram_settings_file", "")
    if not isinstance(path, str) or not path.startswith("/"):
        raise WayError("engram_settings_file must be the whole path of the settings file on the host", "usage")
    words = reach.variable("engram_restart_command", [])
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        what = "engram_restart_command must be a list of words, such as [systemctl, restart, engram]"
        raise WayError(f"{what}; it is run without a shell", "usage")
    seconds = reach.variable("engram_start_seconds", START_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= LONGEST_START_SECONDS:
        raise WayError(f"engram_start_seconds must be a number from 1 to {LONGEST_START_SECONDS:g}", "usage")
    return str(path), [str(word) for word in words], float(seconds)
