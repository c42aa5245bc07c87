"""A real Prometheus on a free port, with a folder of its own, stopped by its own pid."""

import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from peers import closed_port
from running_node import wait_until


@contextmanager
def prometheus(
    folder: Path, scrape_configs: Sequence[dict[str, Any]], interval: str, *, rules: Sequence[Path] = ()
) -> Iterator[str]:
    """Its URL, once it is ready; it scrapes for the first time within that interval, and evaluates rules as often."""
    document = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "scrape_configs": [{"metrics_path": "/metrics/prometheus", **each} for each in scrape_configs],
        "rule_files": [str(rule) for rule in rules],
    }
    (folder / "prometheus.yml").write_text(json.dumps(document))  # JSON is YAML
    with prometheus_of(folder / "prometheus.yml", closed_port()) as url:
        yield url


@contextmanager
def prometheus_of(file: Path, port: int) -> Iterator[str]:
    """Its URL on that port, once it is ready, with that configuration; its data and its log lie beside it."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed (make setup installs it as root)")
    command = [
        program,
        f"--config.file={file}",
        f"--storage.tsdb.path={file.parent}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with serving("prometheus", command, file.with_name("prometheus.log"), port) as url:
        yield url


@contextmanager
def serving(name: str, command: Sequence[str], log: Path, port: int) -> Iterator[str]:
    """The URL of what that command runs, once it says that it is ready; what it says goes to the log."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL) as process:

        def ready() -> bool:
            if process.poll() is not None:
                pytest.fail(f"{name} ended with {process.returncode}: {log.read_text()}")
            return is_ready(port)

        try:
            wait_until(ready, f"{name} did not get ready")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def is_ready(port: int) -> bool:
    """Does what listens there say that it is ready? Prometheus and Alertmanager say it in the same place."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
