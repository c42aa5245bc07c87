"""Real nodes in one process, with an inventory for Ansible; some hosts of it may be dead."""

import json
import os
import signal
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml
from forked import NODE, Forked

from runbook.sandbox.fleet.waiting import wait_for

CANARY = "canary-token-5e1f0c"
ADMIN = "/api/v1/admin"


@dataclass(frozen=True)
class Fleet:
    """Who lives where. `hosts` are in the inventory's order; the dead ones have an address where nobody listens."""

    folder: Path
    urls: Mapping[str, str]
    dead: frozenset[str]

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.urls)

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory.yml"

    def ask(self, host: str, path: str, method: str = "GET", body: Any = None) -> Any:
        """What the node answers on an admin path."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {CANARY}", "Content-Type": "application/json"}
        request = Request(self.urls[host] + ADMIN + path, content, headers, method=method)  # noqa: S310 - http, loopback
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - same
            return json.loads(answer.read())

    def value(self, host: str, key: str) -> Any:
        """What the node says of that setting."""
        return {**self.ask(host, "/config"), **self.ask(host, "/features")}[key]

    def remember(self, host: str, content: str) -> None:
        """The node takes one text."""
        body = json.dumps({"content": content}).encode()
        address = self.urls[host] + "/api/v1/memories/remember"
        request = Request(address, body, {"Content-Type": "application/json"})  # noqa: S310 - http, loopback
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - same
            assert answer.status == 201

    def put(self, key: str, value: Any) -> None:
        """Every living node gets the value."""
        for host in self.urls.keys() - self.dead:
            self.ask(host, "/config", "PATCH", {key: value})

    @contextmanager
    def fault(self, host: str, name: str) -> Iterator[None]:
        """The node has that fault while the context lasts."""
        self.ask(host, f"/chaos/{name}", "POST", {})
        try:
            yield
        finally:
            self.ask(host, f"/chaos/{name}", "DELETE")

    def write_inventory(self, **variables: Any) -> None:
        """The inventory, with these variables for all hosts."""
        hosts = {
            host: {"engram_url": url, "engram_token_file": str(self.folder / host / "admin.token")}
            for host, url in self.urls.items()
        }
        document = {"all": {"hosts": hosts, "vars": {"ansible_connection": "local", **variables}}}
        self.inventory.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


@contextmanager
def running_fleet(folder: Path, hosts: Iterable[str], dead: Iterable[str] = ()) -> Iterator[Fleet]:
    """Real nodes, with a token that is easily found wherever it should not be."""
    names, gone = list(hosts), frozenset(dead)
    living = [name for name in names if name not in gone]
    for name in names:
        (folder / name).mkdir(mode=0o700)
        token = folder / name / "admin.token"
        token.touch(mode=0o600)
        token.write_text(CANARY, encoding="ascii")
    words = [word for name in living for word in ("--folder", str(folder / name), "--port", "0")]
    with Path(os.devnull).open("r+b", buffering=0) as nothing:
        process = Forked(NODE, words, os.environ, Path(os.sep), nothing.fileno(), nothing.fileno(), 2)
    try:
        for name in living:
            assert wait_for(lambda name=name: _port(folder / name, process), 30)
        ports = {name: (folder / name / "port").read_text().strip() for name in living}
        urls = {name: f"http://127.0.0.1:{ports.get(name) or closed_port()}" for name in names}
        fleet = Fleet(folder, urls, gone)
        fleet.write_inventory()
        yield fleet
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _port(folder: Path, process: Forked) -> bool | None:
    assert process.poll() is None, "the node did not start"
    return (folder / "port").exists() or None
