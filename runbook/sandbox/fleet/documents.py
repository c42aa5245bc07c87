"""The files that make a fleet a target: `runbook.toml`, `inventory.yml` and the `engram` command."""

import json
import shlex
import sys

from runbook.sandbox.fleet.folder import FleetFolder, write_file
from runbook.sandbox.fleet.record import FleetRecord

_CONFIGURATION = """\
version = 1
default_target = "sandbox"

[targets.sandbox]
environment = "sandbox"
inventory = "inventory.yml"
warm_up = "0s"
"""


def write_documents(folder: FleetFolder, record: FleetRecord) -> None:
    """Write all three; the ports of the nodes are known by now.

    Raises:
        StorageError: the disk refused.
    """
    write_file(folder.configuration, _CONFIGURATION)
    # JSON is YAML, and quotes whatever a path may hold.
    write_file(folder.inventory, json.dumps(_inventory(folder, record), indent=2) + "\n")
    python = shlex.quote(sys.executable)
    write_file(folder.engram, f'#!/bin/sh\nexec {python} -P -m runbook.sandbox.engram_command "$@"\n', mode=0o700)


def _inventory(folder: FleetFolder, record: FleetRecord) -> dict[str, object]:
    hosts = {
        node.name: {
            "engram_url": node.url,
            "engram_token_file": str(folder.token(node.name)),
            "engram_pid_file": str(folder.token(node.name).with_name("lock")),  # holds the id of the node's process
        }
        for node in record.nodes
    }
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "engram_way": record.request.way,
        "engram_command": str(folder.engram),
    }
    return {"all": {"vars": variables, "hosts": hosts}}
