"""The node as a process: many in one, ports, folders that cannot be used."""

import http.client
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from running_node import StartNode, wait_until

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-m", "runbook.sandbox.node"]


@pytest.fixture
def failing() -> Run:
    """Run a node that is expected to end by itself."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    return run


def test_many_nodes_in_one_process(tmp_path: Path) -> None:
    """Each has its folder, its token, its memory and its metrics; one signal ends them all, cleanly."""
    folders = [tmp_path / f"n{number}" for number in range(3)]
    words = [word for folder in folders for word in ("--folder", str(folder), "--port", "0")]
    process = subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: all((folder / "port").exists() for folder in folders), "not all of them listen")
        ports = [int((folder / "port").read_text()) for folder in folders]
        assert len(set(ports)) == 3
        assert len({(folder / "admin.token").read_text() for folder in folders}) == 3
        connection = http.client.HTTPConnection("127.0.0.1", ports[0], timeout=10)
        connection.request("POST", "/api/v1/memories/remember", '{"content": "only here"}')
        assert connection.getresponse().status == 201
        connection.close()
        for port, episodes in zip(ports, (1, 0, 0), strict=True):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/metrics/prometheus")
            assert f'engram_episodes{{space="default"}} {episodes}.0' in connection.getresponse().read().decode()
            connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == b""


def test_a_taken_port_is_said(failing: Run, tmp_path: Path) -> None:
    """Exit 10, with the port and a hint."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = failing("--folder", tmp_path / "n", "--port", taken.getsockname()[1])
    assert ended.returncode == 10
    assert "cannot listen" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("kind", ["file in the way", "garbage database", "empty token", "file as parent"])
def test_a_folder_that_cannot_be_used_is_said(failing: Run, tmp_path: Path, kind: str) -> None:
    """Exit 16 and one line; what was there is left alone."""
    folder = tmp_path / "n"
    if kind == "file in the way":
        folder.write_text("mine")
    elif kind == "file as parent":
        folder.write_text("mine")
        folder /= "deeper"
    else:
        folder.mkdir()
        name = "memory.db" if kind == "garbage database" else "admin.token"
        (folder / name).write_bytes(b"garbage! " * 500 if kind == "garbage database" else b"")
    ended = failing("--folder", folder, "--port", 0)
    assert ended.returncode == 16
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("\n") == 1


AS_NOBODY = """
import os, sys
from runbook.sandbox import node
if os.geteuid() == 0:  # root is denied nothing
    os.setgid(65534); os.setuid(65534)
sys.exit(node.main(["--folder", sys.argv[1], "--port", "0"]))
"""


def test_a_folder_without_permission_is_said(tmp_path: Path) -> None:
    """Exit 16, no traceback."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    command = [sys.executable, "-c", AS_NOBODY, str(locked / "n")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 16, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "cannot use the folder" in ended.stderr


@pytest.mark.parametrize("words", [(), ("--folder", "x"), ("--folder", "x", "--port", "many"), ("--port", "0")])
def test_usage(failing: Run, words: tuple[str, ...]) -> None:
    """Exit 2."""
    assert failing(*words).returncode == 2


@pytest.mark.parametrize("again", [False, True])
def test_a_node_whose_folder_was_removed_ends(start_node: StartNode, tmp_path: Path, *, again: bool) -> None:
    """Whoever started it is gone, and nobody could end it any more; a new folder in the same place is not its own."""
    node = start_node(tmp_path / "home")
    shutil.rmtree(node.folder)
    if again:
        start_node(tmp_path / "home")
    assert node.process.wait(timeout=30) == 0
    assert (node.folder / "port").exists() == again, "what a new node announced stays"
