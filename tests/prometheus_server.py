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
def prometheus(folder: Path, scrape_configs: Sequence[dict[str, Any]], interval: str) -> Iterator[str]:
    """Its URL, once it is ready; it scrapes for the first time after five seconds, and then in that interval."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed (make setup installs it as root)")
    port = closed_port()
    document = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval},
        "scrape_configs": [{"metrics_path": "/metrics/prometheus", **each} for each in scrape_configs],
    }
    (folder / "prometheus.yml").write_text(json.dumps(document))  # JSON is YAML
    log = folder / "prometheus.log"
    command = [
        program,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL) as process:

        def ready() -> bool:
            if process.poll() is not None:
                pytest.fail(f"prometheus ended with {process.returncode}: {log.read_text()}")
            return _status(port) == http.client.OK

        try:
            wait_until(ready, "prometheus did not get ready")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _status(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
