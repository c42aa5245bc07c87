"""The compatible `engram` command against a real node, and against peers that are none."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from runbook.cli.root import cli
from runbook.model.settings import CATALOGUE
from runbook.sandbox.fleet.down import down
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.record import FleetRequest
from runbook.sandbox.fleet.talk import Silent
from runbook.sandbox.fleet.up import up

Engram = Callable[..., subprocess.CompletedProcess[str]]
RATE = "dual_memory.concept_sample_rate"


@pytest.fixture(scope="module")
def engram(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engram]:
    """Runs the fleet's own `bin/engram` for its only node, as Ansible would: from another folder."""
    folder = FleetFolder(tmp_path_factory.mktemp("it's a state"))
    record, _ = up(folder, FleetRequest(nodes=1, episodes=0, way="cli"), Silent())
    place = tmp_path_factory.mktemp("elsewhere")

    def run(*words: str, url: str = record.nodes[0].url, token: str = str(folder.token("node-1"))) -> object:
        environment = {"ENGRAM_URL": url, "ENGRAM_TOKEN_FILE": token}
        return subprocess.run(
            [folder.engram, *words], env=environment, cwd=place, capture_output=True, text=True, timeout=60, check=False
        )

    yield run  # type: ignore[misc] # a function with keywords is a Callable[..., ...]
    down(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (RATE, "0.05"),
        ("dual_memory.coherence_threshold", "1"),
        ("dual_memory.min_cluster_size", "5"),
        ("dual_memory.binding_cleanup", "false"),
        ("dual_memory.enable_concepts", "false"),
        ("dual_memory.treatment_salt", "two words; $(and) 'quotes'"),
        ("dual_memory.treatment_spaces", "alpha,beta"),
    ],
)
def test_what_is_set_is_read_back(engram: Engram, key: str, value: str) -> None:
    """Flags, numbers, texts and lists."""
    done = engram("config", "set", key, value)
    assert (done.returncode, done.stderr) == (0, "")
    read = engram("config", "get", key).stdout.strip()
    assert read in (value, f"{value}.0")
    assert done.stdout == f"Updated {key} = {read}\n"


def test_list_names_every_setting(engram: Engram) -> None:
    """Features and configuration alike."""
    lines = engram("config", "list").stdout.splitlines()
    assert {line.split(" = ")[0] for line in lines} == set(CATALOGUE)


@pytest.mark.parametrize("words", [("get", "dual_memory.nothing"), ("set", "dual_memory.nothing", "1")])
def test_an_unknown_key_is_refused_as_upstream_does(engram: Engram, words: tuple[str, ...]) -> None:
    """Exit 1, and the key named."""
    done = engram("config", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: unknown configuration key: dual_memory.nothing\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (RATE, "1.5"),
        (RATE, "nan"),
        (RATE, "much"),
        (RATE, ""),
        ("dual_memory.enabled", "1"),
        ("dual_memory.min_cluster_size", "2.5"),
    ],
)
def test_a_value_out_of_range_changes_nothing(engram: Engram, key: str, value: str) -> None:
    """Exit 1, and the node's own words."""
    before = engram("config", "get", key).stdout
    done = engram("config", "set", key, value)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert engram("config", "get", key).stdout == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "--format", "dual_memory", "--output", "out.json"), "runbook export --format dual_memory"),
        (("migrate", "--to", "single_memory"), "runbook migrate --to single_memory --backup backup.json"),
        ((), "usage"),
    ],
)
def test_what_it_cannot_do_is_usage(engram: Engram, words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """And names the command that can; no file is made, and nothing passes for one."""
    words = tuple(str(tmp_path / word) if word.endswith(".json") else word for word in words)
    done = engram(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
    if words:
        assert words[0] in cli.list_commands(click.Context(cli))


@contextmanager
def peer(answer: bytes) -> Iterator[str]:
    """Something that listens, answers one thing to everybody, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n<html>no</html>",
        b"HTTP/1.1 200 OK\r\n\r\n[1]",
        b"HTTP/1.1 500 Oops\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    ],
)
def test_a_peer_that_is_no_node_is_an_error_without_a_traceback(engram: Engram, answer: bytes) -> None:
    """Whatever it says."""
    with peer(answer) as url:
        done = engram("config", "get", RATE, url=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://127.0.0.1:1", "http://[", "http://127.0.0.1:port", "ftp://127.0.0.1"]
)
def test_an_address_that_is_none_is_an_error(engram: Engram, url: str) -> None:
    """Without a traceback."""
    done = engram("config", "list", url=url)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_a_wrong_or_missing_token_is_an_error(engram: Engram, tmp_path: Path) -> None:
    """The node says no, or the file is not there."""
    (tmp_path / "token").write_text("wrong\nheader: x")
    for name in ("token", "missing"):
        done = engram("config", "list", token=str(tmp_path / name))
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
