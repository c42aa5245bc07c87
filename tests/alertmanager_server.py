"""A real Alertmanager with a folder of its own, stopped by its own pid."""

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
def alertmanager(folder: Path, configuration: Mapping[str, Any]) -> Iterator[str]:
    """Its URL on a free port, once it is ready."""
    (folder / "alertmanager.yml").write_text(json.dumps(configuration))  # JSON is YAML
    with alertmanager_of(folder / "alertmanager.yml", closed_port()) as url:
        yield url


@contextmanager
def alertmanager_of(file: Path, port: int) -> Iterator[str]:
    """Its URL on that port, once it is ready, with that configuration; its data and its log lie beside it."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("alertmanager is not installed (make setup installs it as root)")
    log = file.with_name("alertmanager.log")
    command = [
        program,
        f"--config.file={file}",
        f"--storage.path={file.parent}/alertmanager",
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
