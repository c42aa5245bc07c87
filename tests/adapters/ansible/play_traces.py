"""One play on a fleet, and the traces that it leaves: processes and folders."""

import tempfile
from pathlib import Path
from typing import Any

from ansible_fleet import Fleet

from runbook.adapters.ansible import AnsiblePlays, folder
from runbook.model.play import PlayRequest, PlayResult
from runbook.model.settings import Value

KEY = "dual_memory.concept_sample_rate"
HOSTS = ("node-1", "node-2", "node-3")

RUN_ONE = """
import sys
from pathlib import Path
from runbook.adapters.ansible import AnsiblePlays
from runbook.cli import signals
from runbook.errors import RunbookError
from runbook.model.play import PlayRequest
signals.install()
inventory, host, value, mark = sys.argv[1:]
request = PlayRequest("set_config", (host,), "dual_memory.concept_sample_rate", {host: float(value)}, mark)
plays = AnsiblePlays(Path(inventory), cancelled=signals.received)
try:
    print(plays.run(request, lambda line: None).hosts[0].state.value)
except RunbookError as error:
    print(type(error).__name__, error, error.hint)
"""


def run(fleet: Fleet, mark: str, values: dict[str, Value], playbook: str = "set_config", **more: Any) -> PlayResult:
    """One play on the fleet."""
    request = PlayRequest(playbook, tuple(values), more.pop("key", KEY), values, mark, **more)
    return AnsiblePlays(fleet.inventory).run(request, lambda _line: None)


def processes(mark: str) -> dict[int, bytes]:
    """Command line and environment of each process of the play."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            variables = (place / "environ").read_bytes()
            if f"RUNBOOK_PLAY={mark}".encode() in variables.split(b"\0"):
                found[int(place.name)] = (place / "cmdline").read_bytes() + b"\n" + variables
        except OSError:
            continue  # gone meanwhile, or someone else's
    return found


def leftovers(mark: str) -> list[Path]:
    """Folders of the play."""
    places = {folder.SHARED_MEMORY, Path(tempfile.gettempdir())}
    return [path for place in places for path in place.glob(f"{folder._prefix(mark)}*")]


def inventory_of(place: Path, url: str) -> Path:
    """An inventory with one host at that address."""
    path = place / "inventory.yml"
    path.write_text(f"all: {{hosts: {{one: {{engram_url: '{url}'}}}}}}\n", encoding="utf-8")
    return path
