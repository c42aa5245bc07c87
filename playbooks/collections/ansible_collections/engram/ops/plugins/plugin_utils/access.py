"""How the inventory says that a host is reached; what the caller says of it stands in for a silent inventory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.http_node import HttpNode, token_from


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

    def http_node(self) -> HttpNode:
        """The node at its address, with its token, asked from the controller."""
        token = token_from(self._path(self.token_file)) if self.token_file else ""
        usual = self.variables.get("allow_plain_http") is True
        allowed = self.variable("engram_allow_plain_http", default=usual)
        return HttpNode(self.url, token, allow_plain_http=allowed is True)

    def _path(self, text: str) -> Path:
        """A relative path is relative to the inventory, wherever the play was started."""
        path = Path(text).expanduser()
        return path if path.is_absolute() else Path(str(self.variables.get("inventory_dir") or ".")) / path
