"""`python node_service.py FOLDER`: restart the node of that folder, as a service manager would; it knows it by its pid.

`service.json` in the folder says the port and the settings file; `hold` there keeps the restart waiting, and
`refuse` holds a text with which the server does not start.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def alive(pid: int) -> bool:
    """Does it run? One that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def stop(folder: Path) -> None:
    """End the node, and wait until it is gone."""
    file = folder / "service.pid"
    if not file.exists():
        return
    pid = int(file.read_text())
    if alive(pid):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    file.unlink()


def start(folder: Path) -> None:
    """Start the node, unless its settings hold what it does not start with."""
    service = json.loads((folder / "service.json").read_text())
    settings, refuse = Path(service["settings"]), folder / "refuse"
    if refuse.exists() and refuse.read_text() in settings.read_text():
        return
    words = [sys.executable, "-m", "runbook.sandbox.node", "--folder", str(folder), "--port", str(service["port"])]
    words += ["--settings", str(settings), "--no-admin-settings"]
    with (folder / "service.log").open("ab") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    (folder / "service.pid").write_text(str(process.pid))


def main() -> None:
    """Restart."""
    folder = Path(sys.argv[1])
    hold = folder / "hold"
    if hold.exists():
        (folder / "held.pid").write_text(str(os.getpid()))
        while hold.exists():
            time.sleep(0.02)
    stop(folder)
    start(folder)


if __name__ == "__main__":
    main()
