"""Two upstream servers as a target of this tool."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from upstream_server import Upstream

NAMES = ("up-1", "up-2")
COMMAND = Path(__file__).with_name("upstream_command.py")


@dataclass(frozen=True)
class UpstreamFleet:
    """Two servers, one target `up`."""

    folder: Path
    servers: dict[str, Upstream]

    @property
    def inventory(self) -> Path:
        return self.folder / "up.yml"

    @property
    def config_home(self) -> Path:
        """Where upstream's own command keeps its configuration."""
        return self.folder / "xdg"

    def write(self, **variables: object) -> None:
        """The inventory, with these variables for all hosts, and the configuration."""
        hosts = {
            name: {"engram_url": server.url, "engram_pid_file": str(server.pid_file)}
            for name, server in self.servers.items()
        }
        common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **variables}
        self.inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}))
        (self.folder / "runbook.toml").write_text(
            'version = 1\ndefault_target = "up"\n[targets.up]\nenvironment = "staging"\ninventory = "up.yml"\n'
        )

    def unharmed(self) -> None:
        """No space was made by asking, and nothing was sent that could change or end a server."""
        for server in self.servers.values():
            assert server.unasked_spaces == []
            assert list(server.registry.spaces) == ["default"]
            assert not server.died
            assert not server.stopping
            assert not [path for path in server.paths if "consolidations" in path or path == "/shutdown"]
            assert {method for method, path in server.asked if "/admin/" not in path} <= {"GET"}
