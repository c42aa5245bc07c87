"""Fixtures of the command line's tests."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_node import RunningNode


@pytest.fixture(autouse=True)
def _no_other_target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the caller's environment names; HOME and the current folder hold no configuration either."""
    for name in [name for name in os.environ if name.startswith(("RUNBOOK_", "XDG_"))]:
        monkeypatch.delenv(name)
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("HOME", str(empty))
    monkeypatch.chdir(empty)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of this test's own."""
    folder = tmp_path / "state"
    monkeypatch.setenv("RUNBOOK_STATE", str(folder))
    return folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other people reach as well, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="runbook-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def target(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch, shared_node: RunningNode) -> Path:
    """A configuration whose target `prod` is one healthy node, and another, `gone`, whose node is dead."""
    folder = tmp_path / "config"
    folder.mkdir()
    for name, url in (("prod", shared_node.url), ("gone", "http://127.0.0.1:9")):
        host = {"engram_url": url, "engram_token_file": str(shared_node.token_file)}
        (folder / f"{name}.yml").write_text(json.dumps({"all": {"hosts": {f"{name}-1": host}}}))
    (folder / "runbook.toml").write_text(
        'version = 1\ndefault_target = "prod"\n'
        '[targets.prod]\nenvironment = "production"\ninventory = "prod.yml"\n'
        '[targets.gone]\nenvironment = "production"\ninventory = "gone.yml"\n'
    )
    monkeypatch.setenv("RUNBOOK_CONFIG", str(folder / "runbook.toml"))
    return folder
