"""A fleet of upstream servers, and nothing of the caller's own."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from upstream_fleet import NAMES, UpstreamFleet
from upstream_server import Upstream


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UpstreamFleet]:
    """Running; nothing of the caller's environment is left."""
    for name in [name for name in os.environ if name.startswith(("RUNBOOK_", "XDG_", "ENGRAM_"))]:
        monkeypatch.delenv(name)
    with ExitStack() as stack:
        servers = {name: stack.enter_context(Upstream(tmp_path / name).running()) for name in NAMES}
        found = UpstreamFleet(tmp_path, servers)
        found.write()
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(found.config_home))
        monkeypatch.setenv("RUNBOOK_CONFIG", str(tmp_path / "runbook.toml"))
        monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state"))
        monkeypatch.chdir(tmp_path)
        yield found
