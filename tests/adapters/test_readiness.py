"""A service that says that it is up, to a socket as systemd has one."""

import socket
from pathlib import Path

import pytest

from runbook.adapters.readiness import say_ready


@pytest.mark.parametrize("mark", ["/", "@"])
def test_it_is_said_once_to_who_asked_and_not_by_what_is_started_then(tmp_path: Path, mark: str) -> None:
    """One datagram, to a path or to an abstract name; the address is gone from the environment."""
    name = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        asking.bind(name if mark == "/" else "\0" + name[1:])
        environment = {"NOTIFY_SOCKET": mark + name[1:], "HOME": "/"}
        say_ready(environment)
        say_ready(environment)
        assert environment == {"HOME": "/"}
        asking.settimeout(0)
        assert asking.recv(100) == b"READY=1"
        with pytest.raises(BlockingIOError):
            asking.recv(100)


@pytest.mark.parametrize("name", ["/nobody/is/here", "/" + "x" * 300, "no/path\0"])
def test_who_cannot_be_told_is_not(name: str) -> None:
    """The service goes on."""
    say_ready({"NOTIFY_SOCKET": name})
