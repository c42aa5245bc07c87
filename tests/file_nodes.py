"""Real nodes without runtime settings, each behind a real sshd: changed by their settings file and a restart."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import node_service
import yaml
from ansible_fleet import closed_port
from local_sshd import Sshd, running_sshd
from running_node import wait_until

SETTINGS = """# Settings of this server; ask anna before you change them.
[dual_memory]   # both kinds of memory
enable_concepts = true   # since March
semantic_weight = 0.3
"""
SERVICE = Path(node_service.__file__)


@dataclass(frozen=True)
class FileNode:
    """One node: its folder, its settings file, its port."""

    folder: Path
    port: int

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def file(self) -> Path:
        return self.folder / "etc" / "settings.toml"

    @property
    def pid(self) -> int:
        return int((self.folder / "service.pid").read_text())

    def value(self, key: str) -> float:
        """What the running node says in its metrics."""
        found = re.search(rf'name="{re.escape(key)}"}} (\S+)', self._get("/metrics/prometheus"))
        assert found is not None, key
        return float(found.group(1))

    def is_well(self) -> bool:
        """Does it answer?"""
        try:
            return bool(self._get("/health"))
        except OSError:
            return False

    def restart(self) -> None:
        """As its service manager does it."""
        subprocess.run([sys.executable, SERVICE, self.folder], check=True)
        wait_until(self.is_well, "the node did not start")

    def reset(self) -> None:
        """The file and the node as they were in the beginning."""
        for name in ("hold", "refuse"):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "service.json").write_text(json.dumps({"port": self.port, "settings": str(self.file)}))
        self.file.parent.chmod(0o755)
        if self.file.read_text() != SETTINGS or not self.is_well():
            self.file.write_text(SETTINGS)
            self.file.chmod(0o640)
            self.restart()

    def _get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            assert response.status == 200, response.status
            return response.read().decode()
        finally:
            connection.close()


@dataclass(frozen=True)
class FileFleet:
    """The nodes, the way in, and the inventory."""

    folder: Path
    nodes: Sequence[FileNode]
    sshd: Sshd

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory.yml"

    def write_inventory(self, **variables: Any) -> None:
        """The inventory, with these variables for all hosts beside the usual ones."""
        hosts = {
            node.name: {
                "engram_url": f"http://127.0.0.1:{node.port}",
                "engram_settings_file": str(node.file),
                "engram_restart_command": [sys.executable, str(SERVICE), str(node.folder)],
            }
            for node in self.nodes
        }
        usual = {"engram_way": "file", "engram_start_seconds": 60, **self.sshd.variables}
        document = {"all": {"hosts": hosts, "vars": usual | variables}}
        self.inventory.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


@contextmanager
def running_file_fleet(folder: Path, names: Sequence[str]) -> Iterator[FileFleet]:
    """All of them running; ended whatever happens."""
    nodes = [FileNode(folder / name, closed_port()) for name in names]
    with running_sshd(folder / "sshd") as sshd:
        try:
            for node in nodes:
                node.folder.mkdir(mode=0o755)
                node.file.parent.mkdir(mode=0o755)
                node.file.write_text("")
                node.reset()
            fleet = FileFleet(folder, nodes, sshd)
            fleet.write_inventory()
            yield fleet
        finally:
            for node in nodes:
                node_service.stop(node.folder)


def is_root() -> bool:
    """Root is denied nothing."""
    return os.geteuid() == 0
