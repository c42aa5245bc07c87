"""A real Alertmanager on a free port, with a folder of its own, stopped by its own pid."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from peers import closed_port
from prometheus_server import is_ready
from running_node import wait_until


@contextmanager
def alertmanager(folder: Path, configuration: Mapping[str, Any] | Path) -> Iterator[str]:
    """Its URL, once it is ready. `configuration` is a document of ours, or a file that is there already."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("alertmanager is not installed (make setup installs it as root)")
    port, file, log = closed_port(), folder / "alertmanager.yml", folder / "alertmanager.log"
    if isinstance(configuration, Path):
        file = configuration
    else:
        file.write_text(json.dumps(configuration))  # JSON is YAML
    command = [
        program,
        f"--config.file={file}",
        f"--storage.path={folder}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",  # alone: no port for others
    ]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL) as process:

        def ready() -> bool:
            if process.poll() is not None:
                pytest.fail(f"alertmanager ended with {process.returncode}: {log.read_text()}")
            return is_ready(port)

        try:
            wait_until(ready, "alertmanager did not get ready")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
