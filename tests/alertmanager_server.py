"""A real Alertmanager with a folder of its own, stopped by its own pid."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from peers import closed_port
from prometheus_server import serving


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
    command = [
        program,
        f"--config.file={file}",
        f"--storage.path={file.parent}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",  # alone: no port for others
    ]
    with serving("alertmanager", command, file.with_name("alertmanager.log"), port) as url:
        yield url
